// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package users

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/loginthrottle"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// maxLogin is the length in characters of the longest name that is looked up:
// that of an e-mail address, since imported projects use those as names.
const maxLogin = 254

// invalidLogin answers every failed login: it does not tell whether the name,
// the password or the state of the user is at fault.
const invalidLogin = "Invalid username/password."

// Causes of failed logins, for the log.
var (
	errUnfit    = errors.New("no acceptable user name and password")
	errNoUser   = errors.New("no such user")
	errPassword = errors.New("wrong password")
	errInactive = errors.New("user inactive")
)

// Authenticate returns the user of that name if the password is the user's,
// as a new Identity whose Method the caller sets. It returns an *auth.Failure
// that is the same, after the same time, whatever was wrong, an *auth.Throttled
// if too much was guessed before, and an *auth.Unavailable if the store does not
// answer or too many logins wait.
func (d *Directory) Authenticate(ctx context.Context, name, pw string) (*auth.Identity, error) {
	return d.AuthenticateBeside(ctx, nil, name, pw)
}

// AuthenticateBeside is Authenticate with the users of a roster, if it is not
// nil, between those of the configuration and those of the store.
func (d *Directory) AuthenticateBeside(ctx context.Context, roster Roster, name, pw string) (*auth.Identity, error) {
	if !fit(name, pw) {
		return nil, refused(nil, errUnfit)
	}
	name = Canonical(name)
	login := d.guessAt(ctx, roster, loginthrottle.KindPassword, name)
	guess := func(ctx context.Context) (*auth.Identity, error) {
		return d.throttle.Guess(ctx, login, func(ctx context.Context) (*auth.Identity, error) { return d.verify(ctx, roster, name, pw) })
	}
	// The guess of a dry run must not be taken for one that counts, and who has to
	// wait must not learn from somebody else's that the password is right.
	if auth.DryRun(ctx) || d.throttle.Waits(ctx, login) {
		return guess(ctx)
	}
	id, joined, err := d.together.do(ctx, sameLogin(roster, loginthrottle.Network(login.Address), name, pw), guess)
	if err != nil || !joined {
		return id, err
	}
	// The user may have been read before this request came, and the password
	// changed in between.
	now, err := d.RecheckBeside(ctx, roster, id)
	if errors.Is(err, auth.ErrChanged) {
		return guess(ctx)
	}
	return now, err
}

// MustVerifyBeside reports whether a login of that name from this client has to be
// verified even if it is remembered: somebody guesses there, and has to wait.
func (d *Directory) MustVerifyBeside(ctx context.Context, roster Roster, name string) bool {
	return d.throttle.Waits(ctx, d.guessAt(ctx, roster, loginthrottle.KindPassword, Canonical(name)))
}

// Guessed reports whether there may be anybody for whom MustVerifyBeside holds.
func (d *Directory) Guessed() bool { return d.throttle.Guessed() }

// Network returns where the client comes from, as logins are counted: what is
// remembered of a login is good there alone. It is "" if that is unknown.
func Network(ctx context.Context) string { return loginthrottle.Network(clientAddress(ctx)) }

// guessAt is a guess at a secret of the user of a canonical name.
func (d *Directory) guessAt(ctx context.Context, roster Roster, kind, name string) loginthrottle.Guess {
	return loginthrottle.Guess{
		Kind: kind, Name: name, Address: clientAddress(ctx),
		Account: func(ctx context.Context) (string, error) {
			user, err := d.find(ctx, roster, name)
			if errors.Is(err, tokenstore.ErrNotFound) {
				return "", nil
			}
			return user.identity.Key, err
		},
	}
}

// Guess calls verify, which looks at another secret of the user than the
// password, as a code of the kind, unless too much was guessed before: then it
// returns an *auth.Throttled. An *auth.Failure of verify is a failed guess; any
// other error says that it was none.
func (d *Directory) Guess(ctx context.Context, kind, name string, verify func(context.Context) (*auth.Identity, error)) (*auth.Identity, error) {
	return d.throttle.Guess(ctx, d.guessAt(ctx, nil, kind, Canonical(name)), verify)
}

// clientAddress returns the client's address, which trusted proxies may have
// told, or "" outside of a request.
func clientAddress(ctx context.Context) string {
	address, _ := caddyhttp.GetVar(ctx, caddyhttp.ClientIPVarKey).(string)
	return address
}

// verify compares the password with that of the user of a canonical name.
func (d *Directory) verify(ctx context.Context, roster Roster, name, pw string) (*auth.Identity, error) {
	start := d.now()
	user, err := d.find(ctx, roster, name)
	if errors.Is(err, tokenstore.ErrNotFound) {
		if err := d.hasher.Waste(ctx, pw); err != nil {
			return nil, undecided(unverified(err))
		}
		d.hasher.Settle(ctx, start)
		return nil, refused(nil, errNoUser)
	}
	if err != nil {
		return nil, undecided(err)
	}
	ok, err := d.hasher.Verify(ctx, user.hash, pw)
	switch {
	case isUnfitHash(err):
		err = fmt.Errorf("verifying the password: %w", err)
	case err != nil:
		return nil, undecided(unverified(err))
	case !ok:
		err = errPassword
	case !user.active:
		err = errInactive
	}
	if err != nil {
		d.hasher.Settle(ctx, start)
		return nil, refused(&user.identity, err)
	}
	if user.identity.Source == SourceStore && password.NeedsRehash(user.hash) && !auth.DryRun(ctx) {
		d.renew(ctx, user.identity.Key, user.hash, pw)
	}
	return &user.identity, nil
}

// find returns the account of a canonical name, or tokenstore.ErrNotFound.
func (d *Directory) find(ctx context.Context, roster Roster, name string) (account, error) {
	if user, ok := d.configured[name]; ok {
		return user, nil
	}
	if roster != nil {
		if user, ok, err := listed(roster, name); ok || err != nil {
			return user, err
		}
	}
	if err := loginthrottle.Outage(ctx); err != nil {
		return account{}, err
	}
	user, err := d.store.UserByName(ctx, name)
	if err != nil {
		return account{}, err
	}
	return account{identity: *passwordIdentity(user), hash: user.PasswordHash, active: user.Active}, nil
}

// fit reports whether name and password are worth looking up. What it refuses,
// it refuses for every user alike, so that nobody learns from the time. A store
// may take neither NUL nor invalid UTF-8, and a client must not cause its error.
func fit(name, pw string) bool {
	return name != "" && pw != "" && len(pw) <= password.MaxLength &&
		len(name) <= maxLogin*utf8.UTFMax && utf8.ValidString(name) &&
		utf8.RuneCountInString(name) <= maxLogin && !strings.Contains(name, "\x00")
}

// isUnfitHash reports whether the stored hash is at fault, so that its user
// cannot log in, now or later.
func isUnfitHash(err error) bool {
	return errors.Is(err, password.ErrMalformed) || errors.Is(err, password.ErrTooCostly) || errors.Is(err, password.ErrWeak)
}

func refused(candidate *auth.Identity, cause error) *auth.Failure {
	return &auth.Failure{
		Code:      auth.CodeAuthenticationFailed,
		Detail:    invalidLogin,
		Candidate: candidate,
		Err:       cause,
	}
}

func unverified(cause error) error { return fmt.Errorf("%w: %w", loginthrottle.ErrUnverified, cause) }

func undecided(cause error) *auth.Unavailable {
	return &auth.Unavailable{RetryAfter: time.Second, Err: cause}
}

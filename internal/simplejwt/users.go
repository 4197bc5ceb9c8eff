// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package simplejwt

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// ErrNoUser is returned for a user who is not there (any more).
var ErrNoUser = errors.New("no such user")

// A Subject is the user whom a token names.
type Subject struct {
	// Identity is of a user of the store or of the configuration, without what
	// belongs to the token. Its Proof says which password the user has.
	Identity *auth.Identity

	Active bool

	stored tokenstore.User // none for a user of the configuration
}

// UserID returns what names a user in tokens.
func (c *Codec) UserID(ctx context.Context, id *auth.Identity) (string, error) {
	if c.settings.UserIDField == FieldUsername {
		return id.ID, nil
	}
	if id.Source != users.SourceStore {
		return id.Key, nil
	}
	user, err := c.store.User(ctx, id.Key)
	if errors.Is(err, tokenstore.ErrNotFound) {
		return "", ErrNoUser
	}
	if err != nil {
		return "", unavailable(err)
	}
	if user.Origin == Origin && user.OriginID != "" {
		return user.OriginID, nil
	}
	return user.Key, nil
}

// UserIDOf returns what a token says of its user: a text, or a number as its
// digits. Known is false if it says nothing; anything but these is "".
func (c *Codec) UserIDOf(t *Token) (id string, known bool) {
	raw := t.Claims.Raw(c.settings.UserIDClaim)
	if raw == nil {
		return "", false
	}
	if text, ok := t.Claims.Text(c.settings.UserIDClaim); ok {
		return text, true
	}
	var number json.Number
	if raw[0] != '"' && json.Unmarshal(raw, &number) == nil {
		return number.String(), true
	}
	return "", true
}

// Subject returns the user whom a token names. The error is ErrNoUser, or an
// *auth.Unavailable.
func (c *Codec) Subject(ctx context.Context, userID string) (*Subject, error) {
	if c.settings.UserIDField == FieldUsername {
		return c.named(ctx, users.Canonical(userID))
	}
	if name, ok := strings.CutPrefix(userID, users.SourceConfig+":"); ok {
		return c.configured(name)
	}
	if userID == "" || len(userID) > tokenstore.MaxName {
		return nil, ErrNoUser
	}
	if strings.HasPrefix(userID, tokenstore.UserKeyPrefix) {
		return c.stored(c.store.User(ctx, userID))
	}
	return c.stored(c.store.UserByOrigin(ctx, Origin, userID))
}

func (c *Codec) named(ctx context.Context, name string) (*Subject, error) {
	if c.users.Configured(name) {
		return c.configured(name)
	}
	if name == "" || len(name) > tokenstore.MaxName {
		return nil, ErrNoUser
	}
	return c.stored(c.store.UserByName(ctx, name))
}

// configured returns a user of the configuration.
func (c *Codec) configured(name string) (*Subject, error) {
	if !c.users.Configured(name) {
		return nil, ErrNoUser
	}
	id, err := c.users.Holder(&tokenstore.Credential{UserKey: users.SourceConfig + ":" + users.Canonical(name)}, tokenstore.User{})
	if failure, refused := errors.AsType[*auth.Failure](err); refused {
		return &Subject{Identity: failure.Candidate}, nil
	}
	if err != nil {
		return nil, unavailable(err)
	}
	return &Subject{Identity: id, Active: true}, nil
}

// stored returns a user of the store, unless the configuration has one of the
// same name: who is called by it is somebody else then.
func (c *Codec) stored(user tokenstore.User, err error) (*Subject, error) {
	if errors.Is(err, tokenstore.ErrNotFound) || err == nil && c.users.Configured(user.Name) {
		return nil, ErrNoUser
	}
	if err != nil {
		return nil, unavailable(err)
	}
	id := users.Identity(user)
	id.Proof = Proof(user)
	return &Subject{Identity: id, Active: user.Active, stored: user}, nil
}

// PasswordStands reports whether the user still has the password that the token
// was issued under. What this server issued says its version, which stays over a
// new hash of the same password; what Django issued, the MD5 of the hash, or of
// that which a login here has renewed. The error is an *auth.Unavailable.
func (c *Codec) PasswordStands(ctx context.Context, t *Token, s *Subject) (bool, error) {
	claim, ok := t.Claims.Text(c.settings.RevokeTokenClaim)
	switch {
	case !ok:
		return false, nil
	case claim == s.Identity.Proof:
		return true, nil
	case s.stored.PasswordHash == "":
		return false, nil
	case strings.EqualFold(claim, users.HashDigest(s.stored.PasswordHash)):
		return true, nil
	}
	had, err := c.users.HadHash(ctx, s.stored, claim)
	return had, unavailable(err)
}

// Revoked reports whether a token, or all that came from one login, was ended
// before its time. The error is an *auth.Unavailable.
func (c *Codec) Revoked(ctx context.Context, t *Token) (bool, error) {
	revoked, err := c.revoked.Revoked(ctx, t.Family(), t.Alone())
	return revoked, unavailable(err)
}

// LastEnd returns until when a token may be accepted that is issued now, or this
// one: for so long the revocation of a family is to be remembered.
func (c *Codec) LastEnd(t *Token) time.Time {
	last := c.now().Add(c.settings.longest())
	if t != nil && t.Expires.After(last) {
		last = t.Expires
	}
	return last.Add(time.Duration(c.settings.Leeway) + clocks)
}

// clocks is how far those of the nodes of a fleet may be apart.
const clocks = time.Hour

// Proof says which password a user of the store has.
func Proof(user tokenstore.User) string { return "v" + strconv.FormatInt(user.PasswordVersion, 10) }

// Bound returns claims that say the password that the user has now.
func (c *Codec) Bound(claims Claims, proof string) Claims {
	return claims.with(c.settings.RevokeTokenClaim, proof)
}

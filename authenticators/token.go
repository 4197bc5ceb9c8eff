// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package authenticators holds the authenticators of the standard bundle, one
// scheme per file: the guests of rest_auth.authenticators.
package authenticators

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func init() {
	caddy.RegisterModule(new(Token))
}

const (
	// maxToken is the length in bytes of the longest token that is looked up.
	// No generator makes them this long, and hashing is work.
	maxToken = 512

	// touchInterval is how old a record's last use may be.
	touchInterval = time.Minute
)

// Token accepts a token of the store in an Authorization header, as
// TokenAuthentication of Django REST framework and django-rest-knox do:
//
//	Authorization: Token 9944b09199c62bcf9418ad846dd0e4bb
//
// The keyword is compared without regard to case, the token exactly. A token
// is never read from anywhere else.
type Token struct {
	// The word before the token, and the challenge. Existing clients may need
	// `Bearer`. Default: Token.
	Keyword string `json:"keyword,omitempty"`

	// The kinds of tokens that are accepted: token, authtoken, knox, durin.
	// A token of any other kind is invalid. Default: all of them.
	Kinds []string `json:"kinds,omitempty"`

	store    tokenstore.Store
	users    *users.Directory
	logger   *zap.Logger
	now      func() time.Time
	imported imports
}

// CaddyModule returns the Caddy module information.
func (*Token) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.authenticators.token",
		New: func() caddy.Module { return new(Token) },
	}
}

// Provision sets the defaults and finds the store, which need not answer yet.
func (t *Token) Provision(ctx caddy.Context) error {
	t.logger = ctx.Logger()
	t.now = time.Now
	keyword, err := caddy.NewReplacer().ReplaceOrErr(t.Keyword, true, true)
	if err != nil {
		return fmt.Errorf("resolving the keyword: %w", err)
	}
	t.Keyword = keyword
	if t.Keyword == "" {
		t.Keyword = "Token"
	}
	if !isToken(t.Keyword) {
		return fmt.Errorf("keyword %q: not one word of letters, digits and !#$%%&'*+-.^_`|~", t.Keyword)
	}
	if len(t.Kinds) == 0 {
		t.Kinds = tokenstore.RequestKinds()
	}
	for _, kind := range t.Kinds {
		if !tokenstore.IsRequestKind(kind) {
			return fmt.Errorf("kind %q: not one of %v", kind, tokenstore.RequestKinds())
		}
	}
	if t.store, err = tokenstore.FromContext(ctx); err != nil {
		return fmt.Errorf("loading the store: %w", err)
	}
	if t.users, err = users.FromContext(ctx); err != nil {
		return fmt.Errorf("loading the users: %w", err)
	}
	return nil
}

// UserSource says that the users are the app's and the store's own.
func (*Token) UserSource() auth.Source { return auth.Local }

// Authenticate returns whom the request's token was issued to.
func (t *Token) Authenticate(r *http.Request) (*auth.Identity, error) {
	token, err := t.credentials(r)
	if err != nil {
		return nil, err
	}
	if len(token) > maxToken {
		return nil, badToken(invalidToken, errTokenTooLong)
	}
	now := t.now()
	digest, record, user, err := t.lookup(r.Context(), token, now)
	switch {
	case err == nil, errors.Is(err, tokenstore.ErrInactive):
	case err == errTokenEnded && slices.Contains(t.Kinds, record.Kind):
		return nil, endedToken(&record)
	case errors.Is(err, tokenstore.ErrNotFound):
		return nil, badToken(invalidToken, err)
	default:
		return nil, &auth.Unavailable{Err: err}
	}
	if !slices.Contains(t.Kinds, record.Kind) {
		return nil, badToken(invalidToken, errTokenKind)
	}
	id, err := t.users.Holder(&record, user)
	if err != nil {
		return nil, noHolder(err)
	}
	t.touch(r.Context(), digest, &record, now)
	return tokenIdentity(&record, id), nil
}

// CacheKey returns the token.
func (t *Token) CacheKey(r *http.Request) (secret []byte, ok bool) {
	token, err := auth.Credentials(r, t.Keyword)
	return readOnly(token), err == nil && len(token) <= maxToken
}

// Challenge returns the keyword alone, as Django REST framework does.
func (t *Token) Challenge(*http.Request, error) string { return t.Keyword }

// Texts and causes of refusals.
const invalidToken = "Invalid token."

var (
	errTokenEncoding = errors.New("token is not UTF-8")
	errTokenTooLong  = fmt.Errorf("token is longer than %d bytes", maxToken)
	errTokenKind     = errors.New("token is of a kind that is not accepted here")
)

// credentials returns the token. Its refusals speak of a token header whatever
// the keyword is, as those of Django REST framework do.
func (t *Token) credentials(r *http.Request) (string, error) {
	token, err := auth.Credentials(r, t.Keyword)
	switch {
	case errors.Is(err, auth.ErrEmptyCredentials):
		return "", badToken("Invalid token header. No credentials provided.", auth.ErrEmptyCredentials)
	case errors.Is(err, auth.ErrSpaces):
		return "", badToken("Invalid token header. Token string should not contain spaces.", auth.ErrSpaces)
	case err != nil:
		return "", err
	case !utf8.ValidString(token):
		return "", badToken("Invalid token header. Token string should not contain invalid characters.", errTokenEncoding)
	}
	return token, nil
}

// tokenIdentity completes the identity of the holder by what belongs to the
// token.
func tokenIdentity(record *tokenstore.Credential, id *auth.Identity) *auth.Identity {
	id.Method = "token"
	id.Credential = record.ID
	id.Client = record.ClientID
	id.Family = record.Family
	id.Scopes = record.Scopes
	id.Expires = record.Expires
	return id
}

// noHolder tells a user who is inactive from a token that is nobody's.
func noHolder(err error) error {
	failure, refused := errors.AsType[*auth.Failure](err)
	switch {
	case !refused:
		return err
	case failure.Candidate == nil:
		return badToken(invalidToken, failure.Err)
	}
	refusal := badToken("User inactive or deleted.", failure.Err)
	refusal.Candidate = failure.Candidate
	return refusal
}

func badToken(detail string, cause error) *auth.Failure {
	return &auth.Failure{Code: auth.CodeAuthenticationFailed, Detail: detail, Err: cause}
}

// UnmarshalCaddyfile sets up the authenticator from Caddyfile tokens. Syntax:
//
//	authenticate token [<keyword>] {
//	    kinds <kind...>
//	}
func (t *Token) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the authenticator
	if d.NextArg() {
		if d.Val() == "" {
			return d.ArgErr()
		}
		t.Keyword = d.Val()
		if d.NextArg() {
			return d.ArgErr()
		}
	}
	for d.NextBlock(0) {
		switch d.Val() {
		case "kinds":
			kinds := d.RemainingArgs()
			if len(kinds) == 0 {
				return d.ArgErr()
			}
			t.Kinds = append(t.Kinds, kinds...)
		default:
			return d.Errf("unrecognized subdirective '%s'", d.Val())
		}
	}
	return nil
}

// Interface guards
var (
	_ auth.Authenticator    = (*Token)(nil)
	_ auth.Challenger       = (*Token)(nil)
	_ auth.Cacheable        = (*Token)(nil)
	_ auth.UserSource       = (*Token)(nil)
	_ caddy.Provisioner     = (*Token)(nil)
	_ caddyfile.Unmarshaler = (*Token)(nil)
)

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/csrf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/simplejwt"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func init() {
	caddy.RegisterModule(new(SimpleJWT))
}

// SimpleJWT accepts the access tokens of djangorestframework-simplejwt, as
// JWTAuthentication does: those that the endpoint `simplejwt` issues, and those
// that a project has issued whose `signing_key` is known:
//
//	Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBl…
//
// Refusals have its bodies, to the byte. The settings that are not said here are
// those of the app, which the endpoint has as well.
type SimpleJWT struct {
	simplejwt.Settings

	// Whether a token is believed about its user without a look at the store, as
	// JWTStatelessUserAuthentication does: the user has the name that the claim
	// user_id says, the claims is_staff and is_superuser count, and there are no
	// groups and permissions. What is revoked is still refused, but a user who is
	// disabled or gone keeps the token until it ends. Default: false.
	Stateless bool `json:"stateless,omitempty"`

	auth.UserPrefix // of stateless users

	codec *simplejwt.Codec
	store tokenstore.Store
	csrf  *csrf.Checker // of tokens in a cookie
	realm string
}

// CaddyModule returns the Caddy module information.
func (*SimpleJWT) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.authenticators.simplejwt",
		New: func() caddy.Module { return new(SimpleJWT) },
	}
}

// Provision completes the settings by those of the app. The store and the keys
// that this server generates are not looked at yet.
func (s *SimpleJWT) Provision(ctx caddy.Context) (err error) {
	s.realm = "api"
	prefix, err := caddy.NewReplacer().ReplaceOrErr(s.UserPrefix.UserPrefix, true, true)
	if err != nil {
		return fmt.Errorf("user_prefix: %w", err)
	}
	s.UserPrefix.UserPrefix = prefix
	if prefix != "" && !s.Stateless {
		return errors.New("user_prefix: the users are those of the store, unless the tokens are stateless")
	}
	if s.store, err = tokenstore.FromContext(ctx); err != nil {
		return fmt.Errorf("loading the store: %w", err)
	}
	if s.codec, err = simplejwt.FromContext(ctx, &s.Settings); err != nil {
		return err
	}
	if s.JWTAuthCookie == "" || !*s.JWTAuthCookieUseCSRF {
		return nil
	}
	sessions, err := session.FromContext(ctx, new(session.Settings))
	if err != nil {
		return fmt.Errorf("loading the CSRF protection: %w", err)
	}
	s.csrf = sessions.CSRF()
	return nil
}

// Cleanup gives back the keys.
func (s *SimpleJWT) Cleanup() error {
	if s.codec == nil {
		return nil
	}
	return s.codec.Close()
}

// SetRealm sets the realm of the challenge.
func (s *SimpleJWT) SetRealm(realm string) {
	if isQuotable(realm) {
		s.realm = realm
	}
}

// UserSource says that the users are the app's and the store's own, or, of
// stateless tokens, whoever the tokens say.
func (s *SimpleJWT) UserSource() auth.Source {
	if s.Stateless {
		return s.Source(s.issuer())
	}
	return auth.Local
}

// Authenticate returns the user of the request's token.
func (s *SimpleJWT) Authenticate(r *http.Request) (*auth.Identity, error) {
	token, where, err := s.find(r)
	if err != nil {
		return nil, err
	}
	verified, err := s.codec.Verify(r.Context(), token)
	return s.judged(r, verified, where, err)
}

// Recheck returns a remembered identity as it is now. The signature is not
// verified again: the keys are those that it was verified with.
func (s *SimpleJWT) Recheck(r *http.Request, _ *auth.Identity) (*auth.Identity, error) {
	token, where, err := s.find(r)
	if err != nil {
		return nil, err
	}
	verified, err := s.codec.Reread(token)
	return s.judged(r, verified, where, err)
}

// judged returns the user of a token whose signature and times are good, unless
// there is an error. What is wrong with a cookie says that the request has no
// token: the browser sends it until it is told not to, at a login, too.
func (s *SimpleJWT) judged(r *http.Request, token *simplejwt.Token, where place, err error) (*auth.Identity, error) {
	var id *auth.Identity
	if err == nil {
		err = s.accepts(r.Context(), token)
	} else if wrong, ok := errors.AsType[*simplejwt.Error](err); ok {
		err = s.notValid(wrong)
	}
	if err == nil {
		id, err = s.user(r.Context(), token)
	}
	if failure, bad := errors.AsType[*auth.Failure](err); bad && where == inCookie {
		return nil, fmt.Errorf("%w: the cookie: %w", auth.ErrNoCredentials, failure.Err)
	}
	return id, err
}

// CacheKey returns the token, where it was, and how many keys were taken away before.
func (s *SimpleJWT) CacheKey(r *http.Request) (secret []byte, ok bool) {
	token, where, err := s.find(r)
	if err != nil || len(token) > jose.MaxSize {
		return nil, false
	}
	generation := s.codec.Generation()
	if generation == 0 && where == inHeader {
		return readOnly(token), true
	}
	// What is verified has no NUL in it, so that no token is another one and this.
	secret = make([]byte, 0, len(token)+10)
	secret = append(append(secret, token...), 0, byte(where))
	return binary.BigEndian.AppendUint64(secret, generation), true
}

// Guard refuses a request that another site may have had the browser make.
func (s *SimpleJWT) Guard(r *http.Request, _ *auth.Identity) error {
	if s.csrf == nil {
		return nil
	}
	if _, where, err := s.find(r); err != nil || where != inCookie {
		return err
	}
	return s.csrf.Check(r)
}

// WrapResponse tells caches that the cookie matters.
func (s *SimpleJWT) WrapResponse(w http.ResponseWriter, _ *http.Request, _ *auth.Identity) http.ResponseWriter {
	if s.JWTAuthCookie != "" {
		w.Header().Add("Vary", "Cookie")
	}
	return w
}

// Challenge returns the first of the words before a token, and the realm.
func (s *SimpleJWT) Challenge(*http.Request, error) string {
	return s.AuthHeaderTypes[0] + " realm=" + quoted(s.realm)
}

// Interface guards
var (
	_ auth.Authenticator = (*SimpleJWT)(nil)
	_ auth.Cacheable     = (*SimpleJWT)(nil)
	_ auth.Challenger    = (*SimpleJWT)(nil)
	_ auth.Guard         = (*SimpleJWT)(nil)
	_ auth.RealmSetter   = (*SimpleJWT)(nil)
	_ auth.Rechecker     = (*SimpleJWT)(nil)
	_ auth.Responder     = (*SimpleJWT)(nil)
	_ auth.UserSource    = (*SimpleJWT)(nil)
	_ caddy.CleanerUpper = (*SimpleJWT)(nil)
	_ caddy.Provisioner  = (*SimpleJWT)(nil)
)

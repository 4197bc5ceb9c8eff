// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package simplejwt

import (
	"context"
	"errors"
	"net/http"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/simplejwt"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// blacklist ends a refresh token, with all that came from the same login.
func (e *Endpoint) blacklist(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	if err := e.checkSource(r); err != nil {
		return err
	}
	compact, err := e.sentRefresh(w, r)
	if err != nil {
		return err
	}
	if err := e.end(r.Context(), compact); err != nil {
		return e.refused(w, err)
	}
	if e.csrf != nil {
		e.clearCookies(w, r)
	}
	return drf.Write(w, r, http.StatusOK, drf.Object{})
}

// end ends the family of a refresh token. One that is not good any more ends it,
// too: who sends it wants the login to be over. The answer says so all the same.
func (e *Endpoint) end(ctx context.Context, compact string) error {
	token, err := e.read(ctx, compact, simplejwt.Refresh)
	if err != nil {
		return err
	}
	record, _, err := e.store.Lookup(ctx, issue.JWTDigest(compact), e.now())
	switch {
	case err == nil || errors.Is(err, tokenstore.ErrInactive):
		return e.endFamily(ctx, token, record.Family)
	case !errors.Is(err, tokenstore.ErrNotFound):
		return &auth.Unavailable{Err: err}
	}
	dead, err := e.dead(ctx, token)
	if err != nil {
		return err
	}
	if err := e.endFamily(ctx, token, token.Family()); err != nil {
		return err
	}
	if dead {
		return &simplejwt.Error{Message: simplejwt.Blacklisted}
	}
	return nil
}

// dead reports whether a token without a live record once had one.
func (e *Endpoint) dead(ctx context.Context, token *simplejwt.Token) (bool, error) {
	if token.Ours() {
		return true, nil
	}
	return e.spent(ctx, token)
}

// spent reports whether a token is one that note has remembered.
func (e *Endpoint) spent(ctx context.Context, token *simplejwt.Token) (bool, error) {
	known, err := e.store.Known(ctx, token.SpentKey())
	if err != nil {
		return false, &auth.Unavailable{Err: err}
	}
	return known, nil
}

// endFamily ends a token and all that came from the same login.
func (e *Endpoint) endFamily(ctx context.Context, token *simplejwt.Token, family string) error {
	until := e.codec.LastEnd(token)
	names := []string{family}
	// Of a token of ours the family says it all.
	if alone := token.Alone(); !token.Ours() && alone != family {
		names = append(names, alone)
	}
	for _, name := range names {
		if err := e.store.Revoke(ctx, name, until); err != nil {
			return &auth.Unavailable{Err: err}
		}
	}
	e.logger.Info("tokens revoked", zap.String("kind", tokenstore.KindRefresh), zap.String("family", family))
	return nil
}

// verify says whether a token of any type is good. Whether its user is, it does
// not say.
func (e *Endpoint) verify(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	data, err := drf.Decode(r)
	if err != nil {
		return err
	}
	compact, err := field(data, "token")
	if err != nil {
		return err
	}
	ctx := r.Context()
	token, err := e.codec.Decode(ctx, compact)
	if err != nil {
		return e.refused(w, err)
	}
	ended, err := e.ended(ctx, token, compact)
	if err != nil {
		return err
	}
	if ended {
		return drf.NonField(simplejwt.Blacklisted)
	}
	return drf.Write(w, r, http.StatusOK, drf.Object{})
}

// ended reports whether a token was ended before its time.
func (e *Endpoint) ended(ctx context.Context, token *simplejwt.Token, compact string) (bool, error) {
	revoked, err := e.codec.Revoked(ctx, token)
	if revoked || err != nil {
		return revoked, err
	}
	var digest []byte
	switch kind, _ := token.Claims.Text(e.TokenTypeClaim); kind {
	case simplejwt.Refresh:
		digest = issue.JWTDigest(compact)
	case simplejwt.Sliding:
		digest = slidingDigest(token.Family())
	default:
		if e.TokenTypeClaim == simplejwt.None {
			return e.spent(ctx, token)
		}
		return false, nil
	}
	_, err = e.lookup(ctx, digest)
	switch {
	case err == nil || errors.Is(err, errNoAccount):
		return false, nil
	case errors.Is(err, tokenstore.ErrNotFound):
		return e.dead(ctx, token)
	}
	return false, err
}

// maxAge is how long a key set may be kept: new keys are in it for as long before
// they sign.
const maxAge = "public, max-age=300"

// jwks publishes the keys.
func (e *Endpoint) jwks(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	set, err := e.codec.JWKS(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", maxAge)
	return drf.Write(w, r, http.StatusOK, rawJSON(set))
}

type rawJSON []byte

// MarshalJSON returns what is JSON already.
func (j rawJSON) MarshalJSON() ([]byte, error) { return j, nil }

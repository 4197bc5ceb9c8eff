// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package simplejwt

import (
	"context"
	"net/http"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/simplejwt"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// refresh gives an access token for a refresh token, and the next refresh token
// where they are rotated.
func (e *Endpoint) refresh(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	if err := e.checkSource(r); err != nil {
		return err
	}
	compact, err := e.sentRefresh(w, r)
	if err != nil {
		return err
	}
	p, err := e.exchange(r.Context(), compact)
	if err != nil {
		return e.refused(w, err)
	}
	answer := drf.Object{{Name: "access", Value: p.Access}}
	if e.csrf == nil {
		if p.Refresh != "" {
			answer = append(answer, drf.Member{Name: "refresh", Value: p.Refresh})
		}
		return drf.Write(w, r, http.StatusOK, answer)
	}
	e.setCookies(w, r, p)
	if shown := e.shown(p.Refresh); shown != "" {
		answer = append(answer,
			drf.Member{Name: "refresh", Value: shown},
			drf.Member{Name: "refresh_expiration", Value: drf.Timestamp(time.Unix(p.RefreshExpires, 0))})
	}
	answer = append(answer, drf.Member{Name: "access_expiration", Value: drf.Timestamp(time.Unix(p.AccessExpires, 0))})
	return drf.Write(w, r, http.StatusOK, answer)
}

// exchange returns what a refresh token is worth.
func (e *Endpoint) exchange(ctx context.Context, compact string) (*pair, error) {
	token, err := e.read(ctx, compact, simplejwt.Refresh)
	if err != nil {
		return nil, err
	}
	found, err := e.find(ctx, token, issue.JWTDigest(compact))
	if err != nil {
		return nil, err
	}
	if found.spent {
		return e.again(ctx, token, compact)
	}
	claims := token.Claims
	if *e.CheckRevokeToken && found.holder.HasUser() {
		// A new hash of the same password must not end what is got from now on.
		claims = e.codec.Bound(claims, found.proof)
	}
	if !*e.RotateRefreshTokens {
		p, err := e.encode(ctx, claims, found.record.Family, false)
		if err == nil {
			e.touch(ctx, &found.record)
		}
		return p, err
	}
	return e.rotate(ctx, token, compact, found, e.codec.Successor(claims, found.record.Family))
}

// touch remembers that a refresh token was used. The answer does not depend on it.
func (e *Endpoint) touch(ctx context.Context, record *tokenstore.Credential) {
	_ = e.store.Touch(ctx, record.Digest, e.now(), time.Time{})
}

// refreshSliding gives a sliding token that lives on under the same jti.
func (e *Endpoint) refreshSliding(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	data, err := drf.Decode(r)
	if err != nil {
		return err
	}
	compact, err := field(data, "token")
	if err != nil {
		return err
	}
	next, err := e.slide(r.Context(), compact)
	if err != nil {
		return e.refused(w, err)
	}
	return drf.Write(w, r, http.StatusOK, drf.Object{{Name: "token", Value: next}})
}

func (e *Endpoint) slide(ctx context.Context, compact string) (string, error) {
	token, err := e.read(ctx, compact, simplejwt.Sliding)
	if err != nil {
		return "", err
	}
	if err := e.codec.CheckRefreshExp(token); err != nil {
		return "", err
	}
	found, err := e.find(ctx, token, slidingDigest(token.Family()))
	if err != nil {
		return "", err
	}
	if found.spent {
		return "", &simplejwt.Error{Message: simplejwt.Blacklisted}
	}
	e.touch(ctx, &found.record)
	return e.codec.Encode(ctx, e.codec.Slid(token.Claims))
}

// slidingDigest is what the store finds a sliding token by, which is another text
// each time and stays in its family.
func slidingDigest(family string) []byte { return issue.Digest("sliding " + family) }

// read returns a token of a type that was not blacklisted, with simplejwt's errors
// in its order.
func (e *Endpoint) read(ctx context.Context, compact, kind string) (*simplejwt.Token, error) {
	token, err := e.codec.Verify(ctx, compact)
	if err != nil {
		return nil, err
	}
	revoked, err := e.codec.Revoked(ctx, token)
	if err != nil {
		return nil, err
	}
	if revoked {
		return nil, &simplejwt.Error{Message: simplejwt.Blacklisted}
	}
	if err := e.codec.Check(token, kind); err != nil {
		return nil, err
	}
	if token.ID() == "" && e.JTIClaim != simplejwt.None {
		return nil, &simplejwt.Error{Message: simplejwt.NoID}
	}
	return token, nil
}

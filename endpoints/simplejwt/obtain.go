// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package simplejwt

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/simplejwt"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/tokenapi"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// obtain issues a pair to whoever's user name and password are in the body.
func (e *Endpoint) obtain(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	if err := e.checkSource(r); err != nil {
		return err
	}
	id, err := e.login(w, r)
	if err != nil {
		return err
	}
	pair, err := e.issuePair(r.Context(), id)
	if err != nil {
		return err
	}
	return e.answerLogin(w, r, id, pair)
}

// obtainSliding issues a sliding token in place of a pair.
func (e *Endpoint) obtainSliding(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	id, err := e.login(w, r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	claims, record, err := e.begin(ctx, simplejwt.Sliding, id)
	if err != nil {
		return err
	}
	compact, err := e.codec.Encode(ctx, claims)
	if err != nil {
		return err
	}
	record.Digest = slidingDigest(record.Family)
	record.Expires = record.Created.Add(time.Duration(e.SlidingTokenRefreshLifetime + e.Leeway))
	if _, err := e.issuer.Record(ctx, record); err != nil {
		return issue.StoreError(err)
	}
	return drf.Write(w, r, http.StatusOK, drf.Object{{Name: "token", Value: compact}})
}

// login returns whose user name and password are in the body. A password is taken
// as it was sent: simplejwt takes blanks off both ends, and lets in who typed
// another one.
func (e *Endpoint) login(w http.ResponseWriter, r *http.Request) (*auth.Identity, error) {
	data, err := drf.Decode(r)
	if err != nil {
		return nil, err
	}
	values, err := data.Read(
		drf.Field{Name: "username", Label: "Username"},
		drf.Field{Name: "password", Label: "Password", KeepSpace: true},
	)
	if err != nil {
		return nil, err
	}
	id, err := e.directory.Authenticate(r.Context(), values.String("username"), values.String("password"))
	if failure, bad := errors.AsType[*auth.Failure](err); bad {
		return nil, e.unauthorized(w, drf.Object{{Name: "detail", Value: noAccountLogin}}, failure)
	}
	if err != nil {
		return nil, err
	}
	return id, tokenapi.CheckHolder(id)
}

// A pair is what a login or a refresh gives, and a sealed reply holds.
type pair struct {
	Access         string `json:"access"`
	AccessExpires  int64  `json:"access_expires"`
	Refresh        string `json:"refresh,omitempty"` // empty: the old one stays
	RefreshExpires int64  `json:"refresh_expires,omitempty"`
}

// issuePair issues a pair, which begins a family.
func (e *Endpoint) issuePair(ctx context.Context, id *auth.Identity) (*pair, error) {
	claims, record, err := e.begin(ctx, simplejwt.Refresh, id)
	if err != nil {
		return nil, err
	}
	p, err := e.encode(ctx, claims, record.Family, true)
	if err != nil {
		return nil, err
	}
	record.Digest = issue.JWTDigest(p.Refresh)
	if _, err := e.issuer.Record(ctx, record); err != nil {
		return nil, issue.StoreError(err)
	}
	return p, nil
}

// begin returns the claims and the record of a token that begins a family, for a
// user who has just given the password.
func (e *Endpoint) begin(ctx context.Context, kind string, id *auth.Identity) (simplejwt.Claims, tokenstore.Credential, error) {
	userID, err := e.codec.UserID(ctx, id)
	if errors.Is(err, simplejwt.ErrNoUser) {
		return nil, tokenstore.Credential{}, issue.StoreError(tokenstore.ErrNotFound)
	}
	if err != nil {
		return nil, tokenstore.Credential{}, err
	}
	now := e.now().UTC().Truncate(time.Microsecond)
	record := tokenstore.Credential{
		Kind:            tokenstore.KindRefresh,
		UserKey:         id.Key,
		Family:          simplejwt.NewFamily(),
		Created:         now,
		Expires:         now.Add(time.Duration(e.RefreshTokenLifetime + e.Leeway)),
		PasswordVersion: users.PasswordVersion(id),
		Data:            proofOf(id),
	}
	return e.codec.New(kind, userID, record.Family, id.Proof), record, nil
}

// proofOf is which password a user has of whom the store knows nothing: a record's
// PasswordVersion is for those of the store.
func proofOf(id *auth.Identity) []byte {
	if id.Source == users.SourceStore {
		return nil
	}
	return []byte(id.Proof)
}

// encode signs an access token for the claims of a refresh token and, if that is a
// new one, the refresh token itself.
func (e *Endpoint) encode(ctx context.Context, refresh simplejwt.Claims, family string, isNew bool) (p *pair, err error) {
	p = new(pair)
	if isNew {
		p.RefreshExpires = e.now().Add(time.Duration(e.RefreshTokenLifetime)).Unix()
		if p.Refresh, err = e.codec.Encode(ctx, refresh); err != nil {
			return nil, err
		}
	}
	p.AccessExpires = e.now().Add(time.Duration(e.AccessTokenLifetime)).Unix()
	if p.Access, err = e.codec.Encode(ctx, e.codec.AccessOf(refresh, family)); err != nil {
		return nil, err
	}
	return p, nil
}

// answerLogin answers a login, as simplejwt does, and as dj-rest-auth where there
// are cookies.
func (e *Endpoint) answerLogin(w http.ResponseWriter, r *http.Request, id *auth.Identity, p *pair) error {
	answer := drf.Object{{Name: "refresh", Value: p.Refresh}, {Name: "access", Value: p.Access}}
	if e.csrf != nil {
		e.setCookies(w, r, p)
		e.csrf.Rotate(w, r)
		answer = drf.Object{{Name: "access", Value: p.Access}, {Name: "refresh", Value: e.shown(p.Refresh)}}
	}
	if len(e.UserSerializer) > 0 {
		answer = append(answer, drf.Member{Name: "user", Value: tokenapi.User(id, e.UserSerializer)})
	}
	if *e.JWTAuthReturnExpiration {
		answer = append(answer,
			drf.Member{Name: "access_expiration", Value: drf.Timestamp(time.Unix(p.AccessExpires, 0))},
			drf.Member{Name: "refresh_expiration", Value: drf.Timestamp(time.Unix(p.RefreshExpires, 0))})
	}
	return drf.Write(w, r, http.StatusOK, answer)
}

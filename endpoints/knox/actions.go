// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package knox

import (
	"errors"
	"net/http"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/tokenapi"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// errLimit is knox's answer, which has no detail.
var errLimit = &drf.Error{
	Status: http.StatusForbidden,
	Body:   drf.Object{{Name: "error", Value: "Maximum amount of tokens allowed per user exceeded."}},
}

// login issues a token to whoever made the request.
func (e *Endpoint) login(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	if err := tokenapi.CheckHolder(id); err != nil {
		return err
	}
	now := e.now().UTC().Truncate(time.Microsecond)
	token := issue.Hex(e.TokenPrefix, e.AuthTokenCharacterLength)
	record, err := e.issuer.Issue(r.Context(), token, tokenstore.Credential{
		Kind:    tokenstore.KindKnox,
		UserKey: id.Key,
		// What is got for a credential may do no more than it.
		ClientID: id.Client,
		Scopes:   id.Scopes,
		Created:  now,
		Expires:  tokenapi.End(now, e.ttl),
		Data:     e.data,
	}, e.TokenLimitPerUser, e.TokenLimit == limitEvict)
	if errors.Is(err, tokenstore.ErrLimit) {
		return errLimit
	}
	if err != nil {
		return issue.StoreError(err)
	}
	answer := drf.Object{
		{Name: "expiry", Value: tokenapi.Expiry(record.Expires, e.ExpiryDatetimeFormat)},
		{Name: "token", Value: token},
	}
	if len(e.UserSerializer) > 0 {
		answer = append(answer, drf.Member{Name: "user", Value: tokenapi.User(id, e.UserSerializer)})
	}
	return drf.Write(w, r, http.StatusOK, answer)
}

// bodyLogin is login for whoever's name and password are in the body.
func (e *Endpoint) bodyLogin(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	data, err := drf.Decode(r)
	if err != nil {
		return err
	}
	id, err := tokenapi.Login(r.Context(), data, e.directory)
	if err != nil {
		return err
	}
	return e.login(w, r, id)
}

// logout ends the token that the request was made with. One that somebody else
// has ended meanwhile is as good as ended.
func (e *Endpoint) logout(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	if _, err := tokenapi.Revoke(r.Context(), e.issuer, tokenstore.KindKnox, id, id.Credential); err != nil {
		return err
	}
	return drf.Write(w, r, http.StatusNoContent, nil)
}

// logoutAll ends all tokens of the user.
func (e *Endpoint) logoutAll(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	if _, err := tokenapi.RevokeAll(r.Context(), e.issuer, tokenstore.KindKnox, id, ""); err != nil {
		return err
	}
	return drf.Write(w, r, http.StatusNoContent, nil)
}

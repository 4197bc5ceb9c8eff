// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package durin

import (
	"net/http"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/durin"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/tokenapi"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// refresh puts the end of the token off that the request was made with.
func (e *Endpoint) refresh(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	page, _, err := e.issuer.Store().List(r.Context(), tokenstore.Filter{ID: id.Credential, Kind: tokenstore.KindDurin}, "", 1)
	if err != nil {
		return &auth.Unavailable{Err: err}
	}
	if id.Credential == "" || len(page) == 0 {
		return errInvalidToken
	}
	record := page[0]
	name, ok := durin.Name(record.ClientID)
	if !ok {
		return errInvalidToken // an operator made it, for no client of durin's
	}
	client, err := e.client(r.Context(), name)
	if err == error(errUnknownClient) {
		return errInvalidToken
	}
	if err != nil {
		return err
	}
	if err := e.extend(r.Context(), &record, client); err != nil {
		return err
	}
	return drf.Write(w, r, http.StatusOK, drf.Object{
		{Name: "expiry", Value: tokenapi.Expiry(record.Expires, e.ExpiryDatetimeFormat)},
	})
}

var errInvalidToken = &auth.Failure{Code: auth.CodeAuthenticationFailed, Detail: "Invalid token."}

// logout ends the token that the request was made with. One that somebody else
// has ended meanwhile is as good as ended.
func (e *Endpoint) logout(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	if _, err := tokenapi.Revoke(r.Context(), e.issuer, tokenstore.KindDurin, id, id.Credential); err != nil {
		return err
	}
	return drf.Write(w, r, http.StatusNoContent, nil)
}

// logoutAll ends all tokens of the user.
func (e *Endpoint) logoutAll(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	if _, err := tokenapi.RevokeAll(r.Context(), e.issuer, tokenstore.KindDurin, id, ""); err != nil {
		return err
	}
	return drf.Write(w, r, http.StatusNoContent, nil)
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package durin

import (
	"context"
	"net/http"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/durin"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/tokenapi"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

var errNoSession = drf.Detail(http.StatusNotFound, "No AuthToken matches the given query.")

// maxListed bounds what is read of the tokens that one user has.
const maxListed = 10_000

// listSessions answers the user's tokens, oldest first.
func (e *Endpoint) listSessions(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	records, err := e.tokens(r.Context(), id, "")
	if err != nil {
		return err
	}
	sessions := []drf.Object{}
	for i := range records {
		if e.hidden(&records[i]) {
			continue
		}
		session := append(drf.Object{{Name: "id", Value: records[i].ID}}, e.describe(&records[i])...)
		last := len(session) - 1
		session = append(session, session[last])
		session[last] = drf.Member{Name: "is_current", Value: records[i].ID == id.Credential}
		sessions = append(sessions, session)
	}
	return drf.Write(w, r, http.StatusOK, sessions)
}

// endSession ends one of the user's tokens, but for the one that was sent.
func (e *Endpoint) endSession(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	handle := r.PathValue("id")
	records, err := e.tokens(r.Context(), id, "")
	if err != nil {
		return err
	}
	for i := range records {
		if records[i].ID != handle || e.hidden(&records[i]) {
			continue
		}
		if handle == id.Credential {
			return &drf.Error{Status: http.StatusBadRequest, Body: []string{
				"Can't delete token if the request is authed with it.Use " + endpoints.Base(r, e.mount) + "logout/ instead.",
			}}
		}
		ended, err := tokenapi.Revoke(r.Context(), e.issuer, tokenstore.KindDurin, id, handle)
		if err != nil {
			return err
		}
		if ended {
			return drf.Write(w, r, http.StatusNoContent, nil)
		}
	}
	return errNoSession
}

// hidden reports whether sessions/ does not show a token.
func (e *Endpoint) hidden(record *tokenstore.Credential) bool {
	return e.APIAccessExcludeFromSessions && record.ClientID == durin.ClientID(e.APIAccessClientName)
}

// tokens returns the tokens that a user has, of one client if that is not empty,
// oldest first.
func (e *Endpoint) tokens(ctx context.Context, id *auth.Identity, clientID string) (records []tokenstore.Credential, err error) {
	if id.Key == "" {
		return nil, nil // nobody's would be everybody's
	}
	filter := tokenstore.Filter{UserKey: id.Key, ClientID: clientID, Kind: tokenstore.KindDurin}
	for cursor := ""; len(records) < maxListed; {
		page, next, err := e.issuer.Store().List(ctx, filter, cursor, tokenstore.MaxPage)
		if err != nil {
			return nil, &auth.Unavailable{Err: err}
		}
		records = append(records, page...)
		if next == "" {
			break
		}
		cursor = next
	}
	return records, nil
}

// describe returns what is told of a token, without a secret.
func (e *Endpoint) describe(record *tokenstore.Credential) drf.Object {
	client, ok := durin.Name(record.ClientID)
	if !ok {
		client = record.ClientID
	}
	lives := "N/A"
	if !record.Expires.IsZero() {
		lives = tokenapi.NaturalDelta(record.Expires.Sub(record.Created))
	}
	return drf.Object{
		{Name: "client", Value: client},
		{Name: "created", Value: drf.Timestamp(record.Created)},
		{Name: "expiry", Value: tokenapi.Expiry(record.Expires, "")},
		{Name: "has_expired", Value: tokenapi.Expired(record.Expires, e.now())},
		{Name: "expires_in_str", Value: lives},
	}
}

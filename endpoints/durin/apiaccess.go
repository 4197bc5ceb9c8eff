// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package durin

import (
	"net/http"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/durin"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/tokenapi"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

var errNoAccess = drf.Detail(http.StatusNotFound, "Not found.")

// apiAccess returns the user's token for the client of apiaccess/, which may have
// ended, or errNoAccess.
func (e *Endpoint) apiAccess(r *http.Request, id *auth.Identity) (*tokenstore.Credential, error) {
	if e.APIAccessClientName == "" {
		return nil, errNoAccess
	}
	records, err := e.tokens(r.Context(), id, durin.ClientID(e.APIAccessClientName))
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, errNoAccess
	}
	// An imported one may stand beside one that was made here.
	newest := &records[len(records)-1]
	for i := range records {
		if !tokenapi.Expired(records[i].Expires, e.now()) {
			newest = &records[i]
		}
	}
	return newest, nil
}

func (e *Endpoint) showAPIAccess(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	record, err := e.apiAccess(r, id)
	if err != nil {
		return err
	}
	answer := e.describe(record)
	if e.APIAccessResponseIncludeToken {
		token, ok, err := e.issuer.Rederive(r.Context(), record)
		if err != nil {
			return &auth.Unavailable{Err: err}
		}
		shown := drf.Member{Name: "token"}
		if ok { // what an import brought is known by its digest alone
			shown.Value = token
		}
		answer = append(answer, shown)
	}
	return drf.Write(w, r, http.StatusOK, answer)
}

// createAPIAccess makes the token, and shows it. One that has ended is no
// obstacle.
func (e *Endpoint) createAPIAccess(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	issued := &drf.Error{Status: http.StatusBadRequest, Body: []string{"An API token was already issued to you."}}
	record, err := e.apiAccess(r, id)
	switch {
	case err == nil && !tokenapi.Expired(record.Expires, e.now()):
		return issued
	case err != nil && err != error(errNoAccess), e.APIAccessClientName == "":
		return err
	}
	if err := tokenapi.CheckHolder(id); err != nil {
		return err
	}
	client, err := e.client(r.Context(), e.APIAccessClientName)
	if err == error(errUnknownClient) {
		e.logger.Warn("there is no API client of the name api_access_client_name", zap.String("client", e.APIAccessClientName))
		return errNoAccess
	}
	if err != nil {
		return err
	}
	token, made, created, err := e.issue(r.Context(), id.Key, e.APIAccessClientName, client)
	if err != nil {
		return err
	}
	if !created {
		return issued
	}
	return drf.Write(w, r, http.StatusCreated, append(e.describe(&made), drf.Member{Name: "token", Value: token}))
}

func (e *Endpoint) deleteAPIAccess(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	if e.APIAccessClientName == "" {
		return errNoAccess
	}
	ended, err := tokenapi.RevokeAll(r.Context(), e.issuer, tokenstore.KindDurin, id, durin.ClientID(e.APIAccessClientName))
	if err != nil {
		return err
	}
	if !ended {
		return errNoAccess
	}
	return drf.Write(w, r, http.StatusNoContent, nil)
}

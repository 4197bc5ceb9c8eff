// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokens

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// pageSize is how many tokens one answer lists, unless the caller asks for less.
const pageSize = 100

// errNotFound is the answer for a token that is not there or is another user's.
var errNotFound = drf.Detail(http.StatusNotFound, "Not found.")

// list answers with a page of the caller's tokens, oldest first, expired ones
// included.
func (e *Endpoint) list(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	if err := mayOwn(id); err != nil {
		return err
	}
	query := r.URL.Query()
	size := pageSize
	if asked := query.Get("limit"); asked != "" {
		n, err := strconv.Atoi(asked)
		if err != nil || n < 1 || n > pageSize {
			return drf.FieldErrors("limit", "Ensure this value is between 1 and "+strconv.Itoa(pageSize)+".")
		}
		size = n
	}
	page, next, err := e.issuer.Store().List(r.Context(), mine(id), query.Get("cursor"), size)
	if errors.Is(err, tokenstore.ErrCursor) {
		return drf.FieldErrors("cursor", "This is not a cursor of this list.")
	}
	if err != nil {
		return &auth.Unavailable{Err: err}
	}
	results := make([]drf.Object, len(page))
	for i := range page {
		results[i] = describe(&page[i], id)
	}
	answer := drf.Object{{Name: "next", Value: nil}, {Name: "results", Value: results}}
	if next != "" {
		answer[0].Value = e.at.Origin + endpoints.Base(r, e.at) + "?" + url.Values{"cursor": {next}, "limit": {strconv.Itoa(size)}}.Encode()
	}
	return drf.Write(w, r, http.StatusOK, answer)
}

// show answers with one token.
func (e *Endpoint) show(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	record, err := e.find(r.Context(), e.issuer.Store(), r.PathValue("handle"), id)
	if err != nil {
		return err
	}
	return drf.Write(w, r, http.StatusOK, describe(&record, id))
}

// revoke ends one token at once.
func (e *Endpoint) revoke(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	if err := e.revokeOne(r.Context(), r.PathValue("handle"), id); err != nil {
		return err
	}
	return drf.Write(w, r, http.StatusNoContent, nil)
}

func (e *Endpoint) revokeOne(ctx context.Context, handle string, id *auth.Identity) error {
	record, err := e.find(ctx, e.issuer.Store(), handle, id)
	if err != nil {
		return err
	}
	filter := mine(id)
	filter.ID = record.ID
	gone, err := e.issuer.Store().Delete(ctx, filter)
	if err != nil {
		return &auth.Unavailable{Err: err}
	}
	if gone > 0 {
		e.logger.Info("token revoked", fields(&record, id)...)
	}
	return nil
}

// revokeAll ends all of the caller's tokens at once.
func (e *Endpoint) revokeAll(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	if err := e.revokeEvery(r.Context(), id); err != nil {
		return err
	}
	return drf.Write(w, r, http.StatusNoContent, nil)
}

func (e *Endpoint) revokeEvery(ctx context.Context, id *auth.Identity) error {
	if err := mayOwn(id); err != nil {
		return err
	}
	gone, err := e.issuer.Store().Delete(ctx, mine(id))
	if err != nil {
		return &auth.Unavailable{Err: err}
	}
	e.logger.Info("tokens revoked", zap.String("user", id.ID), zap.String("user_key", id.Key), zap.String("by", id.Method), zap.Int("revoked", gone))
	return nil
}

// find returns one of the caller's tokens.
func (e *Endpoint) find(ctx context.Context, store tokenstore.Store, handle string, id *auth.Identity) (tokenstore.Credential, error) {
	none := tokenstore.Credential{}
	if err := mayOwn(id); err != nil {
		return none, err
	}
	// No handle is that long, and a store may not take every byte.
	if len(handle) > 64 || !isScope(handle) {
		return none, errNotFound
	}
	filter := mine(id)
	filter.ID = handle
	page, _, err := store.List(ctx, filter, "", 1)
	if err != nil {
		return none, &auth.Unavailable{Err: err}
	}
	if len(page) == 0 {
		return none, errNotFound
	}
	return page[0], nil
}

// mine selects the caller's tokens.
func mine(id *auth.Identity) tokenstore.Filter {
	return tokenstore.Filter{UserKey: id.Key, Kind: kind}
}

// location is where a token is.
func (e *Endpoint) location(r *http.Request, handle string) string {
	return e.at.Origin + endpoints.Base(r, e.at) + handle + "/"
}

// describe is what is said of a token: everything but the secret, which nobody
// knows any more.
func describe(record *tokenstore.Credential, id *auth.Identity) drf.Object {
	scopes := record.Scopes
	if scopes == nil {
		scopes = []string{}
	}
	return drf.Object{
		{Name: "handle", Value: record.ID},
		{Name: "label", Value: record.Label},
		{Name: "scopes", Value: scopes},
		{Name: "created", Value: drf.Timestamp(record.Created)},
		{Name: "expires", Value: orNull(record.Expires)},
		{Name: "last_used", Value: orNull(record.LastUsed)},
		{Name: "current", Value: record.ID == id.Credential},
	}
}

func orNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return drf.Timestamp(t)
}

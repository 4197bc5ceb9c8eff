// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package durin

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/durin"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/tokenapi"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

var (
	errNoClient      = drf.Detail(http.StatusBadRequest, "No client specified.")
	errUnknownClient = drf.Detail(http.StatusBadRequest, "No client with that name.")
)

// login answers the one token that a user has for a client. Who logs in is
// judged before the client is.
func (e *Endpoint) login(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	ctx := r.Context()
	data, err := drf.Decode(r)
	if err != nil {
		return err
	}
	id, err := tokenapi.Login(ctx, data, e.directory)
	if err != nil {
		return err
	}
	name, err := clientName(data)
	if err != nil {
		return err
	}
	client, err := e.client(ctx, name)
	if err != nil {
		return err
	}
	token, record, made, err := e.issue(ctx, id.Key, name, client)
	if err != nil {
		return err
	}
	if !made && e.RefreshTokenOnLogin {
		if err := e.extend(ctx, &record, client); err != nil {
			return err
		}
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

// clientName reads the field client, which no serializer validates: whatever
// cannot be a name is the name of no client.
func clientName(data *drf.Data) (string, error) {
	field := drf.Field{Name: "client", Optional: true, AllowNull: true, AllowBlank: true, KeepSpace: true}
	if data.Falsy(field.Name) {
		return "", errNoClient
	}
	values, err := data.Read(field)
	if err != nil {
		return "", errUnknownClient
	}
	name := values.String(field.Name)
	if name == "" || utf8.RuneCountInString(name) > durin.MaxName || !utf8.ValidString(name) || strings.Contains(name, "\x00") {
		return "", errUnknownClient
	}
	return name, nil
}

// client returns the client of that name, or a *drf.Error if there is none.
func (e *Endpoint) client(ctx context.Context, name string) (durin.Client, error) {
	stored, err := e.issuer.Store().Client(ctx, durin.ClientID(name))
	if errors.Is(err, tokenstore.ErrNotFound) {
		return durin.Client{}, errUnknownClient
	}
	if err != nil {
		return durin.Client{}, &auth.Unavailable{Err: err}
	}
	client, err := durin.Decode(stored.Data)
	if err != nil {
		return durin.Client{}, &auth.Unavailable{Err: err}
	}
	return client, nil
}

// issue returns the token of a user for a client, and whether it was made now.
func (e *Endpoint) issue(ctx context.Context, userKey, name string, client durin.Client) (token string, record tokenstore.Credential, made bool, err error) {
	now := e.now().UTC().Truncate(time.Microsecond)
	token, record, made, err = e.issuer.Derived(ctx, tokenstore.Credential{
		Kind:     tokenstore.KindDurin,
		UserKey:  userKey,
		ClientID: durin.ClientID(name),
		Created:  now,
		Expires:  tokenapi.End(now, client.TokenTTL),
	}, "", e.TokenCharacterLength)
	if err != nil {
		return "", record, false, issue.StoreError(err)
	}
	if !made {
		return token, record, false, nil
	}
	// Deleting a client ends the tokens that it has, and this may be one more.
	if _, err := e.client(ctx, name); err != nil {
		if _, failed := e.issuer.Store().Delete(ctx, tokenstore.Filter{ID: record.ID}); failed != nil {
			err = &auth.Unavailable{Err: failed}
		}
		return "", record, false, err
	}
	return token, record, true, nil
}

// extend puts the end of a token off to the client's lifetime from now on. It
// is never put forward: other requests may have been told of it.
func (e *Endpoint) extend(ctx context.Context, record *tokenstore.Credential, client durin.Client) error {
	now := e.now()
	later := tokenapi.End(now, client.TokenTTL)
	if record.Expires.IsZero() || !later.After(record.Expires) {
		return nil
	}
	if err := tokenstore.Extend(ctx, e.issuer.Store(), record.Digest, now, later); err != nil {
		return &auth.Unavailable{Err: err}
	}
	record.Expires = later
	return nil
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"errors"
	"fmt"
	"net/http"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/oidclogin"
)

// backchannelLogout ends the sessions of which a provider says that they are
// over there (OpenID Connect Back-Channel Logout section 2.5). It is answered 200
// once the store has said that they are gone.
func (e *Endpoint) backchannelLogout(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	p := e.provider(r.PathValue("provider"))
	if p == nil {
		return errNotFound
	}
	data, err := drf.Decode(r)
	if err != nil {
		return err
	}
	token, ok := data.Form("logout_token")
	if !ok {
		return badLogout("logout_token is missing", errors.New("no logout token was sent"))
	}
	ctx := r.Context()
	logout, err := p.Logout(ctx, token)
	if refusedBy, ok := errors.AsType[*oidclogin.RefusedError](err); ok {
		return badLogout("logout_token is invalid", refusedBy.Err)
	}
	if err != nil {
		return err
	}
	key := "oidc-logout:" + sessionsKey(logout)
	known, err := e.store.Known(ctx, key)
	if err != nil {
		return &auth.Unavailable{Err: fmt.Errorf("looking up a logout token: %w", err)}
	}
	if known {
		return badLogout("logout_token was used", errors.New("the logout token was used already"))
	}
	ended, err := e.sessions.EndLogins(ctx, logout.Issuer, logout.Subject, logout.SID)
	if err != nil {
		return err
	}
	// Remembered last: a provider that was told of an error sends it again, and
	// then it has to have an effect.
	if _, err := e.store.Remember(ctx, key, logout.Until); err != nil {
		return &auth.Unavailable{Err: fmt.Errorf("remembering a logout token: %w", err)}
	}
	e.logger.Info("logged out at the provider", zap.String("provider", p.Name), zap.Int("ended", ended))
	w.WriteHeader(http.StatusOK)
	return nil
}

// badLogout answers as the specification says in section 2.8.
func badLogout(description string, cause error) error {
	return endpoints.Failed(&drf.Error{Status: http.StatusBadRequest, Body: drf.Object{
		{Name: "error", Value: "invalid_request"}, {Name: "error_description", Value: description},
	}}, &auth.Failure{Code: "invalid_request", Detail: description, Err: cause})
}

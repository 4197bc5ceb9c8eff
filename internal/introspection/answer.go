// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package introspection

import (
	"errors"
	"fmt"
	"mime"
	"net/http"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

var (
	errSigned = errors.New("the answer is a signed one of RFC 9701, which is not supported: have the server answer application/json")
	errActive = errors.New("the answer does not say whether the token is active by true or false")
)

// read judges an answer. The fault is nil if the server is in order, though it
// may not vouch for the token.
func read(response outbound.Response) (*jose.Token, *fault, error) {
	switch response.Status {
	case http.StatusOK:
	case http.StatusBadRequest:
		fault, err := rejected(response)
		return nil, fault, err
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, &fault{}, fmt.Errorf("the introspection endpoint refused the credentials of this server (status %d)", response.Status)
	default:
		return nil, &fault{retryAfter(response.Header)}, fmt.Errorf("the introspection endpoint answered with status %d", response.Status)
	}
	switch kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type")); {
	case kind == "application/token-introspection+jwt":
		return nil, &fault{}, errSigned
	case err != nil, kind != "application/json":
		return nil, &fault{}, fmt.Errorf("the introspection endpoint answered with something else than application/json, %.100q", kind)
	}
	claims, err := jose.ParseClaims(response.Body)
	if err != nil {
		return nil, nil, fmt.Errorf("the answer of the introspection endpoint: %w", err)
	}
	switch string(claims.Raw("active")) {
	case "true":
		return claims, nil, nil
	case "false":
		return nil, nil, ErrInactive
	}
	return nil, nil, errActive
}

// rejected tells what 400 means. A server that does not understand a token may
// say so in place of calling it inactive (RFC 7662 section 2.2 has the latter):
// that is the client's matter, and must not become 503. Only a complaint of who
// asks is ours.
func rejected(response outbound.Response) (*fault, error) {
	const status = "the introspection endpoint answered with status 400"
	claims, err := jose.ParseClaims(response.Body)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrInactive, status)
	}
	code, _, _ := claims.String("error")
	switch code {
	case "invalid_client", "unauthorized_client", "unsupported_grant_type", "access_denied":
		return &fault{}, fmt.Errorf("%s (%s): it refused the credentials of this server", status, code)
	}
	return nil, fmt.Errorf("%w: %s, %.60q", ErrInactive, status, code)
}

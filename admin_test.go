// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// TestAdminWithoutApp answers for a Caddy whose configuration has no rest_auth:
// the module is there, and what it manages is not.
func TestAdminWithoutApp(t *testing.T) {
	routes := adminAPI{}.Routes()
	if len(routes) != 1 || routes[0].Pattern != "/rest_auth/" {
		t.Fatalf("routes = %+v", routes)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/rest_auth/users", nil)
	err := routes[0].Handler.ServeHTTP(httptest.NewRecorder(), r)
	refusal := caddy.APIError{}
	if !errors.As(err, &refusal) || refusal.HTTPStatus != http.StatusNotFound || refusal.Message == "" {
		t.Errorf("GET /rest_auth/users = %v, want an APIError with status 404", err)
	}
}

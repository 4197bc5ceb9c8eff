// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// namesake is a plugin's handler whose name ends as that of one of Caddy's.
type namesake struct{ ran bool }

func (*namesake) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.test.rewrite", New: func() caddy.Module { return new(namesake) }}
}

func (n *namesake) ServeHTTP(http.ResponseWriter, *http.Request, caddyhttp.Handler) error {
	n.ran = true
	return nil
}

func TestStandIn_namesake(t *testing.T) {
	e := &explainer{report: new(explanation)}
	real := new(namesake)
	handler, err := e.standIn(real, place{"route 0"})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if err := handler.ServeHTTP(httptest.NewRecorder(), r, nothing); err != nil || real.ran || len(e.report.Notes) != 1 {
		t.Errorf("ran: %t, notes %q, %v", real.ran, e.report.Notes, err)
	}
}

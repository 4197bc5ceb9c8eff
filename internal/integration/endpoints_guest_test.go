// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
)

func init() {
	caddy.RegisterModule(new(testAPI))
	caddy.RegisterModule(new(testOther))
}

// testAPI answers what it was asked, and fails as its path says.
type testAPI struct {
	Word   string   `json:"word,omitempty"`
	Words  []string `json:"words,omitempty"`
	Nested string   `json:"nested,omitempty"`
	at     endpoints.Mount
}

func (*testAPI) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "rest_auth.endpoints.test_api", New: func() caddy.Module { return new(testAPI) }}
}

func (a *testAPI) Mount(at endpoints.Mount) error {
	a.at = at
	if at.Path == "/refused/" {
		return errors.New("not here")
	}
	return nil
}

func (a *testAPI) Routes() []endpoints.Route {
	tokenOnly := []json.RawMessage{[]byte(`{"authenticator":"token"}`)}
	authenticated := []json.RawMessage{[]byte(`{"permission":"authenticated"}`)}
	basic := []json.RawMessage{[]byte(`{"authenticator":"basic"}`)}
	return []endpoints.Route{
		{Path: "", Name: "Root", Actions: map[string]endpoints.Action{http.MethodPost: a.show}},
		{
			Path: "open/", Name: "Open", Actions: map[string]endpoints.Action{http.MethodGet: a.show, http.MethodPost: a.show},
			Access: endpoints.Access{Authenticators: basic},
		},
		{
			Path: "login/", Name: "Login", Actions: map[string]endpoints.Action{http.MethodPost: a.show},
			Access: endpoints.Access{Authenticators: basic, Permissions: authenticated},
		},
		{
			Path: "logout/", Name: "Logout", Actions: map[string]endpoints.Action{http.MethodPost: a.show},
			Access: endpoints.Access{Authenticators: tokenOnly, Permissions: authenticated, Fixed: true},
		},
		{
			Path: "site/", Name: "Site", Actions: map[string]endpoints.Action{http.MethodGet: a.show},
			Access: endpoints.Access{SiteDefaults: true, Permissions: authenticated},
		},
		{Path: "page/", Name: "Page", Pages: true, Actions: map[string]endpoints.Action{http.MethodGet: a.show}},
		{Path: "things/{id}/", Name: "Thing", Actions: map[string]endpoints.Action{http.MethodGet: a.show, http.MethodDelete: a.show}},
		{Path: "things/all/", Name: "All", Actions: map[string]endpoints.Action{http.MethodGet: a.show}},
		{Path: "fails/{how}/", Name: "Fails", Actions: map[string]endpoints.Action{http.MethodGet: a.fail}},
	}
}

func (a *testAPI) show(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	return drf.Write(w, r, http.StatusOK, drf.Object{
		{Name: "user", Value: id.ID},
		{Name: "method", Value: r.Method},
		{Name: "id", Value: r.PathValue("id")},
		{Name: "base", Value: endpoints.Base(r, a.at)},
		{Name: "origin", Value: a.at.Origin},
	})
}

func (*testAPI) fail(_ http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	switch r.PathValue("how") {
	case "invalid":
		return drf.NonField("No.")
	case "failure":
		return &auth.Failure{Detail: "Bad."}
	case "denial":
		return &auth.Denial{Detail: "Denied."}
	case "throttled":
		return &auth.Throttled{Wait: 1}
	case "unavailable":
		return &auth.Unavailable{RetryAfter: 7e9, Err: io.ErrUnexpectedEOF}
	}
	return errors.New("unforeseen")
}

func (a *testAPI) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	a.Words = d.RemainingArgs()
	for d.NextBlock(0) {
		switch d.Val() {
		case "word":
			if !d.AllArgs(&a.Word) {
				return d.ArgErr()
			}
		case "nested":
			for nesting := d.Nesting(); d.NextBlock(nesting); {
				a.Nested += d.Val()
				if d.NextArg() {
					return d.ArgErr()
				}
			}
		default:
			return d.Errf("unrecognized subdirective '%s'", d.Val())
		}
	}
	return nil
}

// testOther owns one path.
type testOther struct{}

func (*testOther) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "rest_auth.endpoints.test_other", New: func() caddy.Module { return new(testOther) }}
}

func (*testOther) Routes() []endpoints.Route {
	return []endpoints.Route{{Path: "things/some/", Actions: map[string]endpoints.Action{}}}
}

func (*testOther) UnmarshalCaddyfile(d *caddyfile.Dispenser) error { return noArgs(d) }

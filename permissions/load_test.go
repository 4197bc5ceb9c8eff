// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// host loads one permission from JSON as the handler does.
type host struct {
	Raw json.RawMessage `caddy:"namespace=rest_auth.permissions inline_key=permission"`
}

func load(tb testing.TB, raw string) (auth.Permission, error) {
	tb.Helper()
	ctx, cancel := caddy.NewContext(caddy.Context{Context: tb.Context()})
	tb.Cleanup(cancel)
	module, err := ctx.LoadModule(&host{Raw: json.RawMessage(raw)}, "Raw")
	if err != nil {
		return nil, err
	}
	return module.(auth.Permission), nil
}

func mustLoad(tb testing.TB, raw string) auth.Permission {
	tb.Helper()
	permission, err := load(tb, raw)
	if err != nil {
		tb.Fatalf("loading %s: %v", raw, err)
	}
	return permission
}

// adapt parses what follows `require`.
func adapt(input string) (string, error) {
	tokens, err := caddyfile.Tokenize([]byte(input), "Caddyfile")
	if err != nil {
		return "", err
	}
	d := caddyfile.NewDispenser(tokens)
	d.Next()
	raw, err := ParseCaddyfile(d)
	return string(raw), err
}

// mustParse returns the permission that is written in a Caddyfile.
func mustParse(tb testing.TB, input string) auth.Permission {
	tb.Helper()
	raw, err := adapt(input)
	if err != nil {
		tb.Fatalf("adapting %q: %v", input, err)
	}
	return mustLoad(tb, raw)
}

// request returns a request as Caddy's server prepares it.
func request(tb testing.TB, method, target string) *http.Request {
	tb.Helper()
	r := httptest.NewRequestWithContext(tb.Context(), method, target, nil)
	return caddyhttp.PrepareRequest(r, caddy.NewReplacer(), httptest.NewRecorder(), &caddyhttp.Server{})
}

func allow(tb testing.TB, p auth.Permission, method string, id *auth.Identity) bool {
	tb.Helper()
	allowed, err := p.Allow(request(tb, method, "/"), id)
	if err != nil {
		tb.Fatalf("Allow(%s) = %v, %v", method, allowed, err)
	}
	return allowed
}

// The identities that the tests speak of.
var people = map[string]*auth.Identity{
	"anon":      auth.Anonymous,
	"plain":     {ID: "alice", Method: "token"},
	"staff":     {ID: "bob", Method: "token", Staff: true},
	"superuser": {ID: "carol", Method: "session", Superuser: true},
	"both":      {ID: "dave", Method: "basic", Staff: true, Superuser: true},
	"machine":   {Method: "oauth2", Client: "robot", Scopes: []string{"read"}},
}

// Permissions that stand for those of third parties.
type (
	broken   struct{ Refusal }
	wrapper  struct{ Refusal }
	stranger struct{}
)

var errBroken = errors.New("the directory does not answer")

func init() {
	caddy.RegisterModule(new(broken))
	caddy.RegisterModule(new(wrapper))
	caddy.RegisterModule(new(stranger))
}

func (*broken) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: namespace + ".test_broken", New: func() caddy.Module { return new(broken) }}
}

// Allow reports true beside its error, since nobody may go by that.
func (*broken) Allow(*http.Request, *auth.Identity) (bool, error) { return true, errBroken }

func (p *broken) UnmarshalCaddyfile(d *caddyfile.Dispenser) error { return p.parseWord(d) }

func (*wrapper) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: namespace + ".test_wrapper", New: func() caddy.Module { return new(wrapper) }}
}

func (*wrapper) Allow(*http.Request, *auth.Identity) (bool, error) { return true, nil }

func (*wrapper) WrapResponse(w http.ResponseWriter, _ *http.Request, _ *auth.Identity) http.ResponseWriter {
	w.Header().Add("Wrapped", "yes")
	return w
}

func (p *wrapper) UnmarshalCaddyfile(d *caddyfile.Dispenser) error { return p.parseWord(d) }

func (*stranger) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: namespace + ".test_stranger", New: func() caddy.Module { return new(stranger) }}
}

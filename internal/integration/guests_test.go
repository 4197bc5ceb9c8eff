// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"errors"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

func init() {
	caddy.RegisterModule(new(testSilent))
	caddy.RegisterModule(new(testFailing))
	caddy.RegisterModule(new(testForeign))
	caddy.RegisterModule(new(testBroken))
}

// testSilent has no challenge and never finds credentials, as a session
// without a cookie.
type testSilent struct{}

func (*testSilent) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "rest_auth.authenticators.test_silent", New: func() caddy.Module { return new(testSilent) }}
}

func (*testSilent) UserSource() auth.Source { return auth.Local }

func (*testSilent) Authenticate(*http.Request) (*auth.Identity, error) {
	return nil, auth.ErrNoCredentials
}

func (*testSilent) UnmarshalCaddyfile(d *caddyfile.Dispenser) error { return noArgs(d) }

// testFailing has no challenge and refuses every request.
type testFailing struct{}

func (*testFailing) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "rest_auth.authenticators.test_failing", New: func() caddy.Module { return new(testFailing) }}
}

func (*testFailing) UserSource() auth.Source { return auth.Local }

func (*testFailing) Authenticate(*http.Request) (*auth.Identity, error) {
	return nil, &auth.Failure{Detail: "always failing"}
}

func (*testFailing) UnmarshalCaddyfile(d *caddyfile.Dispenser) error { return noArgs(d) }

// testForeign brings whom a header names, from a source of its own. Whatever
// the header holds becomes the ID: only a test may be so trusting.
type testForeign struct {
	auth.UserPrefix
	Claims string `json:"claims,omitempty"`
}

func (*testForeign) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "rest_auth.authenticators.test_foreign", New: func() caddy.Module { return new(testForeign) }}
}

func (f *testForeign) UserSource() auth.Source { return f.Source("https://issuer.example") }

func (f *testForeign) Authenticate(r *http.Request) (*auth.Identity, error) {
	name := r.Header.Get("X-Foreign")
	if name == "" {
		return nil, auth.ErrNoCredentials
	}
	return &auth.Identity{
		ID: name, Key: "https://issuer.example|" + name, Source: "https://issuer.example",
		Groups: []string{name}, Claims: []byte(f.Claims),
	}, nil
}

func (f *testForeign) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	for d.NextBlock(0) {
		switch d.Val() {
		case "user_prefix":
			if !d.AllArgs(&f.UserPrefix.UserPrefix) {
				return d.ArgErr()
			}
		case "claims":
			if !d.AllArgs(&f.Claims) {
				return d.ArgErr()
			}
		default:
			return d.Errf("unrecognized subdirective '%s'", d.Val())
		}
	}
	return nil
}

// testBroken cannot tell.
type testBroken struct{}

func (*testBroken) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "rest_auth.authenticators.test_broken", New: func() caddy.Module { return new(testBroken) }}
}

func (*testBroken) UserSource() auth.Source { return auth.Local }

func (*testBroken) Authenticate(*http.Request) (*auth.Identity, error) {
	return nil, errors.New("out of order")
}

func (*testBroken) Challenge(*http.Request, error) string { return "Broken" }

func (*testBroken) UnmarshalCaddyfile(d *caddyfile.Dispenser) error { return noArgs(d) }

func noArgs(d *caddyfile.Dispenser) error {
	d.Next()
	if d.NextArg() {
		return d.ArgErr()
	}
	return nil
}

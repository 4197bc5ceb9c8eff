// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"net/http"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp/caddyauth"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const benchmarkToken = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"

// BenchmarkToken_CacheKey is what a remembered token costs on each request
// before the cache hashes it.
func BenchmarkToken_CacheKey(b *testing.B) {
	token, r := &Token{Keyword: "Token"}, with("Token "+benchmarkToken)
	b.ReportAllocs()
	for b.Loop() {
		token.CacheKey(r)
	}
}

// BenchmarkToken_Authenticate is a token that is seen for the first time, or
// again after a minute, with a store that costs next to nothing.
func BenchmarkToken_Authenticate(b *testing.B) {
	ctx, app := newApp(b)
	user := addUser(b, app.store, tokenstore.User{Name: "alice", Active: true, Groups: []string{"editors"}})
	addToken(b, app.store, benchmarkToken, tokenstore.Credential{UserKey: user.Key})
	token := mustLoad[*Token](b, ctx, "token", `{}`)
	token.now = func() time.Time { return tokenNow }
	r := with("Token " + benchmarkToken)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := token.Authenticate(r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkToken_none is what the authenticator adds to a request that it has
// nothing to do with.
func BenchmarkToken_none(b *testing.B) {
	token, r := &Token{Keyword: "Token"}, with("Bearer "+benchmarkToken)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = token.Authenticate(r)
	}
}

// BenchmarkProvider_Authenticate is what hosting a provider costs beside the
// provider itself, which is asked on every request.
func BenchmarkProvider_Authenticate(b *testing.B) {
	p := hosting(func(http.ResponseWriter, *http.Request) (caddyauth.User, bool, error) {
		return caddyauth.User{ID: "alice"}, true, nil
	})
	r := with("Bearer " + benchmarkToken)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Authenticate(r); err != nil {
			b.Fatal(err)
		}
	}
}

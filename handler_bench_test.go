// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// BenchmarkHandler_tokenHit is the usual request of an API: a token that was
// seen before, and one permission.
func BenchmarkHandler_tokenHit(b *testing.B) {
	benchmarkHandler(b, "authenticated", "Token "+benchToken, http.StatusOK)
}

// BenchmarkHandler_401 is a client that has not logged in.
func BenchmarkHandler_401(b *testing.B) {
	benchmarkHandler(b, "authenticated", "", http.StatusUnauthorized)
}

// BenchmarkHandler_403 is a known client where only staff may go.
func BenchmarkHandler_403(b *testing.B) {
	benchmarkHandler(b, "staff", "Token "+benchToken, http.StatusForbidden)
}

const benchToken = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"

// benchRequests is how many requests are made ready at a time. Each serves
// once, since a handler leaves its state in a request.
const benchRequests = 1024

// benchmarkHandler measures Handler.ServeHTTP alone: what Caddy does for every
// request, its variables and its replacer, is not in the figures.
func benchmarkHandler(b *testing.B, permission, authorization string, status int) {
	benchmarkRequests(b, benchHandler(b, `"memory", "name": "`+b.Name()+`"`, permission, ""), authorization, status)
}

func benchmarkRequests(b *testing.B, handler *Handler, authorization string, status int) {
	plain := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/", nil)
	if authorization != "" {
		plain.Header.Set("Authorization", authorization)
	}
	benchmarkRequest(b, handler, plain, status)
}

// benchmarkRequest has the handler serve copies of the request.
func benchmarkRequest(b *testing.B, handler *Handler, plain *http.Request, status int) {
	next := caddyhttp.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusOK)
		return nil
	})
	w := &benchWriter{header: make(http.Header)}
	serve := func(r *http.Request) {
		w.status = 0
		clear(w.header)
		if err := handler.ServeHTTP(w, r, next); err != nil || w.status != status {
			b.Fatalf("ServeHTTP = %v with status %d, want status %d", err, w.status, status)
		}
	}
	plain.Header.Set("Accept", "*/*")
	plain.Header.Set("User-Agent", "benchmark")
	serve(prepared(plain)) // so that the cache remembers

	var ready [benchRequests]*http.Request
	at := len(ready)
	b.ReportAllocs()
	for b.Loop() {
		if at == len(ready) {
			b.StopTimer()
			for i := range ready {
				ready[i] = prepared(plain)
			}
			at = 0
			b.StartTimer()
		}
		serve(ready[at])
		at++
	}
}

// benchHandler provisions a handler as Caddy does, with a store that holds the
// token of a user who is not staff. Driver and lines are parts of JSON objects.
func benchHandler(b *testing.B, driver, permission, lines string) *Handler {
	b.Helper()
	persist := false
	err := caddy.Run(&caddy.Config{
		Admin:   &caddy.AdminConfig{Disabled: true, Config: &caddy.ConfigSettings{Persist: &persist}},
		Logging: &caddy.Logging{Logs: map[string]*caddy.CustomLog{"default": {BaseLog: caddy.BaseLog{Level: "ERROR"}}}},
		AppsRaw: caddy.ModuleMap{"rest_auth": json.RawMessage(`{"store": {"driver": ` + driver + `}}`)},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			b.Error(err)
		}
	})
	ctx := caddy.ActiveContext()
	handler, err := ctx.LoadModuleByID("http.handlers.rest_auth", json.RawMessage(`{
		"authenticators": [{"authenticator": "token"}],
		"permissions": [{"permission": "`+permission+`"}]`+lines+`
	}`))
	if err != nil {
		b.Fatal(err)
	}
	app, err := appFromContext(ctx)
	if err != nil {
		b.Fatal(err)
	}
	store := app.TokenStore()
	user, err := store.PutUser(b.Context(), tokenstore.User{Name: "alice", Active: true, Groups: []string{"readers"}})
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte(benchToken))
	err = store.Create(b.Context(), tokenstore.Credential{
		ID: tokenstore.NewCredentialID(), Kind: tokenstore.KindToken,
		Digest: digest[:], UserKey: user.Key, Created: time.Now(),
	}, 0, false)
	if err != nil {
		b.Fatal(err)
	}
	return handler.(*Handler)
}

// prepared returns the request as Caddy's server hands it to the first handler.
func prepared(plain *http.Request) *http.Request {
	r := plain.WithContext(plain.Context())
	return caddyhttp.PrepareRequest(r, caddy.NewReplacer(), nil, &caddyhttp.Server{})
}

// benchWriter keeps the status and drops the body.
type benchWriter struct {
	header http.Header
	status int
}

func (w *benchWriter) Header() http.Header         { return w.header }
func (w *benchWriter) WriteHeader(status int)      { w.status = status }
func (w *benchWriter) Write(b []byte) (int, error) { return len(b), nil }

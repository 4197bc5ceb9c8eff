// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/knox"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// BenchmarkKnox_hit is a token that was seen before, and that each use would put
// the end of off. The same with a plain one is BenchmarkHandler_tokenHit.
func BenchmarkKnox_hit(b *testing.B) {
	handler := benchHandler(b, `"memory", "name": "`+b.Name()+`"`, "authenticated", "")
	app, err := appFromContext(caddy.ActiveContext())
	if err != nil {
		b.Fatal(err)
	}
	user, err := app.store.UserByName(b.Context(), "alice")
	if err != nil {
		b.Fatal(err)
	}
	token := strings.Repeat("0123456789abcdef", 4)
	digest := sha256.Sum256([]byte(token))
	if err := app.store.Create(b.Context(), tokenstore.Credential{
		ID: tokenstore.NewCredentialID(), Kind: tokenstore.KindKnox, Digest: digest[:], UserKey: user.Key,
		Created: time.Now(), Expires: time.Now().Add(10 * time.Hour),
		Data: knox.Encode(knox.Refresh{TTL: 10 * time.Hour, MinInterval: time.Minute}),
	}, 0, false); err != nil {
		b.Fatal(err)
	}
	benchmarkRequests(b, handler, "Token "+token, http.StatusOK)
}

// BenchmarkKnox_login issues tokens into a SQLite file to 64 clients at once, who
// are known by a credential that costs no hash.
func BenchmarkKnox_login(b *testing.B) {
	path := filepath.Join(b.TempDir(), "rest_auth.db")
	benchHandler(b, `"sqlite", "path": `+strconv.Quote(path), "authenticated", "")
	loaded, err := caddy.ActiveContext().LoadModuleByID("http.handlers.rest_auth_endpoints", json.RawMessage(
		`{"mounts": [{"path": "/api/auth/", "api": {"endpoint": "knox"}, "authenticators": [{"authenticator": "token"}]}]}`))
	if err != nil {
		b.Fatal(err)
	}
	endpoints := loaded.(caddyhttp.MiddlewareHandler)
	next := caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return nil })
	plain := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/api/auth/login/", nil)
	plain.Header.Set("Authorization", "Token "+benchToken)
	b.SetParallelism(max(64/runtime.GOMAXPROCS(0), 1))
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		w := &benchWriter{header: make(http.Header)}
		for pb.Next() {
			clear(w.header)
			if err := endpoints.ServeHTTP(w, prepared(plain), next); err != nil || w.status != http.StatusOK {
				b.Errorf("ServeHTTP = %v with status %d", err, w.status)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "logins/s")
}

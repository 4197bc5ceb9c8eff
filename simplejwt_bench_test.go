// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
)

// benchSecret is a project's SECRET_KEY.
const benchSecret = "b3nch-k3y-0f-a-pr0ject-v2qr7tw5yu1io4pa6sd9fg0hj8kl"

// BenchmarkSimpleJWT_hit is an access token that was seen before, beside
// BenchmarkJWT_hit.
func BenchmarkSimpleJWT_hit(b *testing.B) {
	benchHandler(b, `"memory", "name": "`+b.Name()+`"`, "authenticated", "")
	handler, err := caddy.ActiveContext().LoadModuleByID("http.handlers.rest_auth", json.RawMessage(
		`{"authenticators": [{"authenticator": "simplejwt", "signing_key": "`+benchSecret+`"}]}`))
	if err != nil {
		b.Fatal(err)
	}
	benchmarkRequests(b, handler.(*Handler), "Bearer "+benchSimpleJWT(b, "access", "a"), http.StatusOK)
}

// BenchmarkSimpleJWT_refresh gives access tokens to 64 clients at once for refresh
// tokens that are in a SQLite file.
func BenchmarkSimpleJWT_refresh(b *testing.B) { benchmarkRefresh(b, "false") }

// BenchmarkSimpleJWT_rotate is the same where each refresh token is good once: a
// transaction for each.
func BenchmarkSimpleJWT_rotate(b *testing.B) { benchmarkRefresh(b, "true") }

func benchmarkRefresh(b *testing.B, rotate string) {
	path := filepath.Join(b.TempDir(), "rest_auth.db")
	benchHandler(b, `"sqlite", "path": `+strconv.Quote(path), "authenticated", "")
	loaded, err := caddy.ActiveContext().LoadModuleByID("http.handlers.rest_auth_endpoints", json.RawMessage(
		`{"mounts": [{"path": "/api/token/", "api": {"endpoint": "simplejwt", "signing_key": "`+benchSecret+`", "rotate_refresh_tokens": `+rotate+`}}]}`))
	if err != nil {
		b.Fatal(err)
	}
	endpoints := loaded.(caddyhttp.MiddlewareHandler)
	next := caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return nil })
	var clients atomic.Int64
	b.SetParallelism(max(64/runtime.GOMAXPROCS(0), 1))
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		token := benchSimpleJWT(b, "refresh", strconv.FormatInt(clients.Add(1), 10))
		for pb.Next() {
			request := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/api/token/refresh/", strings.NewReader(`{"refresh":"`+token+`"}`))
			request.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			if err := endpoints.ServeHTTP(w, prepared(request), next); err != nil || w.Code != http.StatusOK {
				b.Errorf("ServeHTTP = %v with %d %s", err, w.Code, w.Body)
				return
			}
			var pair struct{ Refresh string }
			if err := json.Unmarshal(w.Body.Bytes(), &pair); err != nil {
				b.Error(err)
				return
			}
			if pair.Refresh != "" {
				token = pair.Refresh
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "refreshes/s")
}

// benchSimpleJWT returns a token of alice that a project has issued.
func benchSimpleJWT(b *testing.B, kind, jti string) string {
	b.Helper()
	app, err := appFromContext(caddy.ActiveContext())
	if err != nil {
		b.Fatal(err)
	}
	user, err := app.store.UserByName(b.Context(), "alice")
	if err != nil {
		b.Fatal(err)
	}
	payload := fmt.Appendf(nil, `{"token_type":%q,"exp":%d,"iat":%d,"jti":%q,"user_id":%q}`,
		kind, time.Now().Add(time.Hour).Unix(), time.Now().Unix(), jti, user.Key)
	token, err := jose.Sign(jose.SigningKey{Algorithm: "HS256", Private: []byte(benchSecret)}, jose.Header{Type: "JWT"}, payload)
	if err != nil {
		b.Fatal(err)
	}
	return token
}

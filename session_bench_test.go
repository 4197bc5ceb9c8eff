// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// BenchmarkHandler_sessionHit is a browser whose session was seen before. The
// same with a token is BenchmarkHandler_tokenHit.
func BenchmarkHandler_sessionHit(b *testing.B) { benchmarkSession(b, http.MethodGet) }

// BenchmarkHandler_sessionHitPost is the same with a request that changes
// something, and proves that no other site has sent it.
func BenchmarkHandler_sessionHitPost(b *testing.B) { benchmarkSession(b, http.MethodPost) }

func benchmarkSession(b *testing.B, method string) {
	benchHandler(b, `"memory"`, "authenticated", "")
	ctx := caddy.ActiveContext()
	loaded, err := ctx.LoadModuleByID("http.handlers.rest_auth", json.RawMessage(`{"authenticators": [{"authenticator": "session"}]}`))
	if err != nil {
		b.Fatal(err)
	}
	app, err := appFromContext(ctx)
	if err != nil {
		b.Fatal(err)
	}
	user, err := app.store.UserByName(b.Context(), "alice")
	if err != nil {
		b.Fatal(err)
	}
	key, secret := strings.Repeat("k", 32), strings.Repeat("s", 32)
	digest := sha256.Sum256([]byte(key))
	if err := app.store.Create(b.Context(), tokenstore.Credential{
		ID: tokenstore.NewCredentialID(), Kind: tokenstore.KindSession, Digest: digest[:], UserKey: user.Key, Created: time.Now(),
	}, 0, false); err != nil {
		b.Fatal(err)
	}
	plain := httptest.NewRequestWithContext(b.Context(), method, "/", nil)
	plain.Header.Set("Cookie", "csrftoken="+secret+"; sessionid="+key)
	if method != http.MethodGet {
		plain.Header.Set("Origin", "http://"+plain.Host)
		plain.Header.Set("X-CSRFToken", secret)
	}
	benchmarkRequest(b, loaded.(*Handler), plain, http.StatusOK)
}

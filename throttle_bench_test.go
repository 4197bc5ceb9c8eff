// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// BenchmarkHandler_throttled is the usual request of an API that throttles its
// users, with a log that is as full as the rate lets it be. The request of
// BenchmarkHandler_tokenHit is the same one without a throttle.
func BenchmarkHandler_throttled(b *testing.B) {
	for _, rate := range []string{"1000/second", "1000000/second"} {
		for _, driver := range []string{"memory", "sqlite"} {
			b.Run(driver+"/"+rate[:len(rate)-len("/second")], func(b *testing.B) {
				handler := benchHandler(b, benchDriver(b, driver), "authenticated", `, "throttles": [{"scope": "user", "rate": "`+rate+`"}]`)
				now := time.Now()
				handler.policy.now = func() time.Time {
					now = now.Add(505 * time.Microsecond) // it is asked twice a request
					return now
				}
				benchmarkRequests(b, handler, "Token "+benchToken, http.StatusOK)
			})
		}
	}
}

// BenchmarkHandler_429 is a client that asks too often.
func BenchmarkHandler_429(b *testing.B) {
	handler := benchHandler(b, benchDriver(b, "memory"), "allow_any", `, "throttles": [{"scope": "anonymous", "rate": "1/day"}]`)
	first := prepared(httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/", nil))
	if err := handler.policy.throttle(first, auth.Anonymous); err != nil {
		b.Fatal(err)
	}
	benchmarkRequests(b, handler, "", http.StatusTooManyRequests)
}

func benchDriver(b *testing.B, driver string) string {
	if driver == "sqlite" {
		return `"sqlite", "path": "` + filepath.Join(b.TempDir(), "rest_auth.db") + `"`
	}
	return `"memory", "name": "` + b.Name() + `"`
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"context"
	"fmt"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/loginthrottle"
)

// BenchmarkLoginThrottle is what a login costs beside its hash: of a user who
// logged in from the address before, of one who did not, one that fails, and one
// that is refused. Each runs alone and with 32 others.
func BenchmarkLoginThrottle(b *testing.B) {
	for _, driver := range []string{"memory", "sqlite"} {
		b.Run(driver, func(b *testing.B) {
			benchHandler(b, benchDriver(b, driver), "authenticated", "")
			app, err := appFromContext(caddy.ActiveContext())
			if err != nil {
				b.Fatal(err)
			}
			throttle := app.directory.Throttle()
			throttle.User, throttle.Limit, throttle.Address = 1<<40, 1<<41, 1<<40
			accept := func(context.Context) (*auth.Identity, error) { return &auth.Identity{}, nil }
			fail := func(context.Context) (*auth.Identity, error) { return nil, &auth.Failure{} }
			login := func(i int, address string, verify func(context.Context) (*auth.Identity, error)) {
				_, _ = throttle.Guess(b.Context(), loginthrottle.Guess{
					Kind: loginthrottle.KindPassword, Name: fmt.Sprint("user", i), Address: address,
				}, verify)
			}
			var n int
			b.Run("known_address", func(b *testing.B) {
				for range 2 {
					login(0, "192.0.2.1", accept)
				}
				for b.Loop() {
					login(0, "192.0.2.1", accept)
				}
			})
			b.Run("new_address", func(b *testing.B) {
				for b.Loop() {
					n++
					login(n, "192.0.2.1", accept)
				}
			})
			b.Run("failed", func(b *testing.B) {
				for b.Loop() {
					n++
					login(n, "192.0.2.2", fail)
				}
			})
			b.Run("throttled", func(b *testing.B) {
				throttle.User = 1
				for range 3 {
					login(-1, "192.0.2.3", fail)
				}
				for b.Loop() {
					login(-1, "192.0.2.3", fail)
				}
				throttle.User = 1 << 40
			})
		})
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
)

// What verifies a password is part of what the proof of it rests on: a reload
// that changes it finds nothing remembered.
func TestFingerprintOfApp(t *testing.T) {
	const hash = "$2a$04$5cBYEbYh9sMMHZhbIjWSvuLbFkRDfgt0kwyfJxMM2UJK9thIlODX6"
	fingerprint := func(app *App) []byte {
		t.Helper()
		ctx, err := caddy.ProvisionContext(new(caddy.Config)) // which has a storage
		if err != nil {
			t.Fatal(err)
		}
		app.StoreRaw = json.RawMessage(`{"driver":"memory"}`)
		err = app.Provision(ctx)
		t.Cleanup(func() {
			if err := app.Cleanup(); err != nil {
				t.Error(err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return app.fingerprint
	}
	plain := fingerprint(new(App))
	if !bytes.Equal(plain, fingerprint(&App{Passwords: &PasswordBounds{Slots: 3}})) {
		t.Error("it depends on how many hashes run at a time")
	}
	for name, app := range map[string]*App{
		"users":        {Users: []users.User{{Name: "bob", Password: hash}}},
		"weak formats": {Passwords: &PasswordBounds{Allow: []string{"md5"}}},
	} {
		if bytes.Equal(plain, fingerprint(app)) {
			t.Errorf("it does not depend on the %s", name)
		}
	}
}

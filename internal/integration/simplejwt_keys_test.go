// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// TestSimpleJWT_rotatedUnderLoad replaces the signing key again and again while
// people log in, refresh and verify. Nobody notices.
func TestSimpleJWT_rotatedUnderLoad(t *testing.T) {
	s := serve(t, simplejwtSite("algorithm ES256", "rotate_refresh_tokens"))
	s.seed()
	var requests, bad atomic.Int64
	stop := make(chan struct{})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			pair := s.obtain("alice")
			for {
				select {
				case <-stop:
					return
				default:
				}
				got := s.refreshWith(pair.Refresh)
				verified := s.post("/api/token/verify/", `{"token":"`+pair.Access+`"}`)
				requests.Add(2)
				if got.Status != 200 || verified.Status != 200 {
					bad.Add(1)
					t.Errorf("%d %s; %d %s", got.Status, got.Body, verified.Status, verified.Body)
					return
				}
				pair = got.pair(t)
			}
		})
	}
	for range 5 {
		for before := requests.Load(); requests.Load() < before+20 && bad.Load() == 0; {
			s.get("/api/token/jwks.json")
		}
		if got := s.manage(http.MethodPost, "/signing_keys/simplejwt/rotate", `{"now":true}`); got.Status != 200 {
			t.Errorf("%d %s", got.Status, got.Body)
		}
	}
	close(stop)
	group.Wait()
	if got := s.get("/api/token/jwks.json"); strings.Count(got.Body, `"kid"`) != 6 {
		t.Errorf("%s", got.Body)
	}
	list := s.manage(http.MethodGet, "/signing_keys", "")
	if strings.Count(list.Body, `"verifies"`) != 5 || strings.Count(list.Body, `"signs"`) != 1 || strings.Contains(list.Body, "ecret") {
		t.Errorf("%s", list.Body)
	}
	if got := s.manage(http.MethodPost, "/signing_keys/other/rotate", `{}`); got.Status != 404 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

// TestSimpleJWT_adoptedOnce refreshes a token of Django's fifty times at once.
func TestSimpleJWT_adoptedOnce(t *testing.T) {
	for _, rotate := range []string{"on", "off"} {
		t.Run("rotate "+rotate, func(t *testing.T) {
			s := serve(t, projectSite("rotate_refresh_tokens "+rotate))
			s.awaitStore()
			carol := s.putImported("carol", "7")
			token := asProject(t, refreshClaims(nil))
			replies := make([]reply, 50)
			var group sync.WaitGroup
			for i := range replies {
				group.Go(func() { replies[i] = s.refreshWith(token) })
			}
			group.Wait()
			for _, got := range replies {
				if got.Status != 200 || rotate == "on" && got.Body != replies[0].Body {
					t.Fatalf("%d %s, and another %s", got.Status, got.Body, replies[0].Body)
				}
			}
			if live := s.records(tokenstore.Filter{UserKey: carol.Key}); len(live) != 1 {
				t.Errorf("%d refresh tokens live, want 1", len(live))
			}
		})
	}
}

// matchesKeys wants a key set.
func (r reply) matchesKeys(t *testing.T) {
	t.Helper()
	if r.Status != 200 || !strings.HasPrefix(r.Body, `{"keys":[{`) {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
}

// TestCLISigningKey lists and rotates keys from the command line.
func TestCLISigningKey(t *testing.T) {
	site := freeAddress(t)
	sh := newShell(t, `{
	admin {{admin}}
	storage file_system {{dir}}/storage
	persist_config off
	rest_auth {
		store sqlite {{dir}}/rest_auth.db
	}
}
http://`+site+` {
	rest_auth_endpoints {
		simplejwt /api/token/ {
			algorithm EdDSA
		}
	}
}
`)
	sh.start()
	awaitListener(t, site)
	sh.run(
		step{args: "signing-key rotate --address $ADMIN", fails: true, err: "no such signing keys"},
	)
	over(t, "tcp", site, "GET /api/token/jwks.json HTTP/1.1\r\nHost: "+site+"\r\nConnection: close\r\n\r\n").matchesKeys(t)
	const row = `simplejwt +EdDSA +[\w-]{43} +`
	sh.run(
		step{args: "signing-key list --address $ADMIN", out: `(?s)^RING.*\n?` + row + `signs +\S+Z +never\n\z`},
		step{args: "signing-key rotate --address $ADMIN", err: `key [\w-]{43} of simplejwt EdDSA signs from \S+Z`},
		step{args: "signing-key list --address $ADMIN", out: row + `signs +\S+Z +\S+Z\n` + row + `next +\S+Z +never\n\z`},
		step{args: "signing-key rotate --algorithm RS256 --address $ADMIN", fails: true, err: "no such signing keys"},
		step{args: "signing-key rotate --compromised --offline --config Caddyfile", err: `signs from`},
		step{args: "signing-key list --json --address $ADMIN", out: `(?s)"key": ?"[\w-]{43}"`},
	)
}

// TestSimpleJWT_replacedKey has a remembered token of a stolen key refused once
// the key is gone, also by configurations that never knew the key.
func TestSimpleJWT_replacedKey(t *testing.T) {
	site := `{{site}} {
	@tokens path /api/token/*
	rest_auth_endpoints @tokens {
		simplejwt /api/token/ {
			algorithm ES256
		}
	}
	@api path /api/orders
	rest_auth @api {
		authenticate simplejwt {
			algorithm ES256
		}
	}
	respond @api 200
}`
	s := serve(t, site)
	s.seed()
	stolen := "Authorization: Bearer " + s.obtain("alice").Access
	if got := s.get("/api/orders", stolen); got.Status != 200 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	if got := s.manage(http.MethodPost, "/signing_keys/simplejwt/rotate", `{"compromised":true}`); got.Status != 200 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	for _, when := range []string{"replaced", "replaced, and reloaded", "replaced, and reloaded twice"} {
		if got := s.get("/api/orders", stolen); got.Status != 401 {
			t.Errorf("a token of a key that was %s: %d", when, got.Status)
		}
		s.reload(site)
	}
	if got := s.get("/api/orders", "Authorization: Bearer "+s.obtain("alice").Access); got.Status != 200 {
		t.Errorf("a token of the new key: %d %s", got.Status, got.Body)
	}
}

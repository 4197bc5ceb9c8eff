// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"errors"
	"net/http"
	"syscall"
	"testing"
	"time"
)

// guessAt fails to log in, each time from another address.
func guessAt(t *testing.T, url string, guesses map[string]string) {
	t.Helper()
	for name, address := range guesses {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(name, "wrong")
		r.Header.Set("X-Forwarded-For", address)
		response, err := client(t).Do(r)
		// The admin endpoint, which start waits for, is there before the site.
		for began := time.Now(); errors.Is(err, syscall.ECONNREFUSED) && time.Since(began) < 10*time.Second; time.Sleep(10 * time.Millisecond) {
			response, err = client(t).Do(r)
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("a guess at %s was answered %d", name, response.StatusCode)
		}
	}
}

func TestCLILockouts(t *testing.T) {
	site := freeAddress(t)
	sh := newShell(t, `{
	admin {{admin}}
	servers {
		trusted_proxies static 127.0.0.1/32
	}
	persist_config off
	auto_https off
	rest_auth {
		store sqlite {{dir}}/rest_auth.db
		user admin `+cliHash+`
		login_throttle {
			user 1
			delay 1h 1h
		}
	}
}
http://`+site+` {
	rest_auth {
		authenticate basic
	}
	respond ok
}
`)
	sh.run(
		step{args: "store init --config Caddyfile"},
		step{args: "user add alice --offline --config Caddyfile --no-password"},
		step{args: "lockout list --offline --config Caddyfile --json", out: `\A\[\]\n\z`},
	)
	sh.start()
	guessAt(t, "http://"+site, map[string]string{"Alice": "192.0.2.1", "admin": "2001:db8::1", "canary": "192.0.2.3"})
	const rows = `^SCOPE +USER +KIND +ADDRESS +FAILURES +LAST +UNTIL
(user +(alice|admin|\(no such user\)) +password +- +1 +[-0-9]+T[:0-9]+Z +[-0-9]+T[:0-9]+Z\n){3}\z`
	sh.run(
		step{args: "lockout list --offline --config Caddyfile", out: rows},
		step{args: "lockout list --offline --config Caddyfile --counted", out: `^address +- +- +2001:db8::/64 +1 +\S+ +-$`},
		step{args: "lockout clear 2001:db8::99 --offline --config Caddyfile", out: `^\z`, err: "^cleared 1 counts of 2001:db8::99$"},
		step{args: "lockout list --address $ADMIN", out: rows},
		step{args: "lockout clear ALICE --address $ADMIN", err: "^cleared 2 counts of ALICE$"},
		step{args: "lockout clear nobody --address $ADMIN", err: "^cleared 0 counts of nobody$"},
		step{args: "lockout list --address $ADMIN --json", out: `(?s)\A\[\s*\{[^}]*"failures": 1,[^}]*\},\s*\{[^}]*\}\s*\]\n\z`},
		step{args: "lockout clear --address $ADMIN", fails: true, err: "name a user or an address, or say --all"},
		step{args: "lockout clear alice --all --address $ADMIN", fails: true, err: "name a user or an address, or say --all"},
		step{args: "lockout clear alice bob --address $ADMIN", fails: true, err: "accepts at most 1 arg"},
		step{args: "lockout clear --all --address $ADMIN", err: "^cleared 4 counts of all$"},
		step{args: "lockout list --counted --address $ADMIN --json", out: `\A\[\]\n\z`},
	)
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const revocationCaddyfile = `{
	admin {{admin}}
	default_bind 127.0.0.1
	persist_config off
	auto_https off
	rest_auth {
		store sqlite {{dir}}/rest_auth.db
		user admin ` + cliHash + `
		simplejwt {
			signing_key ` + projectJWTKey + `
		}
	}
}
http://ADDRESS {
	rest_auth {
		authenticate simplejwt
	}
	respond {http.auth.user.id}
}
`

// TestCLIRevokeJWT ends tokens by what is in them, of a running server and beside it.
func TestCLIRevokeJWT(t *testing.T) {
	address := freeAddress(t)
	sh := newShell(t, strings.Replace(revocationCaddyfile, "ADDRESS", address, 1))
	sh.start()
	ask := func(token string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := client(t).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	const user = `"config:admin"`
	token := func(jti string, members ...string) string {
		return projectAccess(append([]string{"user_id", user, "jti", `"` + jti + `"`}, members...)...)
	}
	ended := token("piped", "iss", `"https://i.example"`)
	for _, tokenText := range []string{ended, token("named"), token("beside"), token("stays")} {
		if status := ask(tokenText); status != 200 {
			t.Fatalf("answered %d", status)
		}
	}
	stdout, stderr := sh.exec(step{args: "token revoke --jwt-stdin --address $ADMIN", stdin: ended + "\n"})
	if stdout != "" || !strings.HasPrefix(stderr, "revoked token piped of https://i.example, until it would have ended, ") || strings.Contains(stderr, ended[:20]) {
		t.Errorf("%q %q", stdout, stderr)
	}
	noEnd := signHMAC(sha256.New, projectJWTKey, headerHS256, `{"jti":"endless"}`)
	ofEntra := signHMAC(sha256.New, projectJWTKey, headerHS256, `{"uti":"u","iss":"https://i.example"}`)
	noName := signHMAC(sha256.New, projectJWTKey, headerHS256, `{"exp":1}`)
	const tokenErr = "reading the token: "
	sh.run(
		step{args: "token revoke --jti named --address $ADMIN", err: `^revoked token named, for good$`},
		step{args: "token revoke --jti a --issuer https://i.example --until 12h --address $ADMIN", err: `^revoked token a of https://i.example, until it would have ended, 20`},
		step{args: "token revoke --jwt-stdin --address $ADMIN", stdin: noEnd, err: `^revoked token endless, for good$`},
		step{args: "token revoke --jwt-stdin --address $ADMIN", stdin: ofEntra, err: `^revoked token u of https://i.example, for good$`},

		step{args: "token revoke --jwt-stdin --address $ADMIN", stdin: noName, fails: true, err: tokenErr + "it has no jti"},
		step{args: "token revoke --jwt-stdin --address $ADMIN", stdin: "secret", fails: true, err: tokenErr},
		step{args: "token revoke --jwt-stdin --address $ADMIN", fails: true, err: tokenErr},
		step{args: "token revoke --jwt-stdin --jti a --address $ADMIN", stdin: noEnd, fails: true, err: "--jwt-stdin reads --jti, --issuer and --until from the token"},
		step{args: "token revoke --issuer a --address $ADMIN", fails: true, err: "--issuer and --until say more of a --jti"},
		step{args: "token revoke --jti a --until later --address $ADMIN", fails: true, err: "--until must be a time"},
		step{args: "token revoke --jti a b --address $ADMIN", fails: true, err: "stand alone"},
		step{args: "token revoke --jti a --user alice --all --address $ADMIN", fails: true, err: "stand alone"},
		step{args: "token revoke --jti " + ended + " --address $ADMIN", fails: true, err: "this may be the whole of it"},
		step{args: "token revoke --jti a --offline --config nothing", fails: true, err: "loading the configuration"},
	)
	for name, want := range map[string]int{ended: 401, token("named"): 401, token("stays"): 200, token("beside"): 200} {
		if status := ask(name); status != want {
			t.Errorf("%.0sanswered %d, want %d", name, status, want)
		}
	}
	// Of what another process does the server hears by its store.
	sh.run(step{args: "token revoke --jti beside --offline --config Caddyfile", err: fmt.Sprintf("^store: sqlite:%s", filepath.Join(sh.dir, "rest_auth.db"))})
	for began := time.Now(); ask(token("beside")) != 401; time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatal("the token is accepted ten seconds after it was revoked")
		}
	}
}

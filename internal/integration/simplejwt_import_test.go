// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// djangoDump runs testdata/django/simplejwt_dump.py, and returns the tokens that the
// project has issued, with its dump.
func djangoDump(t *testing.T, env ...string) map[string]string {
	t.Helper()
	needPython(t, "django", "rest_framework_simplejwt")
	script := exec.CommandContext(t.Context(), python, "-B", "testdata/django/simplejwt_dump.py")
	script.Env = append(os.Environ(), append(env, "DATABASE="+filepath.Join(t.TempDir(), "db.sqlite3"), "KEY="+projectJWTKey)...)
	var failure strings.Builder
	script.Stderr = &failure
	out, err := script.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, failure.String())
	}
	tokens := make(map[string]string)
	if err := json.Unmarshal(out, &tokens); err != nil {
		t.Fatal(err)
	}
	return tokens
}

// TestSimpleJWT_import moves a project with what it has issued: its clients go on, and
// what it has blacklisted stays so.
func TestSimpleJWT_import(t *testing.T) {
	for name, env := range map[string][]string{"no issuer": nil, "an issuer": {"ISSUER=https://shop.example"}} {
		t.Run(name, func(t *testing.T) {
			given := djangoDump(t, env...)
			s := serve(t, `{
{{global}}
rest_auth {
	{{store}}
	simplejwt {
		signing_key `+projectJWTKey+`
		auth_token_classes access sliding
		rotate_refresh_tokens
	}
}
}
{{site}} {
	rest_auth_endpoints {
		simplejwt /api/token/
	}
	rest_auth {
		authenticate simplejwt
	}
	respond {http.auth.user.id}
}
`)
			s.awaitStore()
			refresh := func(which string) reply {
				t.Helper()
				return s.send("POST", s.URL+"/api/token/refresh/", strings.NewReader(`{"refresh":"`+given[which]+`"}`), ofJSON)
			}
			importing := func() map[string]any { return s.admin(200, "POST", "import", given["dump"]) }
			report := importing()
			want := map[string]string{
				"refresh_tokens":     `{"created":2,"removed":0,"skipped":2,"unchanged":0,"updated":0}`, // alice's and gone's
				"blacklisted_tokens": `{"created":2,"removed":0,"skipped":0,"unchanged":0,"updated":0}`,
			}
			for kind, counts := range want {
				if got, _ := json.Marshal(report[kind]); string(got) != counts {
					t.Errorf("%s = %s, want %s", kind, got, counts)
				}
			}

			for which, status := range map[string]int{"access": 200, "sliding": 200, "blacklisted_sliding": 401, "refresh": 401} {
				if got := s.get("/", withBearer(given[which])); got.Status != status || status == 200 && got.Body != "alice" {
					t.Errorf("a request with %s: %d %s, want %d", which, got.Status, got.Body, status)
				}
			}
			const blacklisted = `{"detail":"Token is blacklisted","code":"token_not_valid"}`
			if got := refresh("blacklisted"); got.Status != 401 || got.Body != blacklisted {
				t.Errorf("refreshing what is blacklisted: %d %s", got.Status, got.Body)
			}
			for _, which := range []string{"inactive", "deleted"} {
				if got := refresh(which); got.Status != 401 {
					t.Errorf("refreshing that of who is %s: %d %s", which, got.Status, got.Body)
				}
			}
			if n := len(s.admin(200, "GET", "tokens?kind=refresh&user=alice", "")["tokens"].([]any)); n != 1 {
				t.Errorf("alice has %d refresh tokens, want 1", n)
			}

			got := refresh("refresh")
			var pair struct{ Access, Refresh string }
			if err := json.Unmarshal([]byte(got.Body), &pair); err != nil || got.Status != 200 || pair.Refresh == "" {
				t.Fatalf("refreshing: %d %s", got.Status, got.Body)
			}
			if got := s.get("/", withBearer(pair.Access)); got.Status != 200 || got.Body != "alice" {
				t.Errorf("a request with the new access token: %d %s", got.Status, got.Body)
			}

			// Another import brings nothing back, and the project's blacklist counts still.
			if got, _ := json.Marshal(importing()["refresh_tokens"]); !strings.Contains(string(got), `"created":0`) {
				t.Errorf("another import: %s", got)
			}
			given["dump"] = strings.Replace(given["dump"], `[{"model": "token_blacklist.blacklistedtoken"`,
				`[{"model": "token_blacklist.blacklistedtoken", "pk": 99, "fields": {"token": 1, "blacklisted_at": "2026-11-21T00:00:00Z"}}, {"model": "token_blacklist.blacklistedtoken"`, 1)
			if got, _ := json.Marshal(importing()["blacklisted_tokens"]); !strings.Contains(string(got), `"created":1`) {
				t.Errorf("an import of a longer blacklist: %s", got)
			}
			if got := s.get("/", withBearer(pair.Access)); got.Status != 401 {
				t.Errorf("a request after its login was blacklisted: %d %s", got.Status, got.Body)
			}
			given["next"] = pair.Refresh
			if got := refresh("next"); got.Status != 401 {
				t.Errorf("refreshing after that: %d %s", got.Status, got.Body)
			}
		})
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// revoked reports whether a family is revoked.
func (f *fixture) revoked(family string) bool {
	f.t.Helper()
	revoked, err := f.store.Revoked(f.t.Context(), family)
	if err != nil {
		f.t.Fatal(err)
	}
	return revoked
}

func TestRevokeJWT(t *testing.T) {
	f := newFixture(t)
	got := f.send("POST", "revocations", `{"issuer":"https://i.example","jti":"a","until":"2027-01-03T00:00:00Z"}`)
	if want := `{"issuer":"https://i.example","jti":"a","until":"2027-01-03T00:00:00Z"}` + "\n"; got.status != 201 || got.body != want {
		t.Errorf("POST revocations = %d %s, want 201 %s", got.status, got.body, want)
	}
	must[Revocation](f, "POST", "revocations", `{"jti":"b"}`)
	long := strings.Repeat("x", 5000)
	must[Revocation](f, "POST", "revocations", `{"jti":"`+long+`"}`)
	for _, family := range []string{revocation.JWT("https://i.example", "a"), revocation.JWT("", "b"), revocation.JWT("", long)} {
		if !f.revoked(family) {
			t.Errorf("%.60s is not revoked", family)
		}
	}
	if f.revoked(revocation.JWT("", "a")) {
		t.Error("the token of no issuer is revoked")
	}
	// The end of a token is judged with leeway, so that it is remembered for longer.
	end := time.Date(2027, 1, 3, 0, 0, 0, 0, time.UTC)
	for after, want := range []int{0, 0, 1} {
		if n, err := f.store.Sweep(t.Context(), end.Add(time.Duration(after)*15*time.Hour), 10); n != want || err != nil {
			t.Errorf("Sweep %d hours after the end = %d, %v, want %d", after*15, n, err, want)
		}
	}
	if got, want := strings.Join(f.actions(), ","), "token revoked by jti,token revoked by jti,token revoked by jti"; got != want {
		t.Errorf("actions = %s, want %s", got, want)
	}
}

func TestRevokeJWT_refused(t *testing.T) {
	f := newFixture(t)
	const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiJhIn0.AAAA"
	for body, want := range map[string]string{
		`{}`:                                        "jti: must not be empty",
		`{"issuer":"i"}`:                            "jti: must not be empty",
		`{"jti":""}`:                                "jti: must not be empty",
		`{"jti":1}`:                                 "jti: must be a string",
		`{"jti":"a","until":"later"}`:               "until: must be a time as",
		`{"jti":"a","until":1}`:                     "until: must be a string",
		`{"jti":"a","user":"alice"}`:                `unknown field "user"`,
		`{"jti":"` + jwt + `"}`:                     "jti: is a whole token",
		`{"jti":"cra_0123456789"}`:                  "jti: is a whole token",
		`{"jti":"` + longText() + `"}`:              "jti: must not be longer than 16384 bytes",
		`{"jti":"a","issuer":"` + longText() + `"}`: "issuer: must not be longer than 16384 bytes",
	} {
		f.fail(400, want, "POST", "revocations", body)
	}
	if got := f.send("POST", "revocations", `{"jti":"`+jwt+`"}`); strings.Contains(got.body, jwt) {
		t.Errorf("the answer has the token: %s", got.body)
	}
	f.fail(405, "method GET", "GET", "revocations", "")
	if f.revoked("") {
		t.Error("something was revoked")
	}
	_ = f.store.Close()
	f.fail(503, "revoking the token", "POST", "revocations", `{"jti":"a"}`)
	if len(f.actions()) != 0 {
		t.Errorf("actions = %q", f.actions())
	}
}

func longText() string { return strings.Repeat("x", maxClaim+1) }

// TestRevokeToken_refresh ends what a refresh token was given, which is no record.
func TestRevokeToken_refresh(t *testing.T) {
	f := newFixture(t)
	alice := must[User](f, "POST", "users", `{"name":"alice","password":"correct horse"}`)
	for i := range 5 {
		c := tokenstore.Credential{
			ID: fmt.Sprint("refresh", i), Kind: tokenstore.KindRefresh, Digest: fmt.Appendf(nil, "digest of refresh %d", i),
			UserKey: alice.Key, Family: fmt.Sprint("login", i), Created: f.now, Expires: f.now.Add(time.Hour),
		}
		if err := f.store.Create(t.Context(), c, 0, false); err != nil {
			t.Fatal(err)
		}
	}
	must[IssuedToken](f, "POST", "tokens", `{"user":"alice"}`)
	listed := must[map[string]any](f, "GET", "tokens?kind=refresh", "")
	if n := len(listed["tokens"].([]any)); n != 5 {
		t.Errorf("%d refresh tokens are listed, want 5", n)
	}
	f.fail(409, "not rotated by hand", "POST", "tokens/refresh0/rotate", "{}")
	f.fail(400, "kind: must be one of", "POST", "tokens", `{"user":"alice","kind":"refresh"}`)

	must[any](f, "DELETE", "tokens/refresh0", "")
	f.fail(404, "there is no token", "DELETE", "tokens/refresh0", "")
	if !f.revoked("login0") || f.revoked("login1") {
		t.Error("not the one login has ended")
	}
	if got := must[map[string]int](f, "DELETE", "tokens?user=alice&kind=token", ""); got["revoked"] != 1 || f.revoked("login1") {
		t.Errorf("%v were revoked, login1 %t", got, f.revoked("login1"))
	}
	if got := must[map[string]int](f, "DELETE", "tokens?user=alice", ""); got["revoked"] != 4 {
		t.Errorf("%v were revoked, want 4", got)
	}
	for i := range 5 {
		if !f.revoked(fmt.Sprint("login", i)) {
			t.Errorf("login%d goes on", i)
		}
	}
	// It is forgotten once the last access token has ended.
	if n, err := f.store.Sweep(t.Context(), f.now.Add(accessLife+2*time.Hour), 100); n != 5 || err != nil {
		t.Errorf("Sweep = %d, %v, want 5", n, err)
	}
}

// TestRevokeJWT_refreshed ends a token of a project that was refreshed here: the access
// tokens that it was given may outlive it.
func TestRevokeJWT_refreshed(t *testing.T) {
	f := newFixture(t)
	family := revocation.JWT("", "a")
	c := tokenstore.Credential{
		ID: "refresh", Kind: tokenstore.KindRefresh, Digest: []byte("digest of a refresh token"),
		Family: family, Created: f.now, Expires: f.now.Add(time.Hour), Origin: "django",
	}
	if err := f.store.Create(t.Context(), c, 0, false); err != nil {
		t.Fatal(err)
	}
	must[Revocation](f, "POST", "revocations", `{"jti":"a","until":"`+f.now.Add(time.Hour).Format(time.RFC3339)+`"}`)
	for after, want := range map[time.Duration]int{48 * time.Hour: 0, accessLife: 0} {
		if n, err := f.store.Sweep(t.Context(), f.now.Add(after), 10); n != want || err != nil || !f.revoked(family) {
			t.Errorf("Sweep after %v = %d, %v", after, n, err)
		}
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// putExpired stores a token that has ended.
func (s *server) putExpired() {
	s.t.Helper()
	user := s.putUser(tokenstore.User{Name: "expired", Active: true})
	credential := tokenstore.Credential{
		ID: "id-token-expired", Kind: tokenstore.KindToken, Digest: digestOf("token-expired"), UserKey: user.Key,
		Created: time.Now().Add(-time.Hour), Expires: time.Now().Add(-time.Minute),
	}
	if err := s.store().Create(s.t.Context(), credential, 0, false); err != nil {
		s.t.Fatal(err)
	}
}

// What an operator asks at night: who, by what, why not.
func TestExplainParts(t *testing.T) {
	s := serve(t, explainSite)
	s.seed()

	x := s.explain("GET", "/plain", token("token-alice"), "Remote-User: root", "Remote_User: root")
	j := x.Judged[0]
	if j.Identity == nil || j.Identity.ID != "alice" || j.Identity.Credential != "id-token-alice" || len(j.Identity.Groups) != 2 {
		t.Errorf("identity %+v", j.Identity)
	}
	if a := j.Authenticators; a[0].Outcome != "identity" || a[0].Remembered != "no" || a[1].Outcome != "not asked" {
		t.Errorf("authenticators %+v", a)
	}
	if h := j.Headers; !slices.Equal(h.Stripped, []string{"Remote-User"}) || !slices.Equal(h.Deleted, []string{"Authorization"}) ||
		len(h.Set) != 2 || h.Set[0].Value != "alice" || strings.Contains(h.Set[1].Value, "canary") {
		t.Errorf("headers %+v", h)
	}
	if !slices.Equal(x.Request.Dropped, []string{"Remote_user"}) {
		t.Errorf("dropped %q", x.Request.Dropped)
	}
	if !strings.HasPrefix(x.Answered.By, "reverse_proxy "+s.echo.address) || !strings.Contains(x.Answered.Route, "path /plain*") {
		t.Errorf("answered %+v", x.Answered)
	}

	// The cache is looked at, and nothing is left in it.
	if again := s.explain("GET", "/plain", token("token-alice")); again.Judged[0].Authenticators[0].Remembered != "no" {
		t.Error("explaining is remembered")
	}
	remembered := func() string {
		s.get("/plain", token("token-alice"))
		return s.explain("GET", "/plain", token("token-alice")).Judged[0].Authenticators[0].Remembered
	}
	// What the store is told of its new users may still be on its way.
	for deadline := time.Now().Add(5 * time.Second); remembered() != "fresh"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("what the handler remembers is not told")
		}
	}

	tree := s.explain("GET", "/tree", token("token-alice")).Judged[0]
	var names []string
	var walk func(depth string, parts []explainedPart)
	walk = func(depth string, parts []explainedPart) {
		for _, part := range parts {
			names = append(names, depth+part.Name+": "+part.Outcome)
			walk(depth+"  ", part.Parts)
		}
	}
	walk("", tree.Permissions)
	want := []string{
		"authenticated: allowed", "any: refused", "  staff: refused", "  all: refused", "    read_only: allowed", "    not: refused",
		"      group editors: allowed", "  scope orders.write orders.read: refused", "user alice: not asked",
	}
	if !slices.Equal(names, want) {
		t.Errorf("permissions\n%s\nwant\n%s", strings.Join(names, "\n"), strings.Join(want, "\n"))
	}
	if tree.Candidate == nil || tree.Candidate.ID != "alice" {
		t.Errorf("candidate %+v", tree.Candidate)
	}

	two := s.explain("GET", "/two", token("token-alice")).Judged
	if len(two) != 2 || two[0].Verdict != "allowed" || two[1].Verdict != "denied" {
		t.Errorf("two handlers: %+v", two)
	}
	left := s.explain("GET", "/matched/public", "Remote-User: root").Judged
	if len(left) != 1 || !left[0].LeftOut || !slices.Equal(left[0].Headers.Stripped, []string{"Remote-User"}) {
		t.Errorf("left out: %+v", left)
	}
	if bad := s.explain("GET", "/plain", token("nothing-like-it")).Judged[0].Authenticators[0]; !strings.Contains(bad.Reason, "no such token") {
		t.Errorf("reason %q", bad.Reason)
	}
	s.putExpired()
	for secret, why := range map[string]string{
		"token-expired": ", issued to expired, expired at 20",
		"token-gone":    "inactive",
	} {
		if bad := s.explain("GET", "/plain", token(secret)).Judged[0].Authenticators[0]; !strings.Contains(bad.Reason, why) {
			t.Errorf("%s: reason %q, want %q", secret, bad.Reason, why)
		}
	}
	if bad := s.explain("GET", "/plain", basic("alice", "no")).Judged[0].Authenticators[1]; bad.Reason != "wrong password" || bad.User != "alice" {
		t.Errorf("basic %+v", bad)
	}
	if mystery := s.explain("GET", "/mystery"); len(mystery.Notes) != 1 || !strings.Contains(mystery.Notes[0], "test_mystery was not run") {
		t.Errorf("notes %q", mystery.Notes)
	}
	if mysteryRuns.Load() != 0 {
		t.Error("an unknown handler was run")
	}
	from := s.question("GET", s.URL+"/client")
	from["from"] = "192.0.2.7"
	if x := s.explanation(from); x.Verdict != "denied" || x.Request.ClientIP != "192.0.2.7" {
		t.Errorf("from elsewhere: %s, %s", x.Verdict, x.Request.ClientIP)
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"fmt"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// The token of kind authtoken is the same until it is reset.
func TestAuthtoken(t *testing.T) {
	f := newFixture(t)
	alice := must[User](f, "POST", "users", `{"name":"alice"}`)
	imported := tokenstore.Credential{ID: "imported", Kind: tokenstore.KindAuthtoken, UserKey: alice.Key, Digest: []byte(strings.Repeat("d", 32)), Created: f.now, Origin: "django"}
	if err := f.store.Create(t.Context(), imported, 0, false); err != nil {
		t.Fatal(err)
	}
	const ask, reset = `{"user":"alice","kind":"authtoken"}`, `{"user":"alice","kind":"authtoken","reset":true}`
	first := must[IssuedToken](f, "POST", "tokens", ask)
	if len(first.Secret) != 40 || first.Existing || !f.accepts(first.Secret) {
		t.Errorf("the first token: %d digits, existing %t", len(first.Secret), first.Existing)
	}
	if again := f.send("POST", "tokens", ask); again.status != 200 || !strings.Contains(again.body, first.Secret) {
		t.Errorf("the second time: %d, the same token %t", again.status, strings.Contains(again.body, first.Secret))
	}
	f.fail(409, "'token create --kind authtoken --reset' makes another", "POST", "tokens/"+first.Handle+"/rotate", "{}")
	second := must[IssuedToken](f, "POST", "tokens", reset)
	if second.Secret == first.Secret || f.accepts(first.Secret) || !f.accepts(second.Secret) {
		t.Error("a reset does not replace the token")
	}
	type answer struct{ Tokens []Token }
	if left := must[answer](f, "GET", "tokens?user=alice", "").Tokens; len(left) != 1 || left[0].Handle != second.Handle {
		t.Errorf("after a reset there are %v", left)
	}
	for _, entry := range f.logs.All() {
		for _, secret := range []string{first.Secret, second.Secret} {
			if strings.Contains(fmt.Sprint(entry.Message, entry.ContextMap()), secret) {
				t.Error("the log has a token")
			}
		}
	}
}

// Users of the configuration have tokens too.
func TestAuthtoken_configured(t *testing.T) {
	f := newFixture(t)
	issued := must[IssuedToken](f, "POST", "tokens", `{"user":"configured","kind":"authtoken"}`)
	if issued.User != "configured" || issued.UserKey != "config:configured" || issued.Status != StatusLive {
		t.Errorf("issued %+v", issued.Token)
	}
	type answer struct{ Tokens []Token }
	for _, query := range []string{"", "?user=configured"} {
		if list := must[answer](f, "GET", "tokens"+query, "").Tokens; len(list) != 1 || list[0].User != "configured" || list[0].Status != StatusLive {
			t.Errorf("tokens%s lists %+v", query, list)
		}
	}
	type gone struct{ Revoked int }
	if got := must[gone](f, "DELETE", "tokens?user=configured", ""); got.Revoked != 1 {
		t.Errorf("revoked %d", got.Revoked)
	}
}

// An inactive one gets none, and what one leaves behind who was taken out can be
// found and ended.
func TestAuthtoken_configuredOnce(t *testing.T) {
	f := newFixture(t)
	f.m.Directory = names{"configured", "inactive"}
	f.fail(409, "user 'inactive' is inactive in the configuration", "POST", "tokens", `{"user":"inactive","kind":"authtoken"}`)
	issued := must[IssuedToken](f, "POST", "tokens", `{"user":"configured","kind":"authtoken"}`)
	f.m.Directory = names{}
	type answer struct{ Tokens []Token }
	if list := must[answer](f, "GET", "tokens?user=configured", "").Tokens; len(list) != 1 || list[0].Status != StatusUserInactive {
		t.Errorf("listed %+v", list)
	}
	type gone struct{ Revoked int }
	if got := must[gone](f, "DELETE", "tokens?user=configured", ""); got.Revoked != 1 || f.accepts(issued.Secret) {
		t.Errorf("revoked %d", got.Revoked)
	}
	f.fail(404, "there is no user 'configured'", "DELETE", "tokens?user=configured", "")
}

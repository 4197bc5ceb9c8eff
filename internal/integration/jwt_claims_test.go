// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/http"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
)

// TestJWT_claims tells the upstream what claims say of the user, and lets
// permissions go by it.
func TestJWT_claims(t *testing.T) {
	idp := idptest.New(t)
	block := "authenticate jwt {\nissuer " + idp.Issuer() + "\naudience api\n" + local + `
		user_claim preferred_username
		group_claim groups realm_access.roles https://example.com/teams
		permission_claim perms
		staff_claim is_staff
		superuser_claim realm_access.roles admin
		scope_claim scope scp roles
	}
	`
	site := func(require string) string {
		return "{{site}} {\nrest_auth {\n" + block + require + `
			header_up Remote-User {http.auth.user.id}
			header_up Remote-Name {http.auth.user.name}
			header_up Remote-Email {http.auth.user.email}
			header_up Remote-Groups {http.auth.user.groups}
			header_up Remote-Permissions {http.auth.user.permissions}
			header_up Remote-Scopes {http.auth.user.scopes}
			header_up Remote-Flags {http.auth.user.staff}/{http.auth.user.superuser}
			header_up Remote-Tenant {http.auth.user.claims.org.id}
		}
		reverse_proxy {{echo}}
	}`
	}
	alice := map[string]any{
		"sub": "u1", "aud": "api", "preferred_username": "alice", "name": "Alice Ä.", "email": "a@example.com",
		"groups": "Sales", "realm_access": map[string]any{"roles": []string{"editor", "admin"}}, "https://example.com/teams": []string{"x"},
		"perms": []string{"shop.view_order"}, "is_staff": true, "scope": "openid read", "roles": []string{"r1"}, "org": map[string]any{"id": 7},
	}
	s := serve(t, site("require staff"))
	for range 2 {
		got := s.get("/", bearerToken(idp.Sign(alice)), "Remote-User: root", "Remote_Groups: all").forwarded(t)
		for name, want := range map[string]string{
			"Remote-User": "alice", "Remote-Name": "Alice Ä.", "Remote-Email": "a@example.com", "Remote-Groups": "Sales,editor,admin,x",
			"Remote-Permissions": "shop.view_order", "Remote-Scopes": "openid,read,r1", "Remote-Flags": "true/true", "Remote-Tenant": "7",
		} {
			if got.Header.Get(name) != want {
				t.Errorf("%s is %q, want %q", name, got.Header.Get(name), want)
			}
		}
		if _, forged := got.Header["Remote_groups"]; forged {
			t.Error("the client's Remote_Groups reached the upstream")
		}
	}
	bob := map[string]any{"sub": "u2", "aud": "api", "preferred_username": "bob"}
	s.get("/", bearerToken(idp.Sign(bob))).expect(t, 403, "-", deniedBody)
	for name, claims := range map[string]map[string]any{
		"groups a number":     {"groups": 7},
		"roles of numbers":    {"realm_access": map[string]any{"roles": []int{1}}},
		"staff a text":        {"is_staff": "yes"},
		"user a list":         {"preferred_username": []string{"root"}},
		"user empty":          {"preferred_username": ""},
		"user with a newline": {"preferred_username": "root\n"},
	} {
		all := map[string]any{"sub": "u2", "aud": "api", "preferred_username": "bob"}
		for claim, value := range claims {
			all[claim] = value
		}
		if got := s.get("/", bearerToken(idp.Sign(all))); got.Status != http.StatusUnauthorized || got.Body != invalidToken {
			t.Errorf("%s: %d %q", name, got.Status, got.Body)
		}
	}
}

// TestJWT_client has tokens of programs that speak for themselves.
func TestJWT_client(t *testing.T) {
	idp := idptest.New(t)
	line := bearerToken(idp.Sign(map[string]any{"sub": "daemon", "client_id": "daemon", "aud": "api", "scope": "read"}))
	s := serve(t, jwtSite(idp))
	s.get("/", line).expect(t, 403, "-", deniedBody)
	s.reload("{{site}} {\nrest_auth {\nauthenticate jwt {\nissuer " + idp.Issuer() + "\naudience api\n" + local + "}\nrequire scope read\nrequire client daemon\n}\n" + printUser + "\n}")
	s.get("/", line).expect(t, 200, "-", "|"+idp.Issuer()+"|daemon|read||daemon|jwt")
	s.reload(jwtSite(idp, "user_claim sub"))
	s.get("/", line).expect(t, 200, "-", "daemon|"+idp.Issuer()+"|daemon|read||daemon|jwt")
}

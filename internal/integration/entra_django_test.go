// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/entratest"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const entraDjango = `Bearer realm="api" token_type="JWT"`

// entraDjangoSite has the settings of a project with django-entra-auth.
func entraDjangoSite(idp *entratest.Server, before string, lines ...string) string {
	return "{{site}} {\nrest_auth {\n" + before + entraBlock(idp, entratest.Contoso, append([]string{"compat django"}, lines...)...) + "}\n" +
		`respond "{http.auth.user.id} groups={http.auth.user.groups} staff={http.auth.user.staff} super={http.auth.user.superuser} perms={http.auth.user.permissions} name={http.auth.user.name}"` + "\n}\n"
}

func entraGraph(idp *entratest.Server) string {
	return "graph {\nclient_id " + entratest.Orders + "\nclient_secret " + entratest.Secret + "\nendpoint " + idp.URL + "\n}"
}

// entraUPN is a token of django's kind of user.
func entraUPN(idp *entratest.Server, name string, others entratest.Claims) string {
	return idp.Sign(idp.User("1.0", entratest.Contoso, entratest.Alice, name).With(others))
}

// entraOverage has the claims of a user with too many groups.
func entraOverage(idp *entratest.Server) entratest.Claims {
	return entratest.Claims{
		"_claim_names":   map[string]string{"groups": "src1"},
		"_claim_sources": map[string]any{"src1": map[string]string{"endpoint": "https://graph.windows.net/" + entratest.Contoso + "/users/x/getMemberObjects"}},
	}
}

// TestEntraDjango is each row of AdfsAccessTokenAuthentication.
func TestEntraDjango(t *testing.T) {
	idp := entratest.New(t)
	idp.MFA[entratest.Alice] = true
	s := serve(t, entraDjangoSite(idp, "", entraGraph(idp)))
	s.seed()
	const invalid = "Invalid access token."
	good := idp.User("1.0", entratest.Contoso, entratest.Alice, "alice")
	signed := func(algorithm string) string {
		return idp.SignWith(map[string]any{"typ": "JWT", "alg": algorithm, "kid": entratest.Shared}, entratest.Shared, good)
	}
	for name, row := range map[string]struct {
		line   string
		status int
		body   string
	}{
		"RS256":            {"Bearer " + signed("RS256"), 200, "alice groups="},
		"RS384":            {"Bearer " + signed("RS384"), 200, "alice groups="},
		"RS512":            {"Bearer " + signed("RS512"), 200, "alice groups="},
		"any case":         {"bEaReR " + signed("RS256"), 200, "alice groups="},
		"aud in a list":    {"Bearer " + idp.Sign(good.With(entratest.Claims{"aud": []string{"x", entratest.OrdersURI}})), 200, "alice groups="},
		"without scp":      {"Bearer " + idp.Sign(good.With(entratest.Claims{"scp": nil})), 200, "alice groups="},
		"a new user":       {"Bearer " + entraUPN(idp, "newcomer@contoso.example", nil), 200, "newcomer@contoso.example groups="},
		"no exp":           {"Bearer " + idp.Sign(good.With(entratest.Claims{"exp": nil})), 401, invalid},
		"other scheme":     {"Token x", 401, "Authentication credentials were not provided."},
		"no token":         {"Bearer", 401, "Invalid authorization header. No credentials provided."},
		"two words":        {"Bearer a b", 401, "Invalid authorization header. Access token should not contain spaces."},
		"garbage":          {"Bearer garbage", 401, invalid},
		"garbage in three": {"Bearer a.b.c", 401, invalid},
		"unknown key":      {"Bearer " + idp.SignWith(map[string]any{"alg": "RS256", "kid": entratest.NotPublished}, entratest.NotPublished, good), 401, invalid},
		"expired":          {"Bearer " + idp.Sign(good.With(entratest.Claims{"exp": 1600000000})), 401, invalid},
		"wrong aud":        {"Bearer " + idp.Sign(good.With(entratest.Claims{"aud": "api://other"})), 401, invalid},
		"no aud":           {"Bearer " + idp.Sign(good.With(entratest.Claims{"aud": nil})), 401, invalid},
		"wrong iss":        {"Bearer " + idp.Sign(good.With(entratest.Claims{"iss": "https://issuer.example"})), 401, invalid},
		"other tenant":     {"Bearer " + idp.Sign(idp.User("1.0", entratest.Fabrikam, entratest.Alice, "alice")), 401, invalid},
		"nbf":              {"Bearer " + idp.Sign(good.With(entratest.Claims{"nbf": 4000000000})), 401, invalid},
		"iat":              {"Bearer " + idp.Sign(good.With(entratest.Claims{"iat": 4000000000})), 401, invalid},
		"HS256":            {"Bearer " + signed("HS256"), 401, invalid},
		"none":             {"Bearer " + signed("none"), 401, invalid},
		"no username":      {"Bearer " + idp.Sign(good.With(entratest.Claims{"upn": nil})), 401, invalid},
		"username unfit":   {"Bearer " + entraUPN(idp, "a:b", nil), 401, invalid},
		"an app":           {"Bearer " + idp.Sign(idp.App("1.0", entratest.Contoso, "Orders.Reader")), 401, invalid},
		"MFA":              {"Bearer " + entraUPN(idp, "alice", entraOverage(idp)), 401, "MFA auth is required."},
		"inactive":         {"Bearer " + entraUPN(idp, "gone", nil), 401, "User inactive or deleted."},
		"bytes":            {"Bearer \xff\xfe", 401, invalid},
		"a guest":          {"Bearer " + entraUPN(idp, "alice", entratest.Claims{"acct": 1}), 200, "alice groups="},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				got := s.get("/", "Authorization: "+row.line)
				if row.status != 200 {
					got.expect(t, row.status, entraDjango, detail(row.body))
				} else if got.Status != 200 || !strings.HasPrefix(got.Body, row.body) {
					t.Errorf("%d %q, want %s", got.Status, got.Body, row.body)
				}
			}
		})
	}
	s.get("/").expect(t, 401, entraDjango, notAuthenticated)
	user, err := s.store().UserByName(t.Context(), "newcomer@contoso.example")
	if err != nil || user.PasswordHash != "" || len(user.Groups) > 0 {
		t.Errorf("the new user: %+v, %v", user, err)
	}
	if _, err := s.store().UserByName(t.Context(), "a:b"); err == nil {
		t.Error("a name that nobody can have was stored")
	}

	// A Graph that refuses the exchange.
	idp.Lock()
	idp.MFA[entratest.Alice] = false
	idp.Unlock()
	idp.Fail("token", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant","error_codes":[50013]}`))
	})
	refused := entraToken(entraUPN(idp, "alice", entraOverage(idp).With(entratest.Claims{"uti": "other"})))
	s.get("/", refused).expect(t, 401, entraDjango, detail(invalid))
}

// TestEntraDjango_settings is the rows that depend on one.
func TestEntraDjango_settings(t *testing.T) {
	idp := entratest.New(t)
	const invalid = "Invalid access token."

	// CREATE_NEW_USERS False, BLOCK_GUEST_USERS True.
	s := serve(t, entraDjangoSite(idp, "", "create off", "allow_guests off"))
	s.seed()
	s.get("/", entraToken(entraUPN(idp, "stranger", nil))).expect(t, 401, entraDjango, detail(invalid))
	s.get("/", entraToken(entraUPN(idp, "alice", entratest.Claims{"acct": 1}))).expect(t, 401, entraDjango, detail(invalid))
	if got := s.get("/", entraToken(entraUPN(idp, "alice", nil))); got.Status != 200 {
		t.Errorf("a known user: %d %q", got.Status, got.Body)
	}

	// GUEST_USERNAME_CLAIM.
	s.reload(entraDjangoSite(idp, "", "guest_user_claim unique_name"))
	guest := entraUPN(idp, "alice", entratest.Claims{"upn": nil, "unique_name": "live.com#bob@outlook.example", "idp": "live.com"})
	if got := s.get("/", entraToken(guest)); got.Status != 200 || !strings.HasPrefix(got.Body, "live.com#bob@outlook.example ") {
		t.Errorf("a guest: %d %q", got.Status, got.Body)
	}
	s.get("/", entraToken(entraUPN(idp, "x", entratest.Claims{"upn": nil, "unique_name": "home"}))).expect(t, 401, entraDjango, detail(invalid))

	// A daemon is let in as there, unless the site says otherwise.
	robot, role := entraToken(idp.Sign(idp.App("2.0", entratest.Contoso))), entraToken(idp.Sign(idp.App("2.0", entratest.Contoso, "r")))
	for apps, want := range map[string][2]int{"": {200, 200}, "apps any": {200, 200}, "apps roles": {401, 200}, "apps off": {401, 401}} {
		s.reload(entraDjangoSite(idp, "", "user_claim oid", apps))
		if got := [2]int{s.get("/", robot).Status, s.get("/", role).Status}; got != want {
			t.Errorf("a daemon without and with a role, %q: %v, want %v", apps, got, want)
		}
	}

	// TENANT_ID common, and keys without x5c.
	idp.Lock()
	idp.Bare = true
	idp.Unlock()
	s.reload(strings.Replace(entraDjangoSite(idp, "", "client_id "+entratest.Mobile, "allowed_tenants "+entratest.Contoso), "entra "+entratest.Contoso, "entra common", 1))
	for _, version := range []string{"1.0", "2.0"} {
		token := entraToken(idp.Sign(idp.User(version, entratest.Contoso, entratest.Alice, "alice").With(entratest.Claims{"upn": "alice"})))
		if got := s.get("/", token); got.Status != 200 || !strings.HasPrefix(got.Body, "alice ") {
			t.Errorf("common, v%s: %d %q", version, got.Status, got.Body)
		}
	}

	// A session comes first: the same bodies without a challenge.
	s.reload(entraDjangoSite(idp, "authenticate session\n"))
	s.get("/").expect(t, 403, "-", notAuthenticated)
	s.get("/", entraToken("garbage")).expect(t, 403, "-", detail(invalid))
	if got := s.get("/", entraToken(entraUPN(idp, "alice", nil))); got.Status != 200 {
		t.Errorf("behind a session: %d %q", got.Status, got.Body)
	}

	// Entra ID is down: its own tokens are 503, and passwords are not its business.
	idp.Fail("metadata", entratest.Down)
	idp.Fail("keys", entratest.Down)
	s.reload(entraDjangoSite(idp, "authenticate basic\n", "client_id "+entratest.Orders))
	if got := s.get("/", entraToken(entraUPN(idp, "alice", nil))); got.Status != 503 {
		t.Errorf("no keys: %d %q", got.Status, got.Body)
	}
	s.get("/", basic("alice", "wrong")).expect(t, 401, `Basic realm="api"`, invalidLogin)
	if got := s.get("/", basic("alice", "pw")); got.Status != 200 {
		t.Errorf("a password: %d", got.Status)
	}
}

// TestEntraDjango_groups is the groups and flags of a token, in place of those
// that the user has in the store.
func TestEntraDjango_groups(t *testing.T) {
	idp := entratest.New(t)
	s := serve(t, entraDjangoSite(idp, "",
		"staff_claim groups admins", "superuser_claim is_root", "name_claim full_name", entraGraph(idp)))
	s.seed()
	if err := s.store().PutGroup(t.Context(), tokenstore.Group{Name: "editors", Permissions: []string{"shop.change_order"}}); err != nil {
		t.Fatal(err)
	}
	user := s.user("alice")
	user.Staff, user.Permissions = true, []string{"shop.view_order"}
	s.putUser(user)
	for range 3 {
		idp.Groups[entratest.Alice] = append(idp.Groups[entratest.Alice], entratest.Group{ID: "i", DisplayName: "other"})
	}
	idp.Groups[entratest.Alice] = append(idp.Groups[entratest.Alice], entratest.Group{ID: "e", DisplayName: "editors"})
	idp.PageSize = 2
	for name, row := range map[string]struct {
		claims entratest.Claims
		want   string
	}{
		"absent":      {nil, "alice groups= staff=false super=false perms=shop.view_order name=Alice Liddell"},
		"unknown":     {entratest.Claims{"groups": []string{"nowhere"}}, "alice groups= staff=false super=false perms=shop.view_order name=Alice Liddell"},
		"one text":    {entratest.Claims{"groups": "editors"}, "alice groups=editors staff=false super=false perms=shop.change_order,shop.view_order name=Alice Liddell"},
		"flag":        {entratest.Claims{"groups": []string{"admins"}}, "alice groups= staff=true super=false perms=shop.view_order name=Alice Liddell"},
		"Yes":         {entratest.Claims{"is_root": "Yes"}, "alice groups= staff=false super=true perms=shop.view_order name=Alice Liddell"},
		"a number":    {entratest.Claims{"is_root": 1}, "alice groups= staff=false super=true perms=shop.view_order name=Alice Liddell"},
		"something":   {entratest.Claims{"is_root": "root"}, "alice groups= staff=false super=false perms=shop.view_order name=Alice Liddell"},
		"mapped name": {entratest.Claims{"full_name": "A. L."}, "alice groups= staff=false super=false perms=shop.view_order name=A. L."},
		"overage":     {entraOverage(idp), "alice groups=editors staff=false super=false perms=shop.change_order,shop.view_order name=Alice Liddell"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := s.get("/", entraToken(entraUPN(idp, "alice", row.claims))); got.Status != 200 || got.Body != row.want {
				t.Errorf("%d %q, want %q", got.Status, got.Body, row.want)
			}
		})
	}
	if user := s.user("alice"); !user.Staff || strings.Join(user.Groups, " ") != "editors readers" {
		t.Errorf("the store was written to: %+v", user)
	}

	s.reload(entraDjangoSite(idp, "", "mirror_groups"))
	if got := s.get("/", entraToken(entraUPN(idp, "alice", entratest.Claims{"groups": []string{"editors", "nowhere"}}))); !strings.HasPrefix(got.Body, "alice groups=editors,nowhere ") {
		t.Errorf("mirrored: %d %q", got.Status, got.Body)
	}
	s.reload(entraDjangoSite(idp, "", "group_claim off"))
	if got := s.get("/", entraToken(entraUPN(idp, "alice", entraOverage(idp)))); !strings.HasPrefix(got.Body, "alice groups=editors,readers staff=true ") {
		t.Errorf("no group claim: %d %q", got.Status, got.Body)
	}
}

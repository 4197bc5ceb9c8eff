// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/url"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
)

// TestOIDC is a login at a provider and what comes of it.
func TestOIDC(t *testing.T) {
	p := newIDP(t)
	p.claims["email"], p.claims["email_verified"] = "dora@example.com", true
	p.claims["realm_access"] = map[string]any{"roles": []string{"editors", "staff"}}
	s := serveOIDC(t, p, "group_claim realm_access.roles\nstaff_claim realm_access.roles staff")
	v := s.visit()

	got := v.ask("GET", "/wiki?page=1", "", asHTML)
	if got.Status != 302 || got.Header.Get("Location") != "/auth/login/?next=%2Fwiki%3Fpage%3D1" {
		t.Fatalf("a navigation leads to %d %q", got.Status, got.Header.Get("Location"))
	}
	if got := v.ask("GET", "/wiki", "", asJSON); got.Status != 403 {
		t.Errorf("an API call is answered %d", got.Status)
	}
	location := v.loginAt(got.Header.Get("Location"))
	query, _ := url.ParseQuery(location[strings.Index(location, "?")+1:])
	if query.Get("scope") != "openid profile email" || query.Get("redirect_uri") != s.URL+"/auth/callback/corp/" || len(query) != 8 {
		t.Errorf("a login leads to %s", location)
	}
	if n := v.attempts(); len(n) != 1 {
		t.Errorf("the browser keeps %q", n)
	}
	got = v.callback("corp", p.consent(location))
	if got.Status != 303 || got.Header.Get("Location") != "/wiki?page=1" || len(v.attempts()) != 0 || v.cookie("sessionid") == "" {
		t.Fatalf("the login ends with %d to %q, %q", got.Status, got.Header.Get("Location"), got.Header["Set-Cookie"])
	}
	for _, secret := range []string{query.Get("state"), query.Get("nonce"), query.Get("code_challenge"), p.form.Get("code_verifier"), v.cookie("sessionid")} {
		if secret == "" || strings.Contains(s.logs.text(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
	if p.asked.Get("Authorization") != strings.TrimPrefix(basic("site", "secret"), "Authorization: ") || p.form.Has("client_secret") {
		t.Errorf("the client proves itself by %q %v", p.asked["Authorization"], p.form)
	}
	got = v.ask("GET", "/wiki", "", asHTML)
	if up := got.forwarded(t); up.Header.Get("Remote-User") != "dora" || up.Header.Get("Remote-Groups") != "editors,staff" {
		t.Errorf("the upstream sees %v", up.Header)
	}

	// The user is one of the store, known by issuer and subject.
	user, err := s.store().UserByOrigin(t.Context(), p.URL, "1001")
	if err != nil || user.Name != "dora" || user.Email != "dora@example.com" || user.FullName != "Dora" || user.PasswordHash != "" || !user.Active {
		t.Errorf("the user is %+v, %v", user, err)
	}

	// Whoever is called otherwise later is the same, in another session.
	before := v.cookie("sessionid")
	p.claims["preferred_username"], p.claims["name"], p.claims["email"] = "dora2", "Dora M.", "m@example.com"
	v.loggedIn(p)
	if again, err := s.store().User(t.Context(), user.Key); err != nil || again.Name != "dora" || again.FullName != "Dora M." || again.Email != "m@example.com" {
		t.Errorf("after the second login the user is %+v, %v", again, err)
	}
	if up := v.ask("GET", "/wiki", "", asHTML).forwarded(t); up.Header.Get("Remote-User") != "dora" || v.cookie("sessionid") == before {
		t.Errorf("the second login: %v", up.Header)
	}
	state := v.ask("GET", "/auth/login/", "", asJSON)
	for _, part := range []string{`"authenticated":true`, `"username":"dora"`, `"providers":[{"name":"corp","label":"corp","login_url":"/auth/login/corp/"}]`} {
		if !strings.Contains(state.Body, part) {
			t.Errorf("the state has no %s: %s", part, state.Body)
		}
	}
}

// TestOIDC_strict goes on by a page of this site where cookies are Strict: browsers
// do not send them along with a redirection that begins elsewhere.
func TestOIDC_strict(t *testing.T) {
	p := newIDP(t)
	s := serve(t, "{\n{{global}}\nrest_auth {\n{{store}}\nsession {\ncookie_samesite Strict\n}\n}\n}\n"+strings.Replace(oidcSite, "%s", providerLines("corp", p, ""), 1))
	s.awaitStore()
	v := s.visit()
	got := v.callback("corp", p.consent(v.loginAt("/auth/login/?next=/wiki%3Fa%26b")))
	if got.Status != 200 || got.Header.Get("Refresh") != "0; url=/wiki?a&b" || !strings.Contains(got.Body, `href="/wiki?a&amp;b"`) || v.cookie("sessionid") == "" {
		t.Errorf("the login ends with %d, Refresh %q\n%s", got.Status, got.Header.Get("Refresh"), got.Body)
	}
	if found := s.logs.lines("rest_auth_endpoints has no origin: redirect URIs begin with the host that a request names"); len(found) != 1 || found[0]["level"] != "warn" {
		t.Errorf("of a missing origin the log says %v", found)
	}
}

// TestOIDC_program begins and ends a login without a page.
func TestOIDC_program(t *testing.T) {
	p := newIDP(t)
	s := serveOIDC(t, p, "")
	v := s.visit()
	got := v.ask("GET", "/auth/login/corp/?next=/wiki", "", asJSON)
	location := strings.TrimSuffix(strings.TrimPrefix(got.Body, `{"location":"`), `"}`)
	if got.Status != 200 || !strings.HasPrefix(location, p.URL) {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	query := p.consent(location)
	if got := v.callback("corp", url.Values{"state": {"x"}}, asJSON); got.Status != 400 || got.Body != detail("This login was begun in another browser, took too long, or was finished already.") {
		t.Errorf("a bad state: %d %s", got.Status, got.Body)
	}
	if got := v.callback("corp", query, asJSON); got.Status != 200 || !strings.Contains(got.Body, `"username":"dora"`) {
		t.Errorf("the login: %d %s", got.Status, got.Body)
	}
	if got := v.ask("HEAD", "/auth/callback/corp/?"+query.Encode(), ""); got.Status != 200 {
		t.Errorf("HEAD of a callback: %d", got.Status)
	}
	for _, path := range []string{"/auth/login/none/", "/auth/callback/none/"} {
		if got := v.ask("GET", path, "", asJSON); got.Status != 404 {
			t.Errorf("%s: %d", path, got.Status)
		}
	}
	if got := v.ask("POST", "/auth/login/", ""); got.Status != 405 || got.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("POST: %d %q", got.Status, got.Header.Get("Allow"))
	}
}

// TestOIDC_refused has everything that keeps somebody out who has logged in at
// the provider.
func TestOIDC_refused(t *testing.T) {
	for name, test := range map[string]struct {
		lines  string
		claims map[string]any
		want   int
		text   string
	}{
		"unknown":            {"create off", nil, 403, "You have no account here."},
		"no group":           {"group_claim groups\nallowed_groups a b", map[string]any{"groups": []string{"c"}}, 403, "none of the groups"},
		"one group":          {"group_claim groups\nallowed_groups a b", map[string]any{"groups": []string{"c", "b"}}, 303, ""},
		"no domain":          {"allowed_domains example.com", map[string]any{"email": "x@evil.example", "email_verified": true}, 403, "none of the organizations"},
		"domain, unverified": {"allowed_domains example.com", map[string]any{"email": "x@example.com"}, 403, "none of the organizations"},
		"domain":             {"allowed_domains example.com", map[string]any{"email": "x@Example.com", "email_verified": true}, 303, ""},
		"e-mail, unverified": {"link email", map[string]any{"email": "alice@example.com"}, 403, "has not verified"},
		"e-mail, false":      {"link email", map[string]any{"email": "alice@example.com", "email_verified": false}, 403, "has not verified"},
		"e-mail":             {"link email", map[string]any{"email": "alice@example.com", "email_verified": true}, 303, ""},
		"a name taken":       {"", map[string]any{"preferred_username": "bob"}, 403, "Somebody else has the name here"},
		"inactive":           {"link preferred_username", map[string]any{"preferred_username": "gone"}, 403, "Your account is disabled."},
		"linked by name":     {"link preferred_username", map[string]any{"preferred_username": "bob"}, 303, ""},
		"no name":            {"", map[string]any{"preferred_username": nil}, 400, "Login failed."},
		"name of a type":     {"", map[string]any{"preferred_username": []string{"x"}}, 400, "Login failed."},
		"a control":          {"", map[string]any{"preferred_username": "a\nb"}, 400, "Login failed."},
		"userinfo":           {"userinfo on\ngroup_claim groups\nallowed_groups a", nil, 303, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newIDP(t)
			p.userinfo = map[string]any{"sub": "1001", "groups": []string{"a"}, "preferred_username": "other"}
			for claim, value := range test.claims {
				p.claims[claim] = value
			}
			s := serveOIDC(t, p, test.lines)
			s.seed()
			v := s.visit()
			got := v.callback("corp", p.consent(v.loginAt("/auth/login/?next=/wiki")))
			if got.Status != test.want || !strings.Contains(got.Body, test.text) || (v.cookie("sessionid") != "") != (test.want == 303) {
				t.Errorf("%d, want %d with %q:\n%s", got.Status, test.want, test.text, got.Body)
			}
			if test.want >= 400 && !strings.Contains(got.Body, `href="/auth/login/corp/?next=%2Fwiki"`) {
				t.Errorf("nobody can try again:\n%s", got.Body)
			}
			if test.want == 303 && name == "userinfo" && v.ask("GET", "/wiki", "", asHTML).forwarded(t).Header.Get("Remote-User") != "dora" {
				t.Error("what is signed does not go first")
			}
		})
	}
}

// TestOIDC_several has people choose, on the page of this endpoint and on that of
// passwords.
func TestOIDC_several(t *testing.T) {
	a, b := newIDP(t), newIDP(t)
	s := serve(t, `
{{site}} {
	rest_auth_endpoints {
		session /auth/
		oidc /auth/at/ {
			`+providerLines("a", a, "label \"A & Co\"")+providerLines("b", b, "")+`
		}
	}
	reverse_proxy {{echo}}
}`)
	s.awaitStore()
	v := s.visit()
	for _, page := range []string{"/auth/login/?next=/x%3Fy", "/auth/at/login/?next=/x%3Fy"} {
		got := v.ask("GET", page, "", asHTML)
		for _, part := range []string{`href="/auth/at/login/a/?next=%2Fx%3Fy">Log in with A &amp; Co</a>`, `href="/auth/at/login/b/?next=%2Fx%3Fy">Log in with b</a>`} {
			if got.Status != 200 || !strings.Contains(got.Body, part) {
				t.Errorf("%s has no %s: %d\n%s", page, part, got.Status, got.Body)
			}
		}
	}
	// A link that leads elsewhere leads nowhere.
	if got := v.ask("GET", "/auth/at/login/?next=//evil.example", "", asHTML); strings.Contains(got.Body, "evil") {
		t.Errorf("the page repeats where a link leads:\n%s", got.Body)
	}
	for i, p := range []*idp{a, b} {
		name, want := []string{"a", "b"}[i], []int{303, 403}[i]
		query := p.consent(v.loginAt("/auth/at/login/" + name + "/"))
		if got := v.ask("GET", "/auth/at/callback/"+name+"/?"+query.Encode(), "", asHTML); got.Status != want {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	users, _, err := s.store().Users(t.Context(), "", 10)
	if err != nil || len(users) != 1 || users[0].Origin != a.URL {
		t.Errorf("one subject at two providers is %+v, %v", users, err)
	}
}

// TestOIDC_entra logs people of several tenants in, and none of others.
func TestOIDC_entra(t *testing.T) {
	const home, guest, stranger, object = "11111111-2222-3333-4444-555555555555", "22222222-2222-3333-4444-555555555555",
		"33333333-2222-3333-4444-555555555555", "aaaaaaaa-2222-3333-4444-555555555555"
	p := newIDP(t)
	p.SetMetadata("issuer", p.URL+"/{tenantid}/v2.0")
	s := serve(t, strings.Replace(oidcSite, "%s", "provider entra {\ntenant organizations\nallowed_tenants "+home+" "+guest+"\nissuer "+p.URL+
		"/organizations/v2.0\ndiscovery_url "+p.URL+"/.well-known/openid-configuration\nclient_id site\nallow_http\nallow_internal loopback\n}\n", 1))
	s.awaitStore()
	for name, test := range map[string]struct {
		claims map[string]any
		want   int
	}{
		"home":             {map[string]any{"tid": home, "oid": object}, 303},
		"another of ours":  {map[string]any{"tid": guest, "oid": object}, 303},
		"a stranger":       {map[string]any{"tid": stranger, "oid": object}, 400},
		"no tenant":        {map[string]any{"tid": nil, "oid": object}, 400},
		"no object":        {map[string]any{"tid": home, "oid": nil}, 400},
		"another's tenant": {map[string]any{"tid": home, "oid": object, "iss": p.URL + "/" + stranger + "/v2.0"}, 400},
		"the template":     {map[string]any{"tid": home, "oid": object, "iss": p.URL + "/{tenantid}/v2.0"}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			tenant, _ := test.claims["tid"].(string)
			p.claims = map[string]any{"sub": "pairwise", "preferred_username": "dora@" + tenant, "email": "dora@example.com", "xms_edov": tenant == guest, "iss": p.URL + "/" + tenant + "/v2.0"}
			for claim, value := range test.claims {
				p.claims[claim] = value
			}
			v := s.visit()
			if got := v.callback("entra", p.consent(v.loginAt("/auth/login/"))); got.Status != test.want {
				t.Errorf("%d, want %d: %s", got.Status, test.want, got.Body)
			}
		})
	}
	// They are known as `authenticate entra` knows them.
	// An address is what a tenant says, unless Entra ID says that its domain is the
	// tenant's own.
	for tenant, email := range map[string]string{home: "", guest: "dora@example.com"} {
		if user, err := s.store().UserByOrigin(t.Context(), "entra:"+tenant, object); err != nil || user.Name != "dora@"+tenant || user.Email != email {
			t.Errorf("%s: %+v, %v", tenant, user, err)
		}
	}
	if users, _, err := s.store().Users(t.Context(), "", 10); err != nil || len(users) != 2 {
		t.Errorf("there are %+v, %v", users, err)
	}
}

// TestOIDC_circles has people come to the login page after the login, who are not
// logged in once more for that.
func TestOIDC_circles(t *testing.T) {
	p := newIDP(t)
	for _, more := range []string{"", "redirect_authenticated_user\n"} {
		s := serve(t, strings.Replace(oidcSite, "%s", "login_redirect_url /auth/login/\n"+more+providerLines("corp", p, ""), 1))
		s.awaitStore()
		v := s.visit()
		if got := v.callback("corp", p.consent(v.loginAt("/auth/login/"))); got.Status != 303 || got.Header.Get("Location") != "/auth/login/" {
			t.Fatalf("the login ends with %d %q", got.Status, got.Header.Get("Location"))
		}
		if got := v.ask("GET", "/auth/login/", "", asHTML); got.Status != 200 || !strings.Contains(got.Body, "logged in as <strong>dora</strong>") {
			t.Errorf("the page after the login: %d %q", got.Status, got.Header.Get("Location"))
		}
		v.loginAt("/auth/login/?next=/wiki")
	}
}

// TestOIDC_besideTokens has people log in, and their programs bring tokens: they
// are one user, and programs are challenged, not sent to a page.
func TestOIDC_besideTokens(t *testing.T) {
	p := newIDP(t)
	jwt := "authenticate jwt {\nissuer " + p.URL + "\naudience api\nlink subject\nallow_http\nallow_internal loopback\n}\nauthenticate session"
	s := serve(t, strings.Replace(strings.Replace(oidcSite, "%s", providerLines("corp", p, ""), 1), "authenticate session", jwt, 1))
	s.awaitStore()
	token := "Authorization: Bearer " + p.Sign(map[string]any{"sub": "1001", "aud": "api", "client_id": "app"}, idptest.Type("at+jwt"))
	if got := s.get("/wiki", token); got.Status != 401 {
		t.Errorf("before the first login a token is answered %d", got.Status)
	}
	v := s.visit().loggedIn(p)
	for _, got := range []reply{v.ask("GET", "/wiki", "", asHTML), s.get("/wiki", token)} {
		if up := got.forwarded(t); up.Header.Get("Remote-User") != "dora" {
			t.Errorf("the upstream sees %v", up.Header)
		}
	}
	if got := s.get("/wiki", asJSON); got.Status != 401 || got.Header.Get("WWW-Authenticate") != `Bearer realm="api"` {
		t.Errorf("a program is answered %d %q", got.Status, got.Header)
	}
	if got := s.get("/wiki", asHTML); got.Status != 302 || got.Header.Get("Location") != "/auth/login/?next=%2Fwiki" {
		t.Errorf("a navigation is answered %d %q", got.Status, got.Header)
	}
}

// TestOIDC_operators has those who log in at a provider among users and sessions.
func TestOIDC_operators(t *testing.T) {
	p := newIDP(t)
	address := freeAddress(t)
	sh := newShell(t, strings.Replace(strings.ReplaceAll(sessionCaddyfile, "{{site}}", "http://:"+port(address)), "session /auth/", "oidc /auth/ {\n"+providerLines("corp", p, "")+"}", 1))
	sh.start()
	s := &server{t: t, URL: "http://" + address}
	v := s.visit().loggedIn(p)
	sh.run(
		step{args: "user list --address $ADMIN", out: `dora`},
		step{args: "session list --user dora --address $ADMIN --json", out: `"provider": "corp"`},
	)
	if got := v.ask("GET", "/", ""); got.Status != 200 {
		t.Errorf("the session is %d", got.Status)
	}
	sh.run(step{args: "session end --user dora --all --address $ADMIN", err: "ended 1 sessions of dora"})
	if got := v.ask("GET", "/", ""); got.Status != 403 {
		t.Errorf("the session that was ended is %d", got.Status)
	}
	v.loggedIn(p)
	sh.run(step{args: "user disable dora --address $ADMIN"})
	if got := v.ask("GET", "/", ""); got.Status != 403 {
		t.Errorf("the session of who was disabled is %d", got.Status)
	}
	if got := v.callback("corp", p.consent(v.loginAt("/auth/login/"))); got.Status != 403 || !strings.Contains(got.Body, "Your account is disabled.") {
		t.Errorf("who was disabled logs in: %d %s", got.Status, got.Body)
	}
}

// TestOIDC_reload finishes a login that was begun before a reload, and ends a session
// of before it.
func TestOIDC_reload(t *testing.T) {
	p := newIDP(t)
	caddyfile := strings.Replace(oidcSite, "%s", providerLines("corp", p, ""), 1)
	s := serve(t, caddyfile)
	s.awaitStore()
	v := s.visit()
	query := p.consent(v.loginAt("/auth/login/?next=/wiki"))
	fetched, _ := p.Fetches()
	for range 3 {
		s.reload(caddyfile + "\n")
		s.get("/auth/logout/") // what the old listener had accepted is over
	}
	if got := v.callback("corp", query); got.Status != 303 || got.Header.Get("Location") != "/wiki" {
		t.Fatalf("after a reload the login ends with %d %s", got.Status, got.Body)
	}
	if again, _ := p.Fetches(); again != fetched {
		t.Errorf("reloads asked the provider %d times more", again-fetched)
	}
	s.reload(caddyfile)
	s.get("/auth/logout/")
	if at := endThere(t, v.form("/auth/logout/")); at.Query().Get("id_token_hint") == "" {
		t.Errorf("after a reload the provider is told %s", at)
	}
}

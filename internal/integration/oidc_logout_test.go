// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
)

// endThere returns where the page after a logout leads.
func endThere(t *testing.T, got reply) *url.URL {
	t.Helper()
	_, location, ok := strings.Cut(got.Header.Get("Refresh"), "0; url=")
	at, err := url.Parse(location)
	if got.Status != 200 || !ok || err != nil || !strings.Contains(got.Body, "You are logged out here.") {
		t.Fatalf("a logout is answered %d, Refresh %q\n%s", got.Status, got.Header.Get("Refresh"), got.Body)
	}
	return at
}

// TestOIDC_logout ends a session here and at the provider, and comes back.
func TestOIDC_logout(t *testing.T) {
	p := newIDP(t)
	s := serveOIDC(t, p, "label Corp")
	v := s.visit().loggedIn(p)

	// No link logs anybody out.
	got := v.ask("GET", "/auth/logout/?next=/bye", "", asHTML)
	if got.Status != 200 || !strings.Contains(got.Body, "logged in as <strong>dora</strong>") || !strings.Contains(got.Body, "at Corp too") {
		t.Errorf("the logout page: %d\n%s", got.Status, got.Body)
	}
	if got := v.ask("POST", "/auth/logout/", "", asHTML, ofForm); got.Status != 403 || v.cookie("sessionid") == "" || !strings.Contains(got.Body, "out of date") {
		t.Errorf("a logout without a token: %d", got.Status)
	}
	at := endThere(t, v.form("/auth/logout/?next=/bye"))
	query := at.Query()
	if at.Path != "/logout" || query.Get("client_id") != "site" || query.Get("post_logout_redirect_uri") != s.URL+"/auth/logout/" || len(query.Get("state")) != 43 {
		t.Errorf("the provider is told %s", at)
	}
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(query.Get("id_token_hint"), claims); err != nil || claims["sub"] != "1001" || claims["sid"] != "s1" {
		t.Errorf("the hint is of %v, %v", claims, err)
	}
	if got := v.ask("GET", "/wiki", "", asHTML); got.Status != 302 {
		t.Errorf("after the logout: %d", got.Status)
	}
	back := "/auth/logout/?state=" + query.Get("state")
	if got := v.ask("GET", back, "", asHTML); got.Status != 303 || got.Header.Get("Location") != "/bye" || len(v.attempts()) != 0 {
		t.Errorf("back from the provider: %d %q", got.Status, got.Header.Get("Location"))
	}
	for _, who := range []*visit{v, s.visit()} {
		if got := who.ask("GET", back, "", asHTML); got.Status != 200 || !strings.Contains(got.Body, "You are logged out.") {
			t.Errorf("back once more: %d %q", got.Status, got.Header.Get("Location"))
		}
	}

	// A state of a logout is none of a login.
	v.loggedIn(p)
	state := endThere(t, v.form("/auth/logout/")).Query().Get("state")
	v.notLoggedIn(v.callback("corp", url.Values{"state": {state}, "code": {"x"}}), 400)

	// Programs are told where to go.
	v.loggedIn(p)
	state = v.ask("GET", "/auth/logout/", "", asJSON).Body
	_, token, _ := strings.Cut(state, `"csrf_token":"`)
	got = v.ask("POST", "/auth/logout/", "", asJSON, "X-CSRFToken: "+token[:64])
	if got.Status != 200 || !strings.Contains(got.Body, `"authenticated":false`) || !strings.Contains(got.Body, `"end_session_url":"`+p.URL+"/logout?") {
		t.Errorf("a program's logout: %d %s", got.Status, got.Body)
	}

	// One that takes no part is in nobody's way.
	alone := newIDP(t)
	alone.SetMetadata("end_session_endpoint", nil)
	s = serveOIDC(t, alone, "")
	v = s.visit().loggedIn(alone)
	if got := v.form("/auth/logout/?next=/bye"); got.Status != 303 || got.Header.Get("Location") != "/bye" || v.cookie("sessionid") != "" {
		t.Errorf("a provider without such a place: %d %q", got.Status, got.Header)
	}
}

// TestOIDC_backchannel has the provider end sessions.
func TestOIDC_backchannel(t *testing.T) {
	p, other := newIDP(t), newIDP(t)
	s := serve(t, strings.Replace(oidcSite, "%s", providerLines("corp", p, "")+providerLines("other", other, ""), 1))
	s.awaitStore()
	login := func(sub, sid string) *visit {
		p.claims["sub"], p.claims["sid"], p.claims["preferred_username"] = sub, sid, "user-"+sub
		v := s.visit()
		if got := v.callback("corp", p.consent(v.loginAt("/auth/login/corp/"))); got.Status != 303 {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		return v
	}
	in := func(v *visit) bool { return v.ask("GET", "/wiki", "", asHTML).Status == 200 }
	events := map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}
	n := 0 // of tokens
	token := func(change map[string]any, options ...idptest.SignOption) string {
		n++
		claims := map[string]any{"aud": "site", "sub": "1", "events": events, "jti": strings.Repeat("j", n)}
		for name, value := range change {
			claims[name] = value
		}
		return p.Sign(claims, append([]idptest.SignOption{idptest.Type("logout+jwt")}, options...)...)
	}
	send := func(name, token string) reply {
		t.Helper()
		return s.send("POST", s.URL+"/auth/backchannel-logout/"+name+"/", strings.NewReader(url.Values{"logout_token": {token}}.Encode()), ofForm)
	}

	a, b, c := login("1", "s1"), login("1", "s2"), login("1", "s3")
	d := login("2", "s1")
	hour := time.Hour
	for name, bad := range map[string]string{
		"nothing":           "",
		"garbage":           "x.y.z",
		"dots":              strings.Repeat(".", 10000),
		"no events":         token(map[string]any{"events": nil}),
		"other events":      token(map[string]any{"events": map[string]any{"x": map[string]any{}}}),
		"event of a type":   token(map[string]any{"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": 1}}),
		"a nonce":           token(map[string]any{"nonce": "x"}),
		"an ID token":       p.Sign(map[string]any{"aud": "site", "sub": "1", "nonce": "x", "jti": "id"}),
		"an access token":   token(nil, idptest.Type("at+jwt")),
		"nobody":            token(map[string]any{"sub": nil}),
		"no jti":            token(map[string]any{"jti": nil}),
		"another issuer":    token(map[string]any{"iss": other.URL}),
		"another audience":  token(map[string]any{"aud": "x"}),
		"expired":           token(map[string]any{"exp": time.Now().Add(-hour).Unix()}),
		"no end":            token(map[string]any{"exp": nil}),
		"no iat":            token(map[string]any{"iat": nil}),
		"for a day":         token(map[string]any{"exp": time.Now().Add(24 * hour).Unix()}),
		"of the future":     token(map[string]any{"iat": time.Now().Add(hour).Unix()}),
		"a secret":          token(nil, idptest.Alg("HS256"), idptest.Key([]byte("secret"))),
		"none":              token(nil, idptest.Alg("none"), idptest.Key(jwt.UnsafeAllowNoneSignatureType)),
		"another's":         other.Sign(map[string]any{"aud": "site", "iss": p.URL, "sub": "1", "events": events, "jti": "x"}),
		"subject of a type": token(map[string]any{"sub": 1}),
	} {
		if got := send("corp", bad); got.Status != 400 || !strings.HasPrefix(got.Body, `{"error":"invalid_request","error_description":"`) || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	if got := send("other", token(nil)); got.Status != 400 {
		t.Errorf("at another provider: %d", got.Status)
	}
	if got := send("none", token(nil)); got.Status != 404 {
		t.Errorf("at no provider: %d", got.Status)
	}
	if got := s.send("POST", s.URL+"/auth/backchannel-logout/corp/", strings.NewReader(`{"logout_token":"x"}`), ofJSON); got.Status != 400 {
		t.Errorf("as JSON: %d", got.Status)
	}
	if !in(a) || !in(b) || !in(c) || !in(d) {
		t.Fatal("a bad logout token ends a session")
	}

	first := token(map[string]any{"sid": "s1"})
	if got := send("corp", first); got.Status != 200 || got.Body != "" || got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("by subject and session: %d %s", got.Status, got.Body)
	}
	if in(a) || !in(b) || !in(c) || !in(d) {
		t.Error("by subject and session another one ended, or none")
	}
	// Who has logged in again is not logged out by what was heard before.
	a = login("1", "s1")
	if got := send("corp", first); got.Status != 400 || !in(a) {
		t.Errorf("the same token once more: %d", got.Status)
	}
	if got := send("corp", token(map[string]any{"sub": nil, "sid": "s2"})); got.Status != 200 || in(b) || !in(c) {
		t.Errorf("by session alone: %d", got.Status)
	}
	if got := send("corp", token(nil)); got.Status != 200 || in(a) || in(c) || !in(d) {
		t.Errorf("by subject: %d", got.Status)
	}
	if got := send("corp", token(nil)); got.Status != 200 {
		t.Errorf("of nobody who is here: %d", got.Status)
	}
}

// TestOIDC_clients has the ways in which a site proves who it is.
func TestOIDC_clients(t *testing.T) {
	key := pemKey(t)
	for name, test := range map[string]struct {
		lines   string
		methods []string
		check   func(p *idp) bool
	}{
		"basic": {"client_secret se:cret%", nil, func(p *idp) bool {
			return p.asked.Get("Authorization") == strings.TrimPrefix(basic("site", "se%3Acret%25"), "Authorization: ")
		}},
		"post by metadata": {"client_secret secret", []string{"client_secret_post"}, func(p *idp) bool {
			return p.form.Get("client_secret") == "secret" && p.form.Get("client_id") == "site" && p.asked.Get("Authorization") == ""
		}},
		"post":          {"client_secret secret\nclient_auth post", nil, func(p *idp) bool { return p.form.Get("client_secret") == "secret" }},
		"none":          {"", nil, func(p *idp) bool { return !p.form.Has("client_secret") && p.form.Get("client_id") == "site" }},
		"a secret file": {"client_secret_file " + fileOf(t, " s3\n"), nil, func(p *idp) bool { _, ok := p.asked["Authorization"]; return ok }},
		"key": {"client_key_file " + key + "\nclient_key_id k1", nil, func(p *idp) bool {
			claims := jwt.MapClaims{}
			token, _, err := jwt.NewParser().ParseUnverified(p.form.Get("client_assertion"), claims)
			return err == nil && token.Header["kid"] == "k1" && token.Method.Alg() == "ES256" && claims["iss"] == "site" && claims["sub"] == "site" &&
				claims["aud"] == p.URL+"/token" && claims["jti"] != "" &&
				p.form.Get("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newIDP(t)
			if test.methods != nil {
				p.SetMetadata("token_endpoint_auth_methods_supported", test.methods)
			}
			lines := strings.Replace(providerLines("corp", p, test.lines), "client_secret secret\n", "", 1)
			s := serve(t, strings.Replace(oidcSite, "%s", lines, 1))
			s.awaitStore()
			s.visit().loggedIn(p)
			if !test.check(p) || len(p.form.Get("code_verifier")) != 43 {
				t.Errorf("the provider gets %v %v", p.asked, p.form)
			}
			if strings.Contains(s.logs.text(), p.form.Get("code_verifier")) || strings.Contains(s.logs.text(), p.form.Get("code")+`"`) {
				t.Error("the log has a code or a verifier")
			}
		})
	}
}

// fileOf returns the path of a file with that text.
func fileOf(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// pemKey returns the path of a new private key on P-256.
func pemKey(t *testing.T) string {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return fileOf(t, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})))
}

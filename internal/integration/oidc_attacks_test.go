// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// notLoggedIn fails if the answer is anything but a refusal without a session.
func (v *visit) notLoggedIn(got reply, status int) {
	v.t.Helper()
	if got.Status != status || v.cookie("sessionid") != "" {
		v.t.Errorf("%d, want %d, session %q:\n%s", got.Status, status, v.cookie("sessionid"), got.Body)
	}
	if strings.Contains(got.Body, "<script") {
		v.t.Errorf("the page has a script:\n%s", got.Body)
	}
}

// TestOIDC_mixUp has the code of one provider brought to the callback of another
// (RFC 9700 section 4.4).
func TestOIDC_mixUp(t *testing.T) {
	a, b := newIDP(t), newIDP(t)
	s := serve(t, strings.Replace(oidcSite, "%s", providerLines("a", a, "")+providerLines("b", b, ""), 1))
	s.awaitStore()
	v := s.visit()
	query := a.consent(v.loginAt("/auth/login/a/"))
	v.notLoggedIn(v.callback("b", query), 400)
	if b.redeemed() != 0 {
		t.Error("the code of one provider was sent to another")
	}
	if got := v.callback("a", query); got.Status != 303 {
		t.Errorf("at the right one: %d", got.Status)
	}

	// The provider says who it is (RFC 9207), or has to.
	for name, test := range map[string]struct {
		iss  string
		must bool
		want int
	}{
		"right":            {a.URL, false, 303},
		"another":          {b.URL, false, 400},
		"empty":            {"", false, 400},
		"missing":          {"-", false, 303},
		"required, right":  {a.URL, true, 303},
		"required, absent": {"-", true, 400},
	} {
		t.Run(name, func(t *testing.T) {
			p := newIDP(t)
			p.SetMetadata("authorization_response_iss_parameter_supported", test.must)
			s := serveOIDC(t, p, "")
			v := s.visit()
			query := p.consent(v.loginAt("/auth/login/"))
			if test.iss != "-" {
				query.Set("iss", strings.Replace(test.iss, a.URL, p.URL, 1))
			}
			if got := v.callback("corp", query); got.Status != test.want || p.redeemed() != map[bool]int{true: 1}[test.want == 303] {
				t.Errorf("%d, want %d, %d codes redeemed", got.Status, test.want, p.redeemed())
			}
		})
	}
}

// TestOIDC_browser has logins that the browser did not begin, or has finished.
func TestOIDC_browser(t *testing.T) {
	p := newIDP(t)
	s := serveOIDC(t, p, "")
	alice, mallory := s.visit(), s.visit()

	// Login CSRF: the code and state of somebody else.
	foreign := p.consent(mallory.loginAt("/auth/login/"))
	alice.notLoggedIn(alice.callback("corp", foreign), 400)

	// Code injection: somebody else's code in one's own login. PKCE keeps it from
	// being redeemed, and where a provider does not look at that, the nonce.
	for _, noPKCE := range []bool{false, true} {
		p.noPKCE = noPKCE
		stolen, own := p.consent(alice.loginAt("/auth/login/")), p.consent(mallory.loginAt("/auth/login/"))
		own.Set("code", stolen.Get("code"))
		mallory.notLoggedIn(mallory.callback("corp", own), 400)
	}
	p.noPKCE = false

	// Each login ends once, whatever the provider thinks of its code.
	p.replay = true
	v := s.visit()
	location := v.loginAt("/auth/login/?next=/a")
	at, _ := url.Parse(s.URL)
	kept := v.jar.Cookies(at)
	query := p.consent(location)
	statuses := make(chan int, 8)
	var together sync.WaitGroup
	for range cap(statuses) {
		together.Go(func() {
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/auth/callback/corp/?"+query.Encode(), nil)
			for _, cookie := range kept {
				r.AddCookie(cookie)
			}
			response, err := client(t).Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			statuses <- response.StatusCode
			_ = response.Body.Close()
		})
	}
	together.Wait()
	close(statuses)
	count := make(map[int]int)
	for status := range statuses {
		count[status]++
	}
	if count[303] != 1 || count[400] != 7 {
		t.Errorf("one login that is finished eight times at once: %v", count)
	}

	// A cookie that was changed, or is of another state, is none.
	v = s.visit()
	query = p.consent(v.loginAt("/auth/login/"))
	name := v.attempts()[0]
	value := v.cookie(name)
	for _, bad := range []string{"", "x", value[1:], value + "A", value[:len(value)-2] + "AA", strings.Repeat("A", 6000)} {
		r := s.do("GET", "/auth/callback/corp/?"+query.Encode(), "Cookie: "+name+"="+bad)
		if r.Status != 400 {
			t.Errorf("a bad cookie of %d bytes: %d", len(bad), r.Status)
		}
	}
	if r := s.do("GET", "/auth/callback/corp/?"+query.Encode(), "Cookie: "+strings.Repeat(name+"=x; ", 3)+name+"="+value); r.Status != 303 {
		t.Errorf("the right cookie among planted ones: %d", r.Status)
	}
}

// TestOIDC_tabs begins logins in several tabs, and more of them than fit.
func TestOIDC_tabs(t *testing.T) {
	p := newIDP(t)
	s := serveOIDC(t, p, "")
	v := s.visit()
	first, second := p.consent(v.loginAt("/auth/login/?next=/first")), p.consent(v.loginAt("/auth/login/?next=/second"))
	for want, query := range map[string]url.Values{"/second": second, "/first": first} {
		if got := v.callback("corp", query); got.Status != 303 || got.Header.Get("Location") != want {
			t.Errorf("%d to %q, want %s", got.Status, got.Header.Get("Location"), want)
		}
	}
	for i := range 40 {
		v.loginAt("/auth/login/?next=/" + strconv.Itoa(i) + strings.Repeat("x", 900))
		total := 0
		for _, name := range v.attempts() {
			total += len(v.cookie(name))
		}
		if n := len(v.attempts()); n == 0 || n > 5 || total > 6<<10 {
			t.Fatalf("after %d logins that were not finished the browser keeps %d cookies of %d bytes", i+1, n, total)
		}
	}
	if got := v.callback("corp", p.consent(v.loginAt("/auth/login/?next=/last"))); got.Header.Get("Location") != "/last" {
		t.Errorf("the last login leads to %d %q", got.Status, got.Header.Get("Location"))
	}
}

// TestOIDC_next follows nothing that leads elsewhere.
func TestOIDC_next(t *testing.T) {
	p := newIDP(t)
	s := serve(t, strings.Replace(oidcSite, "%s", "login_redirect_url /home\n"+providerLines("corp", p, ""), 1))
	s.awaitStore()
	for next, want := range map[string]string{
		"": "/home", "/wiki?a=b": "/wiki?a=b", "//evil.example": "/home", "https://evil.example": "/home", "/\\evil.example": "/home",
		"/a\r\nSet-Cookie: x=y": "/home", "/.//evil.example": "/home", "javascript:alert(1)": "/home", "/\tx": "/home",
		"/" + strings.Repeat("x", 5000): "/home", "/" + strings.Repeat("x", 1200): "/home", "/\"x": "/%22x",
	} {
		v := s.visit()
		got := v.callback("corp", p.consent(v.loginAt("/auth/login/corp/?"+url.Values{"next": {next}}.Encode())))
		if got.Status != 303 || got.Header.Get("Location") != want {
			t.Errorf("next %.40q leads to %d %q, want %q", next, got.Status, got.Header.Get("Location"), want)
		}
	}
}

// TestOIDC_answers has everything that a provider, or somebody in its name, can
// bring to the callback.
func TestOIDC_answers(t *testing.T) {
	p := newIDP(t)
	s := serveOIDC(t, p, "")
	for name, test := range map[string]struct {
		query string // after the state
		want  int
		text  string
	}{
		"no code":             {"", 400, "No authorization code was provided."},
		"empty code":          {"code=", 400, "No authorization code was provided."},
		"unknown code":        {"code=x", 400, "Login failed."},
		"cancelled":           {"error=access_denied&error_description=<script>alert(1)</script>", 403, "cancelled"},
		"login required":      {"error=login_required", 400, "Login failed."},
		"an error of its own": {"error=<script>", 400, "Login failed."},
		"out of order":        {"error=temporarily_unavailable", 503, "This does not work at the moment."},
		"code and error":      {"code=x&error=y", 400, "could not be understood"},
		"two codes":           {"code=x&code=x", 400, "could not be understood"},
		"two states":          {"code=x&state=y", 400, "could not be understood"},
		"two issuers":         {"code=x&iss=a&iss=b", 400, "could not be understood"},
		"a bad escape":        {"code=%zz", 400, "could not be understood"},
		"semicolons":          {"code=x;error=y", 400, "could not be understood"},
		"huge":                {"code=" + strings.Repeat("x", 9000), 400, "could not be understood"},
		"large":               {"code=" + strings.Repeat("x", 7000), 400, "Login failed."},
		"control characters":  {"code=%00%0d%0aSet-Cookie:x", 400, "Login failed."},
		"not UTF-8":           {"code=%ff&error_description=%ff", 400, "Login failed."},
	} {
		t.Run(name, func(t *testing.T) {
			v := s.visit()
			state := p.consent(v.loginAt("/auth/login/")).Get("state")
			got := v.ask("GET", "/auth/callback/corp/?state="+state+"&"+test.query, "", asHTML)
			v.notLoggedIn(got, test.want)
			if !strings.Contains(got.Body, test.text) || strings.Contains(got.Body, "alert(1)") {
				t.Errorf("want %q:\n%s", test.text, got.Body)
			}
			if test.want == 503 && got.Header.Get("Retry-After") == "" {
				t.Error("503 without Retry-After")
			}
			if got := v.ask("GET", "/auth/callback/corp/?state="+state+"&"+test.query, "", asJSON); got.Header.Get("Content-Type") != "application/json" || got.Status < 400 {
				t.Errorf("a program gets %d %q", got.Status, got.Header.Get("Content-Type"))
			}
		})
	}
}

// TestOIDC_idToken refuses what does not prove who has logged in, here, now.
func TestOIDC_idToken(t *testing.T) {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	hour := time.Hour
	for name, test := range map[string]struct {
		lines  string
		claims map[string]any
		sign   []idptest.SignOption
		good   bool
	}{
		"good":                   {good: true},
		"ES256":                  {sign: []idptest.SignOption{idptest.Alg("ES256")}, good: true},
		"EdDSA":                  {sign: []idptest.SignOption{idptest.Alg("EdDSA")}, good: true},
		"no typ":                 {sign: []idptest.SignOption{idptest.Type("")}, good: true},
		"none":                   {sign: []idptest.SignOption{idptest.Alg("none"), idptest.Key(jwt.UnsafeAllowNoneSignatureType)}},
		"the client's secret":    {sign: []idptest.SignOption{idptest.Alg("HS256"), idptest.Key([]byte("secret"))}},
		"another key":            {sign: []idptest.SignOption{idptest.Key(other)}},
		"another key, unnamed":   {sign: []idptest.SignOption{idptest.Key(other), idptest.KeyID("")}},
		"an access token":        {sign: []idptest.SignOption{idptest.Type("at+jwt")}},
		"a logout token":         {sign: []idptest.SignOption{idptest.Type("logout+jwt")}},
		"critical":               {sign: []idptest.SignOption{idptest.Header("crit", []string{"exp"})}},
		"another issuer":         {claims: map[string]any{"iss": "https://evil.example"}},
		"no issuer":              {claims: map[string]any{"iss": nil}},
		"another audience":       {claims: map[string]any{"aud": "other"}},
		"no audience":            {claims: map[string]any{"aud": nil}},
		"two audiences":          {claims: map[string]any{"aud": []string{"site", "other"}}},
		"two audiences, azp":     {claims: map[string]any{"aud": []string{"site", "other"}, "azp": "site"}, good: true},
		"another party":          {claims: map[string]any{"azp": "other"}},
		"expired":                {claims: map[string]any{"exp": time.Now().Add(-2 * time.Minute).Unix()}},
		"no end":                 {claims: map[string]any{"exp": nil}},
		"from the future":        {claims: map[string]any{"iat": time.Now().Add(hour).Unix()}},
		"no iat":                 {claims: map[string]any{"iat": nil}},
		"another nonce":          {claims: map[string]any{"nonce": strings.Repeat("A", 43)}},
		"no nonce":               {claims: map[string]any{"nonce": nil}},
		"nonce of a type":        {claims: map[string]any{"nonce": 1}},
		"no subject":             {claims: map[string]any{"sub": nil}},
		"an empty subject":       {claims: map[string]any{"sub": ""}},
		"a long subject":         {claims: map[string]any{"sub": strings.Repeat("x", 256)}},
		"a subject of a type":    {claims: map[string]any{"sub": 1001}},
		"a session of a type":    {claims: map[string]any{"sid": []string{"s"}}},
		"another access token":   {claims: map[string]any{"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}},
		"max_age, no time":       {lines: "max_age 1m"},
		"max_age, too old":       {lines: "max_age 1m", claims: map[string]any{"auth_time": time.Now().Add(-3 * time.Minute).Unix()}},
		"max_age":                {lines: "max_age 1m", claims: map[string]any{"auth_time": time.Now().Unix()}, good: true},
		"acr, none":              {lines: "acr_values mfa"},
		"acr, another":           {lines: "acr_values mfa", claims: map[string]any{"acr": "pwd"}},
		"acr":                    {lines: "acr_values mfa hwk", claims: map[string]any{"acr": "hwk"}, good: true},
		"registered in capitals": {claims: map[string]any{"SUB": "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newIDP(t)
			for claim, value := range test.claims {
				p.claims[claim] = value
			}
			p.sign = test.sign
			v := serveOIDC(t, p, test.lines).visit()
			got := v.callback("corp", p.consent(v.loginAt("/auth/login/")))
			if test.good {
				if got.Status != 303 {
					t.Errorf("%d %s", got.Status, got.Body)
				}
				return
			}
			v.notLoggedIn(got, 400)
			if !strings.Contains(got.Body, "Login failed.") {
				t.Errorf("a person is told\n%s", got.Body)
			}
		})
	}
}

// TestOIDC_faults has a provider that does not work: 503 on its own logins, and
// on nothing else, until it does.
func TestOIDC_faults(t *testing.T) {
	p := newIDP(t)
	p.Fail(idptest.Error)
	s := serveOIDC(t, p, "timeout 1s")
	s.seed()
	v := s.visit()
	got := v.ask("GET", "/auth/login/", "", asHTML)
	if got.Status != 503 || got.Header.Get("Retry-After") == "" || !strings.Contains(got.Body, "does not work at the moment") {
		t.Errorf("a provider that is down: %d\n%s", got.Status, got.Body)
	}
	if got := v.ask("GET", "/auth/login/corp/", "", asJSON); got.Status != 503 {
		t.Errorf("a program gets %d", got.Status)
	}
	if got := v.ask("GET", "/auth/logout/", "", asHTML); got.Status != 200 {
		t.Errorf("the logout page: %d", got.Status)
	}
	p.Heal()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if got = v.ask("GET", "/auth/login/", "", asHTML); got.Status == 302 {
			break
		}
		if time.Since(began) > 30*time.Second {
			t.Fatalf("after the provider healed: %d", got.Status)
		}
	}
	// One that fails at the end: the page can be loaded again.
	query := p.consent(got.Header.Get("Location"))
	for name, answer := range map[string]struct {
		status int
		body   string
	}{
		"500":            {500, "{}"},
		"429":            {429, "{}"},
		"elsewhere":      {307, "{}"},
		"no content":     {204, ""},
		"invalid client": {401, `{"error":"invalid_client"}`},
		"HTML":           {200, "<html>"},
		"no token":       {200, "{}"},
		"huge":           {200, `{"access_token":"` + strings.Repeat("x", 2<<20) + `"}`},
	} {
		p.mu.Lock()
		p.tokenStatus, p.tokenBody = answer.status, answer.body
		p.mu.Unlock()
		got := v.callback("corp", query)
		v.notLoggedIn(got, 503)
		if got.Header.Get("Retry-After") == "" || len(v.attempts()) == 0 {
			t.Errorf("%s: %q", name, got.Header)
		}
	}
	p.mu.Lock()
	p.tokenStatus = 0
	p.mu.Unlock()
	if got := v.callback("corp", query); got.Status != 303 {
		t.Errorf("loaded again: %d", got.Status)
	}
}

// TestOIDC_starts begins more logins than a server could remember, and finishes a
// thousand of them at once.
func TestOIDC_starts(t *testing.T) {
	p := newIDP(t)
	s := serveOIDC(t, p, "")
	before := s.sessionCount()
	var together sync.WaitGroup
	failed := make(chan string, 1000)
	work := make(chan int)
	for range 100 {
		together.Go(func() {
			c := client(t)
			for range work {
				if fault := loginOnce(t, c, s, p); fault != "" {
					failed <- fault
				}
			}
		})
	}
	n := 1000
	if testing.Short() {
		n = 100
	}
	for i := range n {
		work <- i
	}
	close(work)
	together.Wait()
	close(failed)
	for fault := range failed {
		t.Fatalf("of %d logins at once %d failed, one by %s", n, len(failed)+1, fault)
	}
	if got := s.sessionCount() - before; got != n {
		t.Errorf("%d logins made %d sessions", n, got)
	}
	// Begun and never finished.
	c := client(t)
	for range 2000 {
		response, err := c.Get(s.URL + "/auth/login/")
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	if got := s.sessionCount() - before; got != n {
		t.Errorf("logins that were begun left %d records", got-n)
	}
}

// loginOnce logs in without a jar, and returns what went wrong.
func loginOnce(t *testing.T, c *http.Client, s *server, p *idp) string {
	response, err := c.Get(s.URL + "/auth/login/")
	if err != nil {
		return err.Error()
	}
	_ = response.Body.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/auth/callback/corp/?"+p.consent(response.Header.Get("Location")).Encode(), nil)
	if err != nil {
		return err.Error()
	}
	for _, cookie := range response.Cookies() {
		r.AddCookie(cookie)
	}
	if response, err = c.Do(r); err != nil {
		return err.Error()
	}
	_ = response.Body.Close()
	if response.StatusCode != 303 {
		return fmt.Sprint(response.StatusCode)
	}
	return ""
}

// sessionCount counts the sessions in the store.
func (s *server) sessionCount() (n int) {
	s.t.Helper()
	for cursor := ""; ; {
		page, next, err := s.store().List(s.t.Context(), tokenstore.Filter{Kind: tokenstore.KindSession}, cursor, tokenstore.MaxPage)
		if err != nil {
			s.t.Fatal(err)
		}
		n += len(page)
		if cursor = next; cursor == "" {
			return n
		}
	}
}

// TestOIDC_secure has cookies over TLS that no other host of the domain can set.
func TestOIDC_secure(t *testing.T) {
	p := newIDP(t)
	s := serve(t, strings.Replace(strings.Replace(oidcSite, "%s", providerLines("corp", p, ""), 1), "rest_auth_endpoints {", "rest_auth_endpoints {\norigin https://app.example.com", 1))
	s.awaitStore()
	got := s.get("/auth/login/", asHTML)
	location := got.Header.Get("Location")
	if !strings.Contains(location, url.QueryEscape("https://app.example.com/auth/callback/corp/")) {
		t.Errorf("the provider sends people back by %s", location)
	}
	cookie := got.Header.Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "__Host-oidc-") || !strings.Contains(cookie, "; Path=/; ") || !strings.Contains(cookie, "; Max-Age=600; HttpOnly; Secure; SameSite=Lax") || strings.Contains(cookie, "Domain") {
		t.Errorf("the browser keeps %s", cookie)
	}
	if !strings.Contains(got.Header.Get("Cache-Control"), "no-store") {
		t.Errorf("Cache-Control %q", got.Header.Get("Cache-Control"))
	}
	name, value, _ := strings.Cut(strings.Split(cookie, ";")[0], "=")
	query := p.consent(location).Encode()
	planted := "oidc-" + strings.TrimPrefix(name, "__Host-oidc-")
	if got := s.get("/auth/callback/corp/?"+query, "Cookie: "+planted+"="+value); got.Status != 400 {
		t.Errorf("a cookie that another host could set: %d", got.Status)
	}
	if got := s.get("/auth/callback/corp/?"+query, "Cookie: "+name+"="+value); got.Status != 303 {
		t.Errorf("the browser's own: %d", got.Status)
	}
	sealed, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || slices.ContainsFunc([]string{"callback", "http"}, func(word string) bool { return strings.Contains(string(sealed), word) }) {
		t.Errorf("the cookie can be read: %q, %v", sealed, err)
	}
}

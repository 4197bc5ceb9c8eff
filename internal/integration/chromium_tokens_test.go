// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"strings"
	"testing"
)

// TestChromium_tokens makes, rotates and revokes a token as a person does.
func TestChromium_tokens(t *testing.T) {
	s := serve(t, `{
	{{global}}
	rest_auth {
		{{store}}
		session {
			login_url /auth/login/
		}
	}
}
{{site}} {
	rest_auth_endpoints {
		session /auth/
		tokens /auth/tokens/ {
			title "Example Shop"
			scopes orders.read orders.write
			max_ttl 90d
			default_ttl 30d
		}
	}
	rest_auth {
		authenticate token
		require authenticated
	}
	respond "{http.auth.user.id} {http.auth.user.scopes}"
}
`)
	s.seed()
	b := chromium(t)
	b.open(s.URL + "/auth/tokens/")
	if want := s.URL + "/auth/login/?next=%2Fauth%2Ftokens%2F"; b.url() != want {
		t.Fatalf("somebody unknown is led to %s, want %s", b.url(), want)
	}
	b.fill("#username", "alice")
	b.fill("#password", "pw")
	b.click("button")
	b.await("the tokens", func() bool { return b.has("#label") })
	if got := b.url(); got != s.URL+"/auth/tokens/" {
		t.Errorf("after the login: %s", got)
	}
	b.looks("tokens")
	var lifetimes string
	b.run(&lifetimes, `return [...document.querySelectorAll('option')].map(o => o.textContent + (o.selected ? '*' : '')).join(', ')`)
	if lifetimes != "7 days, 30 days*, 90 days" {
		t.Errorf("lifetimes: %s", lifetimes)
	}

	b.fill("#label", "<b>deploy</b>")
	b.click("#scope-orders\\.read")
	b.click("form:not([action$='revoke/']):not([action$='rotate/']) button.main")
	b.await("the secret", func() bool { return b.has("#secret") })
	b.looks("secret")
	if got := b.text("[role=status]"); got != "The token was created." {
		t.Errorf("it says %q", got)
	}
	secret := func() (value string) {
		b.run(&value, `return document.querySelector('#secret').textContent`)
		return value
	}
	first := secret()
	if used := s.get("/", token(first)); used.Status != 200 || used.Body != "alice orders.read" {
		t.Errorf("using it: %d %s", used.Status, used.Body)
	}
	b.click("a.button")
	b.await("the list", func() bool { return b.has("#label") })
	if got := b.text("tbody"); !strings.Contains(got, "<b>deploy</b>") || !strings.Contains(got, "orders.read") || strings.Contains(got, first) {
		t.Errorf("the list: %s", got)
	}
	b.looks("tokens-some")

	row := "tr:last-child"
	b.click(row + " form[action$='rotate/'] button")
	b.await("the next secret", func() bool { return b.has("#secret") })
	second := secret()
	if got := b.text("[role=status]"); !strings.HasPrefix(got, "The token was rotated. The old one is accepted until 2") {
		t.Errorf("it says %q", got)
	}
	if a, c := s.get("/", token(first)), s.get("/", token(second)); second == first || a.Status != 200 || c.Status != 200 {
		t.Errorf("within the grace: old %d, new %d", a.Status, c.Status)
	}
	b.open(s.URL + "/auth/tokens/")
	b.run(nil, "for (const i of document.querySelectorAll('[name=csrfmiddlewaretoken]')) i.value = 'x'.repeat(64)")
	b.click(".actions button")
	b.await("the refusal", func() bool { return b.has("[role=alert]") })
	if used := s.get("/", token(second)); used.Status != 200 {
		t.Errorf("after a forged form: %d", used.Status)
	}
	b.looks("tokens-refused")
	b.open(s.URL + "/auth/tokens/")
	b.click(".actions button")
	b.await("no tokens", func() bool { return strings.Contains(b.text("main"), "You have no tokens.") })
	for _, gone := range []string{first, second, "token-alice"} {
		if used := s.get("/", token(gone)); used.Status != 401 {
			t.Errorf("after all were revoked: %d", used.Status)
		}
	}
	b.run(nil, "document.querySelector('#label').value = 'x'.repeat(300); document.querySelector('#label').removeAttribute('maxlength')")
	b.run(nil, "document.querySelector('#label').value = 'x'.repeat(300)")
	b.click("form button.main")
	b.await("the error", func() bool { return b.has("#label-error") })
	b.looks("tokens-error")
}

// A form of another site reaches nothing, whatever the browser sends along.
func TestTokens_forgedForm(t *testing.T) {
	s := serveTokens(t)
	s.seed()
	for _, path := range []string{"/tokens/", "/tokens/revoke/", "/tokens/x/revoke/", "/tokens/x/rotate/"} {
		got := s.send("POST", s.URL+path, strings.NewReader("label=x"), basic("alice", "pw"), "Origin: https://evil.example",
			"Accept: text/html,application/xhtml+xml,*/*;q=0.8", "Content-Type: application/x-www-form-urlencoded")
		if got.Status != 403 || !strings.Contains(got.Header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: %d %s", path, got.Status, got.Body)
		}
	}
	if used := s.get("/", token("token-alice")); used.Status != 200 {
		t.Errorf("the tokens are gone: %d", used.Status)
	}
}

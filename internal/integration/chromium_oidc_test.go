// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"html"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// browse lets browsers log in at a provider, which asks nobody who they are.
func (p *idp) browse() {
	p.Handle("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		answer := p.consent(p.URL + r.URL.String())
		http.Redirect(w, r, r.URL.Query().Get("redirect_uri")+"?"+answer.Encode(), http.StatusFound)
	})
}

// through logs somebody in at npm's oidc-provider, by the keyboard.
func (b *browser) through(name string) {
	b.t.Helper()
	b.await("the provider", func() bool { return b.text("h1") == "Log in at the provider" })
	b.fill("[name=login]", name)
	b.leave(func() { b.keys(keyEnter) })
	b.await("to be asked for consent", func() bool { return b.text("h1") == "Consent" })
	b.submit("button")
}

// TestChromium_oidc is a day of somebody who logs in at a provider of others.
func TestChromium_oidc(t *testing.T) {
	second := newIDP(t)
	second.browse()
	_, _, site := servePeer(t, providerLines("second", second, "label \"A provider with quite a long name, as they have it\"")+"title \"Example Wiki\"\n")
	b := chromium(t)

	// The login page, with both providers, by the keyboard alone.
	b.open(site + "/wiki?page=1")
	if b.url() != site+"/auth/login/?next=%2Fwiki%3Fpage%3D1" || b.status() != 200 {
		t.Fatalf("a navigation leads to %s, %d", b.url(), b.status())
	}
	if got := b.label("li:first-child a"); got != "Log in with Corp" {
		t.Errorf("the first link is called %q", got)
	}
	b.looks("oidc-login")
	b.leave(func() { b.keys(keyTab + keyEnter) })
	b.through("dora")
	b.await("the page behind the login", func() bool { return b.url() == site+"/wiki?page=1" })
	if got := b.text("body"); !strings.Contains(got, `"Remote-User":["dora"]`) {
		t.Errorf("logged in: %s", got)
	}

	// Back leads to no second login, and a callback that is shown again harms nobody.
	b.back()
	if strings.Contains(b.url(), "/auth/callback/") {
		t.Errorf("back is the callback: %s", b.url())
	}
	b.open(site + "/wiki")
	if got := b.text("body"); !strings.Contains(got, `"Remote-User":["dora"]`) {
		t.Errorf("after going back: %s", got)
	}

	// A state that nobody began.
	b.open(site + "/auth/callback/corp/?code=x&state=" + strings.Repeat("A", 43))
	if got := b.text("[role=alert]"); b.status() != 400 || !strings.Contains(got, "begun in another browser") || b.text("h1") != "Login failed" {
		t.Errorf("a wrong state: %d %q", b.status(), got)
	}
	b.looks("oidc-failed")
	if got := b.focused(); got != "Try again" {
		t.Errorf("the focus is at %q", got)
	}

	// Logged out at both.
	b.open(site + "/auth/logout/")
	b.looks("oidc-logout")
	b.leave(func() { b.keys(keyEnter) })
	b.await("the provider's question", func() bool { return b.text("h1") == "Log out at the provider?" })
	b.leave(func() { b.keys(keyEnter) })
	b.await("to be back", func() bool { return strings.HasPrefix(b.url(), site+"/auth/logout/") && b.text("h1") == "Logged out" })
	b.looks("oidc-loggedout")
	b.open(site + "/auth/login/corp/?next=/wiki")
	b.await("to be asked anew", func() bool { return b.text("h1") == "Log in at the provider" })

	// Whoever cancels is told so, and what the provider says is not shown.
	b.submit("button[value='']")
	b.await("the refusal", func() bool { return b.has("[role=alert]") })
	if got := b.text("[role=alert]"); b.status() != 403 || !strings.Contains(got, "cancelled") || strings.Contains(b.text("body"), "alert(1)") {
		t.Errorf("cancelled: %d %q", b.status(), got)
	}
	b.submit("main a")
	b.through("emil")
	b.await("the page behind the login", func() bool {
		return b.url() == site+"/wiki" && strings.Contains(b.text("body"), `"Remote-User":["emil"]`)
	})

	// The other provider of the page, as somebody else.
	b.open(site + "/auth/login/?next=/second")
	b.submit("li:nth-child(2) a")
	b.await("the page behind the login", func() bool {
		return b.url() == site+"/second" && strings.Contains(b.text("body"), `"Remote-User":["dora`) || b.has("[role=alert]")
	})
	// One name is one user's: dora of the first provider came first.
	if got := b.text("[role=alert]"); b.status() != 403 || !strings.Contains(got, "Somebody else has the name here") {
		t.Errorf("a name that is taken: %d %q", b.status(), got)
	}
}

// TestChromium_oidcTabs begins two logins side by side, and ends both.
func TestChromium_oidcTabs(t *testing.T) {
	_, _, site := servePeer(t, "")
	b := chromium(t)
	b.open(site + "/auth/login/?next=/first")
	first := b.tab()
	second := b.newTab()
	b.open(site + "/auth/login/?next=/second")
	b.through("dora")
	b.await("the second page", func() bool { return b.url() == site+"/second" })
	b.switchTo(first)
	b.await("the provider", func() bool { return b.text("h1") == "Log in at the provider" })
	b.fill("[name=login]", "dora")
	b.leave(func() { b.keys(keyEnter) })
	if b.text("h1") == "Consent" {
		b.submit("button")
	}
	b.await("the first page", func() bool { return b.url() == site+"/first" })
	if got := b.text("body"); !strings.Contains(got, `"Remote-User":["dora"]`) {
		t.Errorf("the first tab: %s", got)
	}
	b.switchTo(second)
	b.closeTab(first)
}

// TestChromium_oidcOnLoginPage logs in from the page that asks for passwords.
func TestChromium_oidcOnLoginPage(t *testing.T) {
	p := newIDP(t)
	p.browse()
	s := serve(t, `
{{site}} {
	rest_auth_endpoints {
		session /login/
		oidc /auth/ {
			`+providerLines("corp", p, "label Corp")+`
		}
	}
	rest_auth {
		authenticate session {
			login_url /login/login/
		}
		header_up Remote-User {http.auth.user.id}
	}
	reverse_proxy {{echo}}
}`)
	s.seed()
	site := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	b := chromium(t)
	b.open(site + "/wiki")
	if got := b.label(".choices a"); got != "Log in with Corp" || b.focused() != "username" {
		t.Errorf("the link is called %q, the focus is at %q", got, b.focused())
	}
	b.looks("oidc-beside-password")
	b.leave(func() { b.keys(keyTab + keyTab + keyTab + keyEnter) })
	b.await("the page behind the login", func() bool { return b.url() == site+"/wiki" })
	if got := b.text("body"); !strings.Contains(got, `"Remote-User":["dora"]`) {
		t.Errorf("logged in: %s", got)
	}
}

// TestChromium_oidcStrict logs in over TLS, with cookies that no other site's page
// has a browser send, and out again to a page that is closed, which leads to the
// provider.
func TestChromium_oidcStrict(t *testing.T) {
	dir := t.TempDir()
	certificate(t, dir)
	p := newIDP(t)
	p.SetMetadata("end_session_endpoint", nil)
	p.Handle("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<title>x</title><h1>Who are you?</h1><form method="post" action="/in?` + html.EscapeString(r.URL.RawQuery) + `"><button autofocus>Go on</button></form>`))
	})
	p.Handle("POST /in", func(w http.ResponseWriter, r *http.Request) {
		answer := p.consent(p.URL + "/authorize?" + r.URL.RawQuery)
		http.Redirect(w, r, r.URL.Query().Get("redirect_uri")+"?"+answer.Encode(), http.StatusSeeOther)
	})
	s := serve(t, `{
{{global}}
rest_auth {
	{{store}}
	session {
		cookie __Host-sessionid
		csrf_cookie __Host-csrftoken
		cookie_samesite Strict
	}
}
}
https://localhost:{{port}} {
	tls `+filepath.Join(dir, "cert.pem")+" "+filepath.Join(dir, "key.pem")+
		strings.TrimPrefix(strings.Replace(oidcSite, "%s", "logout_redirect_url /\n"+providerLines("corp", p, ""), 1), "\n{{site}} {"))
	s.awaitStore()
	site := "https://localhost:" + s.vars["{{port}}"]

	b := chromium(t)
	b.open(site + "/wiki")
	if got := b.text("h1"); got != "Who are you?" {
		t.Fatalf("a navigation leads to %s, %q", b.url(), got)
	}
	var cookies []struct {
		Name, SameSite   string
		Secure, HTTPOnly bool
	}
	b.leave(func() { b.keys(keyEnter) })
	b.await("the page behind the login", func() bool { return b.url() == site+"/wiki" })
	if got := b.text("body"); !strings.Contains(got, `"Remote-User":["dora"]`) {
		t.Errorf("logged in: %s", got)
	}
	b.do(http.MethodGet, "/cookie", nil, &cookies)
	for _, cookie := range cookies {
		if !strings.HasPrefix(cookie.Name, "__Host-") || !cookie.Secure || cookie.SameSite != "Strict" {
			t.Errorf("cookie %+v", cookie)
		}
	}
	if len(cookies) != 2 {
		t.Errorf("cookies: %+v", cookies)
	}
	b.open(site + "/auth/logout/")
	b.leave(func() { b.keys(keyEnter) })
	b.await("the provider", func() bool { return b.text("h1") == "Who are you?" })
}

func (b *browser) back() {
	b.t.Helper()
	b.do(http.MethodPost, "/back", nil, nil)
}

// tab returns the one that is shown.
func (b *browser) tab() (handle string) {
	b.t.Helper()
	b.do(http.MethodGet, "/window", nil, &handle)
	return handle
}

// newTab opens another one and shows it.
func (b *browser) newTab() string {
	b.t.Helper()
	var opened struct{ Handle string }
	b.do(http.MethodPost, "/window/new", map[string]string{"type": "tab"}, &opened)
	b.switchTo(opened.Handle)
	return opened.Handle
}

func (b *browser) switchTo(handle string) {
	b.t.Helper()
	b.do(http.MethodPost, "/window", map[string]string{"handle": handle}, nil)
}

// closeTab closes one, and shows the one that was shown before.
func (b *browser) closeTab(handle string) {
	b.t.Helper()
	shown := b.tab()
	b.switchTo(handle)
	b.do(http.MethodDelete, "/window", nil, nil)
	b.switchTo(shown)
}

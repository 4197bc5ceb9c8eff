// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"strings"
	"testing"
)

// TestChromium_login is a day of somebody with a browser.
func TestChromium_login(t *testing.T) {
	s := serveSessions(t, "title \"Example Wiki\"\nremember_me on")
	b := chromium(t)
	site := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)

	b.open(site + "/wiki?page=1")
	if b.url() != site+"/auth/login/?next=%2Fwiki%3Fpage%3D1" || b.status() != 200 {
		t.Fatalf("a navigation leads to %s, %d", b.url(), b.status())
	}
	for field, label := range map[string]string{
		"#username": "Username", "#password": "Password", "#remember": "Keep me logged in on this device", "button": "Log in",
	} {
		if got := b.label(field); got != label {
			t.Errorf("%s is called %q, want %q", field, got, label)
		}
	}
	b.looks("login")

	// By the keyboard alone.
	if got := b.focused(); got != "username" {
		t.Errorf("the focus is at %q", got)
	}
	b.leave(func() { b.keys("alice" + keyTab + "wrong" + keyTab + keySpace + keyEnter) })
	b.await("the refusal", func() bool { return b.has("[role=alert]") })
	if got := b.text("[role=alert]"); got != wrongLogin || b.status() != 400 {
		t.Errorf("a wrong password: %d %q", b.status(), got)
	}
	if got := b.focused(); got != "password" {
		t.Errorf("after a wrong password the focus is at %q", got)
	}
	var again struct {
		Name, Password string
		Remember       bool
	}
	b.run(&again, `const f = document.forms[0]; return {Name: f.username.value, Password: f.password.value, Remember: f.remember.checked}`)
	if again.Name != "alice" || again.Password != "" || again.Remember {
		t.Errorf("the form after a wrong password: %+v", again)
	}
	b.looks("wrong")
	b.leave(func() { b.keys("pw" + keyEnter) })
	b.await("the page behind the login", func() bool { return b.url() == site+"/wiki?page=1" })
	if got := b.text("body"); !strings.Contains(got, `"Remote-User":["alice"]`) {
		t.Errorf("logged in: %s", got)
	}

	b.open(site + "/auth/login/")
	b.looks("known")
	b.open(site + "/auth/sessions/")
	if got := b.text("table"); !strings.Contains(got, "on Linux") || !strings.Contains(got, "This one") {
		t.Errorf("sessions: %s", got)
	}
	s.visit().login("alice")
	phone := s.visit()
	csrf := phone.ask("GET", "/auth/login/", "", asJSON).state(t).CSRF
	phone.ask("POST", "/auth/login/", `{"username":"alice","password":"pw"}`, asJSON, ofJSON, "X-CSRFToken: "+csrf,
		"User-Agent: Mozilla/5.0 (Linux; Android 16; Mobile; rv:152.0) Gecko/152.0 Firefox/152.0").state(t)
	b.open(site + "/auth/sessions/")
	b.looks("sessions")
	b.submit("tr:nth-child(2) button")
	b.await("one session less", func() bool {
		return b.url() == site+"/auth/sessions/" && strings.Count(b.text("tbody"), "Last used")+strings.Count(b.text("tbody"), " UTC") == 4
	})
	if got := phone.user(); got != "Forbidden" {
		t.Errorf("the session that was ended is %s", got)
	}
	b.submit(".actions button")
	b.await("one session", func() bool { return strings.Count(b.text("tbody"), " UTC") == 2 })

	b.open(site + "/auth/logout/")
	b.looks("logout")
	b.leave(func() { b.keys(keyEnter) })
	b.await("to be logged out", func() bool { return b.has("h1") && b.text("h1") == "Logged out" })
	b.looks("loggedout")
	b.open(site + "/wiki")
	if !strings.HasPrefix(b.url(), site+"/auth/login/") {
		t.Errorf("logged out, %s is shown", b.url())
	}
}

// TestChromium_csrf sends a form whose token was tampered with.
func TestChromium_csrf(t *testing.T) {
	s := serveSessions(t, "")
	b := chromium(t)
	b.open(s.URL + "/auth/login/?next=/wiki")
	b.fill("#username", "alice")
	b.fill("#password", "pw")
	b.run(nil, "document.forms[0].csrfmiddlewaretoken.value = 'x'.repeat(64)")
	b.submit("button")
	b.await("the refusal", func() bool { return b.has("[role=alert]") })
	if got := b.text("[role=alert]"); b.status() != 403 || !strings.Contains(got, "out of date") {
		t.Errorf("a bad token: %d %q", b.status(), got)
	}
	b.looks("csrf")
	b.fill("#password", "pw")
	b.submit("button")
	b.await("the page behind the login", func() bool { return b.url() == s.URL+"/wiki" })

	b.open(s.URL + "/auth/logout/")
	b.run(nil, "document.forms[0].csrfmiddlewaretoken.remove()")
	b.submit("button")
	b.await("the refusal", func() bool { return b.has("[role=alert]") })
	if b.status() != 403 || b.text("button") != "Log out" {
		t.Errorf("a logout without a token: %d", b.status())
	}
	b.submit("button")
	b.await("to be logged out", func() bool { return b.text("h1") == "Logged out" })
}

// TestChromium_elsewhere is sent to another origin, as is configured.
func TestChromium_elsewhere(t *testing.T) {
	s := serveSessions(t, "login_redirect_url http://127.0.0.1:{{port}}/wiki\nlogout_redirect_url http://127.0.0.1:{{port}}/auth/logout/")
	site := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	b := chromium(t)
	b.open(site + "/auth/login/")
	b.fill("#username", "alice")
	b.fill("#password", "pw")
	b.submit("button")
	// There nobody is logged in.
	if want := s.URL + "/auth/login/?next=%2Fwiki"; b.url() != want {
		t.Errorf("after the login at %s, want %s", b.url(), want)
	}
	b.open(site + "/auth/logout/")
	b.submit("button")
	if want := s.URL + "/auth/logout/"; b.url() != want {
		t.Errorf("after the logout at %s, want %s", b.url(), want)
	}
}

// TestChromium_throttled guesses until it has to wait.
func TestChromium_throttled(t *testing.T) {
	s := serveSessions(t, "throttle anonymous 3/hour")
	b := chromium(t)
	b.open(s.URL + "/auth/login/")
	b.fill("#username", "alice")
	b.fill("#password", "wrong")
	b.submit("button")
	b.await("the refusal", func() bool { return b.has("[role=alert]") })
	for range 3 {
		b.fill("#password", "wrong")
		b.submit("button")
	}
	if got := b.text("[role=alert]"); b.status() != 429 || got != "Too many attempts. Please try again in 60 minutes." {
		t.Errorf("throttled: %d %q", b.status(), got)
	}
	b.looks("throttled")
}

// looks checks that a page fits everywhere: light, dark, on a narrow screen, and
// at twice the size.
func (b *browser) looks(name string) {
	b.t.Helper()
	b.shot(name + "-light")
	b.colors("dark")
	b.shot(name + "-dark")
	b.size(320, 640, 1)
	b.fits(name + " at 320 pixels")
	b.shot(name + "-narrow")
	b.colors("light")
	b.size(1000, 700, 2)
	b.fits(name + " at twice the size")
	b.shot(name + "-large")
	b.size(1000, 700, 1)
	var contrast []string
	b.run(&contrast, contrastScript)
	if len(contrast) > 0 {
		b.t.Errorf("%s: too little contrast:\n%s", name, strings.Join(contrast, "\n"))
	}
}

// contrastScript returns the texts that have less contrast than WCAG 2.2 asks
// for, 4.5 to 1.
const contrastScript = `
const parse = c => c.match(/[\d.]+/g).map(Number);
const over = (top, under) => { const a = top[3] ?? 1; return [0, 1, 2].map(i => top[i] * a + under[i] * (1 - a)) };
const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b };
const back = e => { const own = parse(getComputedStyle(e).backgroundColor); return (own[3] ?? 1) === 1 ? own.slice(0, 3) : over(own, e.parentElement ? back(e.parentElement) : [255, 255, 255]) };
const bad = [];
for (const e of document.querySelectorAll('body *')) {
	if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility()) continue;
	const under = back(e), text = over(parse(getComputedStyle(e).color), under);
	const [a, b] = [light(text), light(under)].sort((x, y) => y - x), ratio = (a + .05) / (b + .05);
	if (ratio < 4.5) bad.push(ratio.toFixed(2) + ' ' + e.outerHTML.slice(0, 80));
}
return bad`

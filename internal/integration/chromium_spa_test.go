// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// TestChromium_spa uses the application of examples/spa.Caddyfile, whose API is
// on another origin.
func TestChromium_spa(t *testing.T) {
	t.Chdir("../..")
	s := serveExample(t, "examples/spa.Caddyfile")
	s.seed()
	b := chromium(t)
	site := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	shown := func(css string) func() bool {
		return func() bool {
			var is bool
			b.run(&is, "return document.querySelector(arguments[0])?.checkVisibility() ?? false", css)
			return is
		}
	}
	b.open(site)
	b.await("the form", shown("#login"))
	b.fill("[name=username]", "alice")
	b.fill("[name=password]", "wrong")
	b.click("#login button")
	b.await("the refusal", func() bool { return b.text("#problem") == wrongLogin })
	b.fill("[name=password]", "pw")
	b.click("#login button")
	b.await("the notes", func() bool { return b.text("#said") == "GET /notes by alice" })
	b.shot("spa")
	b.click("#write")
	b.await("a note", func() bool { return b.text("#said") == "POST /notes by alice" })

	var cookies string
	b.run(&cookies, "return document.cookie")
	if strings.Contains(cookies, "sessionid") {
		t.Errorf("a script reads %q", cookies)
	}
	b.open(site)
	b.await("the notes again", func() bool { return b.text("#said") == "GET /notes by alice" })

	// A script of another origin gets nothing by the browser's cookies: here its
	// token is wrong, and what it asks it may not read.
	var api string
	b.run(&api, "return (async () => (await (await fetch('config.json')).json()).api)()")
	b.open(strings.Replace(site, "localhost", "127.0.0.1", 1) + "/config.json")
	var stolen string
	b.run(&stolen, `return fetch(arguments[0] + '/notes', {credentials: 'include'}).then(r => r.text(), e => e.name)`, api)
	if stolen != "TypeError" {
		t.Errorf("a script of another origin reads %q", stolen)
	}

	// The session ends elsewhere; the application notices.
	b.open(site)
	b.await("the notes once more", func() bool { return b.text("#said") == "GET /notes by alice" })
	alice, err := s.store().UserByName(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.store().Delete(t.Context(), tokenstore.Filter{UserKey: alice.Key, Kind: tokenstore.KindSession}); n != 1 || err != nil {
		t.Fatalf("ended %d sessions: %v", n, err)
	}
	b.click("#write")
	b.await("the form again", shown("#login"))
	if got := b.text("#problem"); got != "Authentication credentials were not provided." {
		t.Errorf("the application says %q", got)
	}
	b.fill("[name=username]", "alice")
	b.fill("[name=password]", "pw")
	b.click("#login button")
	b.await("the notes", shown("#notes"))
	b.click("#logout")
	b.await("to be logged out", shown("#login"))
	b.open(site)
	b.await("the form of somebody new", shown("#login"))
}

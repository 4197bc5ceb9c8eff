// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/durin"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/manage"
)

// projectSecret is the project's SECRET_KEY.
const projectSecret = "no secret: this project serves nobody"

const issuedSite = `{
	{{global}}
	rest_auth {
		{{store}}
	}
}
{{site}} {
	handle /session/ {
		rest_auth {
			authenticate session
		}
		reverse_proxy {{echo}}
	}
	handle {
		rest_auth {
			authenticate token
		}
		reverse_proxy {{echo}}
	}
}
`

// issuedLabels are the models of all that a project has issued.
var issuedLabels = []string{"auth.user", "auth.group", "knox", "durin", "sessions.session", "--natural-foreign"}

// importingWith sends a dump after the keys of its sessions.
func (s *server) importingWith(file, query string, keys ...string) manage.ImportReport {
	s.t.Helper()
	dump, err := os.Open(file)
	if err != nil {
		s.t.Fatal(err)
	}
	defer dump.Close()
	line, err := manage.EncodeSecretKeys(keys)
	if err != nil {
		s.t.Fatal(err)
	}
	got := s.send(http.MethodPost, "http://"+s.Admin+"/rest_auth/import?secret_keys=true&"+query, io.MultiReader(bytes.NewReader(line), dump), "Content-Type: application/jsonl")
	if got.Status != http.StatusOK {
		s.t.Fatalf("importing: %d %s", got.Status, got.Body)
	}
	var report manage.ImportReport
	if err := json.Unmarshal([]byte(got.Body), &report); err != nil {
		s.t.Fatal(err)
	}
	return report
}

// step carries out a step whose answer is a text.
func (p *project) step(do string, arguments map[string]any) string {
	p.t.Helper()
	arguments["do"] = do
	var text string
	p.do(arguments, &text)
	return text
}

// login logs a browser in, and returns its cookie.
func (p *project) login(user string, arguments map[string]any) string {
	p.t.Helper()
	arguments["user"], arguments["password"] = user, "password of "+user
	return p.step("login", arguments)
}

// TestDjangoImport_issued moves what a project has issued: each browser and each
// client is answered as the project would.
func TestDjangoImport_issued(t *testing.T) {
	for _, variant := range []string{"default", "custom"} {
		p := newProject(t, variant)
		t.Run(variant+" sessions", func(t *testing.T) { moveSessions(t, p, variant) })
		if variant == "default" {
			t.Run("tokens", func(t *testing.T) { moveTokens(t, p) })
		}
	}
}

func moveSessions(t *testing.T, p *project, variant string) {
	labels, query := issuedLabels, ""
	if variant == "custom" {
		labels, query = append([]string{"accounts"}, labels[1:]...), "user_model=accounts.Member&username_field=email"
	}
	cookies := map[string]string{
		"editor":        p.login("editor", map[string]any{}),
		"another":       p.login("editor", map[string]any{}),
		"large":         p.login("root", map[string]any{"size": 50_000}),
		"SHA-1":         p.login("staff", map[string]any{"algorithm": "sha1"}), // the format before Django 3.1
		"later changed": p.login("deleter", map[string]any{}),
		"anonymous":     p.login("", map[string]any{}),
		"expired":       p.login("editor", map[string]any{"seconds": -1}),
		"nobody's":      "0123456789abcdefghijklmnopqrstuv",
	}
	p.do(map[string]any{"do": "password", "user": "deleter", "password": "a new password"}, new(any))
	// It reads no other's sessions either, under one serializer.
	pickled := p.login("editor", map[string]any{"pickled": true})

	s := serve(t, issuedSite)
	report := s.importingWith(p.dump(labels...), query, "a newer key", projectSecret)
	if report.Sessions != (manage.ImportCounts{Created: 4, Skipped: 4}) {
		t.Errorf("%+v", report)
	}
	compareCookies := func(loggedIn int) {
		t.Helper()
		for name, cookie := range cookies {
			var django int
			p.do(map[string]any{"do": "visit", "cookie": cookie}, &django)
			if got := s.get("/session/", "Cookie: sessionid="+cookie); got.Status != django {
				t.Errorf("%s: Caddy answers %d %s, Django %d", name, got.Status, got.Body, django)
			}
			if django == http.StatusOK {
				loggedIn--
			}
		}
		if loggedIn != 0 {
			t.Errorf("Django has %d fewer who are logged in", loggedIn)
		}
	}
	compareCookies(4)
	if got := s.get("/session/", "Cookie: sessionid="+pickled); got.Status != http.StatusForbidden {
		t.Errorf("a pickled session: %d", got.Status)
	}
	for _, secret := range append([]string{projectSecret}, cookies["editor"], cookies["another"]) {
		if strings.Contains(s.logs.text(), secret) || strings.Contains(s.exporting(), secret) {
			t.Error("a key is in the log or in the export")
		}
	}
	// A change of the password ends sessions here as it does there.
	p.do(map[string]any{"do": "password", "user": "editor", "password": "a new password"}, new(any))
	s.importingWith(p.dump(labels...), query+"&passwords=true&prune=true", projectSecret)
	compareCookies(2)
}

// moveTokens moves the tokens of knox, of all its versions, and of durin.
func moveTokens(t *testing.T, p *project) {
	older := p.step("knox", map[string]any{"user": "editor", "older": true})
	s := serve(t, issuedSite)
	status := func(token string, want int) {
		t.Helper()
		if got := s.get("/", "Authorization: Token "+token); got.Status != want {
			t.Errorf("%.8s…: %d %s, want %d", token, got.Status, got.Body, want)
		}
	}
	s.importing(p.dump(issuedLabels...), "")
	status(older, 200)
	status(strings.ToUpper(older), 401)

	tokens := []string{
		p.step("knox", map[string]any{"user": "editor", "seconds": 3600}),
		p.step("knox", map[string]any{"user": "root", "prefix": "pre_"}),
		p.step("durin", map[string]any{"user": "editor", "client": "web"}),
		p.step("durin", map[string]any{"user": "editor", "client": "cli"}),
	}
	expired := p.step("knox", map[string]any{"user": "editor", "seconds": -1})
	gone := p.step("durin", map[string]any{"user": "gone", "client": "web"})
	dump := p.dump(issuedLabels...)
	report := s.importing(dump, "")
	if report.KnoxTokens != (manage.ImportCounts{Created: 2, Skipped: 2}) || report.DurinTokens != (manage.ImportCounts{Created: 3}) ||
		report.DurinClients != (manage.ImportCounts{Created: 2}) {
		t.Errorf("%+v", report)
	}
	for _, token := range tokens {
		status(token, 200)
	}
	status(expired, 401)
	if got := s.get("/", "Authorization: Token "+gone); !strings.Contains(got.Body, "User inactive or deleted.") {
		t.Errorf("an inactive user's: %d %s", got.Status, got.Body)
	}
	client, err := s.store().Client(t.Context(), durin.ClientID("web"))
	if err != nil || !bytes.Contains(client.Data, []byte(`"token_ttl":"240h0m0.000005s"`)) {
		t.Errorf("the client: %s, %v", client.Data, err)
	}
	// Again nothing changes, but that what knox 5 has outgrown is pruned.
	report = s.importing(dump, "?prune=true")
	if report.KnoxTokens != (manage.ImportCounts{Unchanged: 2, Skipped: 2, Removed: 1}) || report.DurinTokens != (manage.ImportCounts{Unchanged: 3}) {
		t.Errorf("again: %+v", report)
	}
	status(older, 401)
	for _, secret := range append(tokens, expired, gone, older) {
		if strings.Contains(s.logs.text(), secret) || strings.Contains(s.exporting(), secret) {
			t.Error("a token is in the log or in the export")
		}
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/manage"
)

// djangoSite has the policies of the project's views.
const djangoSite = `{
	{{global}}
	rest_auth {
		{{store}}
		passwords {
			allow md5 sha1 unsalted_md5 unsalted_sha1
		}
	}
}
{{site}} {
	handle /basic/ {
		rest_auth {
			authenticate basic
		}
		reverse_proxy {{echo}}
	}
	handle /token/ {
		rest_auth {
			authenticate token
		}
		reverse_proxy {{echo}}
	}
	handle /both/ {
		rest_auth {
			authenticate token
			authenticate basic
		}
		reverse_proxy {{echo}}
	}
	handle /admin/ {
		rest_auth {
			authenticate token
			authenticate basic
			require staff
		}
		reverse_proxy {{echo}}
	}
	handle /books/ {
		rest_auth {
			authenticate token
			require model library.book
		}
		reverse_proxy {{echo}}
	}
	handle /public/ {
		rest_auth {
			authenticate token
			require model library.book anonymous_read
		}
		reverse_proxy {{echo}}
	}
}
`

// importing sends a dump to the admin API.
func (s *server) importing(file, query string) manage.ImportReport {
	s.t.Helper()
	dump, err := os.Open(file)
	if err != nil {
		s.t.Fatal(err)
	}
	defer dump.Close()
	got := s.send(http.MethodPost, "http://"+s.Admin+"/rest_auth/import"+query, dump, "Content-Type: application/json")
	if got.Status != http.StatusOK {
		s.t.Fatalf("importing: %d %s", got.Status, got.Body)
	}
	var report manage.ImportReport
	if err := json.Unmarshal([]byte(got.Body), &report); err != nil {
		s.t.Fatal(err)
	}
	return report
}

// exporting returns the export, but for its first line, which has the time.
func (s *server) exporting() string {
	s.t.Helper()
	got := s.send(http.MethodGet, "http://"+s.Admin+"/rest_auth/export", nil)
	_, records, ok := strings.Cut(got.Body, "\n")
	if got.Status != http.StatusOK || !ok {
		s.t.Fatalf("exporting: %d %s", got.Status, got.Body)
	}
	return records
}

// answers asks Caddy what Django was asked.
func (s *server) answers(questions []question) []answer {
	s.t.Helper()
	answers := make([]answer, len(questions))
	for i, q := range questions {
		var lines []string
		if q.Authorization != "" {
			lines = []string{"Authorization: " + q.Authorization}
		}
		got := s.do(q.Method, q.Path, lines...)
		answers[i] = answer{got.Status, got.Header.Get("WWW-Authenticate"), got.Body}
	}
	return answers
}

// compare holds Caddy's answers against Django's. What an upstream would say of
// a request that was let through is none of ours.
func compare(t *testing.T, questions []question, django, caddy []answer) {
	t.Helper()
	allowed := 0
	for i, q := range questions {
		want, got := django[i], caddy[i]
		if want.Status == http.StatusOK {
			allowed++
			want.Body, got.Body = "", ""
		}
		if got != want {
			t.Errorf("%s %s with %.12s…: Caddy answers %+v, Django %+v", q.Method, q.Path, q.Authorization, got, want)
		}
	}
	if allowed < len(questions)/4 || allowed > len(questions)*3/4 {
		t.Errorf("%d of %d questions are allowed: the table tells little", allowed, len(questions))
	}
}

const (
	byKeys   = "by primary keys"
	lineARow = "natural keys, line a row" // whose end nobody sees, so that nothing may be pruned by it
)

func withoutPasswords(questions []question, answers []answer) (some []question, theirs []answer) {
	for i, q := range questions {
		if q.Path != "/basic/" || q.Authorization == "" {
			some, theirs = append(some, q), append(theirs, answers[i])
		}
	}
	return some, theirs
}

// TestDjangoImport moves a real project: whatever way it was dumped, every
// request is answered as Django answers it.
func TestDjangoImport(t *testing.T) {
	labels := []string{"contenttypes", "auth", "authtoken", "library"}
	for _, variant := range []string{"default", "custom"} {
		query := ""
		if variant == "custom" {
			labels = append(labels, "accounts")
			query = "?user_model=accounts.Member&username_field=email"
		}
		p := newProject(t, variant)
		// Django replaces hashes at the first login, so the dumps come first.
		dumps := map[string]string{
			byKeys:                 p.dump(labels...),
			"natural foreign keys": p.dump(append(labels, "--natural-foreign", "--exclude", "contenttypes", "--exclude", "auth.permission")...),
			lineARow:               p.dump(append(labels, "--natural-foreign", "--natural-primary", "--format", "jsonl")...),
		}
		questions := p.questions()
		django := p.asDjango(questions)
		for how, dump := range dumps {
			t.Run(variant+" "+how, func(t *testing.T) {
				s := serve(t, djangoSite)
				report := s.importing(dump, query)
				n := len(p.Users)
				if report.Users != (manage.ImportCounts{Created: n}) || report.Tokens != (manage.ImportCounts{Created: n}) ||
					report.Groups != (manage.ImportCounts{Created: 2}) || report.Passwords != (manage.PasswordCounts{Taken: n - 1, Unusable: 1}) ||
					len(report.Notes) > 0 || report.Other["library.book"] != 1 {
					t.Errorf("the first import: %+v", report)
				}
				before := s.exporting()
				again := "?passwords=true&" + strings.TrimPrefix(query, "?")
				if how != lineARow {
					again = "?prune=true&" + strings.TrimPrefix(again, "?")
				}
				report = s.importing(dump, strings.TrimSuffix(again, "&"))
				if report.Users != (manage.ImportCounts{Unchanged: n}) || report.Tokens != (manage.ImportCounts{Unchanged: n}) ||
					report.Groups != (manage.ImportCounts{Unchanged: 2}) || report.Passwords != (manage.PasswordCounts{}) {
					t.Errorf("the second import: %+v", report)
				}
				if after := s.exporting(); after != before {
					t.Errorf("the second import changed something:\n%s\nbefore:\n%s", after, before)
				}
				// Verifying every format takes long, and how it was dumped does not
				// matter to it.
				asked, answered := questions, django
				if how != byKeys {
					asked, answered = withoutPasswords(questions, django)
				}
				compare(t, asked, answered, s.answers(asked))
				for _, secret := range p.Tokens {
					if strings.Contains(before, secret) || strings.Contains(s.logs.text(), secret) {
						t.Error("a token is in the export or in the log")
					}
				}
			})
		}
	}
}

// TestDjangoImport_again follows a project that goes on living beside Caddy.
func TestDjangoImport_again(t *testing.T) {
	p := newProject(t, "default")
	labels := []string{"auth.user", "auth.group", "authtoken.token", "--natural-foreign"}
	s := serve(t, djangoSite)
	s.importing(p.dump(labels...), "")
	status := func(path, authorization string, want int) {
		t.Helper()
		if got := s.get(path, "Authorization: "+authorization); got.Status != want {
			t.Errorf("GET %s with %.12s… = %d %s, want %d", path, authorization, got.Status, got.Body, want)
		}
	}
	// A revoked token stays dead, whatever the project still says.
	status("/token/", "Token "+p.Tokens["editor"], 200)
	if got := s.send(http.MethodDelete, "http://"+s.Admin+"/rest_auth/tokens?user=editor", nil); got.Status != 200 {
		t.Fatalf("revoking: %d %s", got.Status, got.Body)
	}
	status("/token/", "Token "+p.Tokens["editor"], 401)
	report := s.importing(p.dump(labels...), "?passwords=true")
	if report.TokensRevoked != 1 || report.Tokens.Created != 0 {
		t.Errorf("after a revocation: %+v", report)
	}
	status("/token/", "Token "+p.Tokens["editor"], 401)

	// A login here replaces the hash; that is no reason to take the old one.
	status("/basic/", basicAuth("staff", "password of staff"), 200)

	// A password that was changed there is taken when asked for.
	step := func(do, user, password string, answer any) {
		t.Helper()
		p.do(map[string]any{"do": do, "user": user, "password": password}, answer)
	}
	step("password", "root", "a new password", new(any))
	var renewed string
	step("new_token", "deleter", "", &renewed)
	step("delete", "nobody", "", new(any))
	dump := p.dump(labels...)

	report = s.importing(dump, "?dry_run=true&prune=true&passwords=true")
	if !report.DryRun || report.Users.Removed != 1 || report.Passwords.Taken != 1 {
		t.Errorf("the dry run: %+v", report)
	}
	status("/token/", "Token "+p.Tokens["nobody"], 200)
	s.importing(dump, "")
	status("/basic/", basicAuth("root", "password of root"), 200)
	status("/basic/", basicAuth("root", "a new password"), 401)
	status("/token/", "Token "+renewed, 200)
	status("/token/", "Token "+p.Tokens["deleter"], 401)
	status("/token/", "Token "+p.Tokens["nobody"], 200)

	report = s.importing(dump, "?passwords=true&prune=true")
	if report.Passwords.Taken != 1 || report.Users.Removed != 1 {
		t.Errorf("with passwords and prune: %+v", report)
	}
	status("/basic/", basicAuth("root", "password of root"), 401)
	status("/basic/", basicAuth("root", "a new password"), 200)
	status("/basic/", basicAuth("staff", "password of staff"), 200)
	status("/token/", "Token "+p.Tokens["nobody"], 401)
}

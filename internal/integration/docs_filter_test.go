// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentedFilter matches the lines that are logged with the expression
// that docs/observability.md gives fail2ban, which cuts the time out of a line
// before.
func TestDocumentedFilter(t *testing.T) {
	page := readText(t, filepath.Join(repository, "docs/observability.md"))
	setting := func(name string) string {
		match := regexp.MustCompile(`(?m)^` + name + ` = (.+)$`).FindStringSubmatch(page)
		if match == nil {
			t.Fatalf("the page has no %s", name)
		}
		return match[1]
	}
	failure := regexp.MustCompile(strings.Replace(setting("failregex"), "<ADDR>", `(?P<addr>[0-9a-f.:]+)`, 1))
	date := regexp.MustCompile(strings.Replace(setting("datepattern"), "{EPOCH}", `\d{10}(\.\d+)?`, 1))

	s := serve(t, strings.Replace(observedSite, "\tlog\n", "\tlog\n\trest_auth_endpoints {\n\t\tauthtoken /login/\n\t}\n", 1))
	s.seed()
	refused := []string{
		token("unknown"), token(`x","client_ip":"203.0.113.9`), token("token-gone"), basic("nobody", "x"), basic("alice", "wrong"),
		basic(`x","client_ip":"203.0.113.9`, "x"), "Authorization: Basic !",
	}
	for _, line := range refused {
		s.refusedLine(line)
	}
	s.send("POST", s.URL+"/login/", strings.NewReader(`{"username":"bob","password":"wrong"}`), ofJSON)
	s.logs.await("credentials refused", len(refused)+1)
	const guesses = 6 // the last of which is one too many
	for i := range guesses {
		s.get("/", basic("nobody else", strings.Repeat("x", i+1)))
	}
	s.logs.await("login throttled", 1)
	s.get("/", token("token-bob"))
	s.get("/", token("token-alice"))
	s.get("/", "X-None: 1")
	matched := 0
	for line := range bytes.Lines([]byte(s.logs.text())) {
		found := failure.FindSubmatch(date.ReplaceAll(line, nil))
		if found == nil {
			continue
		}
		matched++
		if addr := string(found[failure.SubexpIndex("addr")]); addr != "127.0.0.1" {
			t.Errorf("the address is %s in %s", addr, line)
		}
	}
	if want := len(refused) + 1 + guesses; matched != want {
		t.Errorf("%d lines match, want %d", matched, want)
	}
}

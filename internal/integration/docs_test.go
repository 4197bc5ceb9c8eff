// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"

	// docs/extending.md configures it.
	_ "github.com/caddy-rest-auth/caddy-rest-auth/examples/thirdparty"
)

const repository = "../.."

// pages are what people read.
func pages(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		files, err := filepath.Glob(filepath.Join(repository, pattern))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, files...)
	}
	if len(found) < 10 {
		t.Fatalf("only %d pages: %v", len(found), found)
	}
	return found
}

func readText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var fencePattern = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

// fences returns the blocks of a language with the lines that they begin at.
func fences(page, language string) map[int]string {
	found := make(map[int]string)
	for _, at := range fencePattern.FindAllStringSubmatchIndex(page, -1) {
		if page[at[2]:at[3]] == language {
			found[1+strings.Count(page[:at[4]], "\n")] = page[at[4]:at[5]]
		}
	}
	return found
}

// TestDocumentedCaddyfiles loads every Caddyfile of the documentation, and the
// files that are examples, as `caddy validate` does.
func TestDocumentedCaddyfiles(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	found := 0
	for _, page := range pages(t) {
		for line, caddyfile := range fences(readText(t, page), "caddyfile") {
			found++
			t.Run(fmt.Sprintf("%s:%d", page, line), func(t *testing.T) { loadCaddyfile(t, caddyfile) })
		}
	}
	if found < 10 {
		t.Errorf("only %d Caddyfiles are in the documentation", found)
	}
	files, err := filepath.Glob(filepath.Join(repository, "examples", "*.Caddyfile"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d examples: %v", len(files), err)
	}
	for _, file := range append(files, filepath.Join(repository, "Caddyfile.example"), filepath.Join(repository, "examples/demo/Caddyfile")) {
		t.Run(file, func(t *testing.T) {
			text := readText(t, file)
			if !strings.HasPrefix(text, "# ") {
				t.Error("it does not begin with a comment that says what it shows")
			}
			loadCaddyfile(t, text)
		})
	}
}

func loadCaddyfile(t *testing.T, caddyfile string) {
	t.Helper()
	adapted, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(caddyfile), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		t.Fatal(err)
	}
	for _, warning := range warnings {
		t.Errorf("warned of: %s", warning)
	}
	if err := validate(t, adapted); err != nil {
		t.Error(err)
	}
}

// TestDocumentedJSON loads every JSON configuration of the documentation. What
// is only a part of one is completed. Pages whose JSON is none are named.
func TestDocumentedJSON(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	answers := []string{"admin-api.md"}
	for _, page := range pages(t) {
		for line, fence := range fences(readText(t, page), "json") {
			t.Run(fmt.Sprintf("%s:%d", page, line), func(t *testing.T) {
				if !json.Valid([]byte(fence)) {
					t.Fatalf("this is not JSON: %s", fence)
				}
				config, ok := complete(fence)
				if !ok {
					if !slices.Contains(answers, filepath.Base(page)) {
						t.Error("this is no configuration")
					}
					return
				}
				if err := validate(t, []byte(config)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	if err := validate(t, []byte(readText(t, filepath.Join(repository, "examples/policy.json")))); err != nil {
		t.Errorf("examples/policy.json: %v", err)
	}
}

// complete makes a configuration of a part of one, which it knows by its keys.
// It reports whether it does, or whether the part is a line of a log.
func complete(part string) (config string, ok bool) {
	const (
		store   = `{"apps": {"rest_auth": {"store": %s}}}`
		handler = `{"apps": {"http": {"servers": {"a": {"listen": [":8080"], "routes": [{"handle": [%s]}]}}}}}`
	)
	within := func(template string) string {
		return fmt.Sprintf(handler, fmt.Sprintf(template, part))
	}
	var list []any
	if json.Unmarshal([]byte(part), &list) == nil {
		return within(`{"handler": "rest_auth", "authenticators": [{"authenticator": "token"}], "permissions": %s}`), true
	}
	var object map[string]any
	if json.Unmarshal([]byte(part), &object) != nil {
		return "", false
	}
	has := func(key string) bool { return object[key] != nil }
	switch {
	case has("msg"):
		return "{}", true
	case has("apps"):
		return part, true
	case has("handler"):
		return within("%s"), true
	case has("authenticator"):
		return within(`{"handler": "rest_auth", "authenticators": [%s]}`), true
	case has("driver"):
		return fmt.Sprintf(store, part), true
	}
	return "", false
}

var (
	linkPattern    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headingPattern = regexp.MustCompile(`(?m)^#+ (.+)$`)
	anchorDropped  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestDocumentedLinks follows every link within the repository.
func TestDocumentedLinks(t *testing.T) {
	for _, page := range pages(t) {
		for _, match := range linkPattern.FindAllStringSubmatch(readText(t, page), -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			file := page
			if target != "" {
				file = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s links to %s, which is not there", page, match[1])
				continue
			}
			if anchor != "" && !slices.Contains(anchors(readText(t, file)), anchor) {
				t.Errorf("%s links to %s, which has no such heading", page, match[1])
			}
		}
	}
}

func anchors(page string) []string {
	var found []string
	for _, match := range headingPattern.FindAllStringSubmatch(fencePattern.ReplaceAllString(page, ""), -1) {
		plain := anchorDropped.ReplaceAllString(strings.ToLower(match[1]), "")
		found = append(found, strings.ReplaceAll(plain, " ", "-"))
	}
	return found
}

// TestDocumentedExtension compares the example that docs/extending.md shows
// with the one that is compiled and served.
func TestDocumentedExtension(t *testing.T) {
	page := readText(t, filepath.Join(repository, "docs/extending.md"))
	code := readText(t, filepath.Join(repository, "examples/thirdparty/apikeyheader.go"))
	for _, fence := range fences(page, "go") {
		if fence == code {
			return
		}
	}
	t.Error("docs/extending.md does not show examples/thirdparty/apikeyheader.go as it is")
}

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

	s := serve(t, observedSite)
	s.seed()
	refused := []string{
		token("unknown"), token(`x","client_ip":"203.0.113.9`), token("token-gone"), basic("nobody", "x"), basic("alice", "wrong"),
		basic(`x","client_ip":"203.0.113.9`, "x"), "Authorization: Basic !",
	}
	for _, line := range refused {
		if got := s.get("/", line).Status; got != http.StatusUnauthorized {
			t.Errorf("%q was answered %d", line, got)
		}
	}
	s.get("/", token("token-bob"))
	s.get("/", token("token-alice"))
	s.get("/", "X-None: 1")
	s.logs.await("credentials refused", len(refused))
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
	if matched != len(refused) {
		t.Errorf("%d lines match, want %d", matched, len(refused))
	}
}

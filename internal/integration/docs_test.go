// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"fmt"
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
	t.Setenv("INTROSPECTION_SECRET", "example")
	found := 0
	key := filepath.Join(t.TempDir(), "jwt.key")
	write(t, key, "Zq3x8Vt1Lw6Yb9Rn4Kc7Hd2Jf5Ms0PgUaEoTiXvQ")
	for _, page := range pages(t) {
		for line, caddyfile := range fences(readText(t, page), "caddyfile") {
			found++
			caddyfile = strings.ReplaceAll(caddyfile, "/etc/caddy/jwt.key", key)
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
	t.Setenv("INTROSPECTION_SECRET", "example")
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
	case has("authenticator"):
		return within(`{"handler": "rest_auth", "authenticators": [%s]}`), true
	case has("apps"):
		return part, true
	case has("handler"):
		return within("%s"), true
	case has("driver"):
		return fmt.Sprintf(store, part), true
	}
	return "", false
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

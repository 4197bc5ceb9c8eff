// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite what the goldens expect")

const goldenSeparator = "----------\n"

// TestCaddyfileAdapt compares what Caddyfiles adapt to. A golden holds a
// Caddyfile, a line of hyphens, and either the JSON, which must then be a valid
// configuration, or the whole text of the error, be it the adapter's or that of
// provisioning.
func TestCaddyfileAdapt(t *testing.T) {
	goldens(t, "caddyfile_adapt/*.caddyfiletest", func(t *testing.T, input string) string {
		adapted, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(input), map[string]any{"filename": "Caddyfile"})
		if err != nil {
			return err.Error() + "\n"
		}
		for _, warning := range warnings {
			t.Errorf("the Caddyfile is warned of: %s", warning)
		}
		if err := validate(t, adapted); err != nil {
			return ours(err) + "\n"
		}
		var indented bytes.Buffer
		if err := json.Indent(&indented, adapted, "", "\t"); err != nil {
			t.Fatal(err)
		}
		return indented.String() + "\n"
	})
}

// TestJSONErrors has the errors of configurations that no Caddyfile adapts to.
func TestJSONErrors(t *testing.T) {
	goldens(t, "json_validate/*.jsontest", func(t *testing.T, input string) string {
		if err := validate(t, []byte(input)); err != nil {
			return ours(err) + "\n"
		}
		return "valid\n"
	})
}

// goldens calls actual with the first half of each file and compares what it
// returns with the second.
func goldens(t *testing.T, pattern string, actual func(t *testing.T, input string) string) {
	t.Helper()
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	t.Setenv("REST_AUTH_TEST_WORD", "word")
	t.Setenv("REST_AUTH_TEST_HASH", "$2a$04$5cBYEbYh9sMMHZhbIjWSvuLbFkRDfgt0kwyfJxMM2UJK9thIlODX6")
	t.Setenv("REST_AUTH_TEST_EMPTY", "")
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%d goldens match %s: %v", len(files), pattern, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), func(t *testing.T) {
			golden, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input, want, ok := strings.Cut(string(golden), goldenSeparator)
			if !ok && !*update {
				t.Fatalf("there is no line of hyphens")
			}
			got := actual(t, input)
			if *update {
				if err := os.WriteFile(file, []byte(input+goldenSeparator+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
		})
	}
}

// ours returns the part of an error that begins at our modules: Caddy
// provisions apps in no order, and so comes to the rest_auth app by itself or
// through the handlers of the http app.
func ours(err error) string {
	text := err.Error()
	for _, module := range []string{"provision rest_auth: ", "provision http.handlers.rest_auth: "} {
		if at := strings.Index(text, module); at >= 0 {
			return text[at:]
		}
	}
	return text
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// serveChanged serves an example with some words replaced.
func serveChanged(t *testing.T, name string, replacements ...string) *server {
	t.Helper()
	text := readText(t, filepath.Join(repository, "examples", name))
	changed := strings.NewReplacer(replacements...).Replace(text)
	if changed == text {
		t.Fatalf("%s has none of %q", name, replacements)
	}
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serveExample(t, file)
	s.seed()
	return s
}

// The example asks for the addresses of an office, where this test is not.
func TestExampleOfficeAddresses(t *testing.T) {
	s := serveChanged(t, "office-or-login.Caddyfile", "192.0.2.0/24", "127.0.0.0/8")
	for credentials, want := range map[string]string{
		"":                           "GET /wiki by ",
		"Remote-User: root":          "GET /wiki by ",
		basic("alice", "pw"):         "GET /wiki by alice",
		"X-Forwarded-For: 192.0.2.1": "GET /wiki by ",
	} {
		if got := s.ask("GET", "http://localhost:8080/wiki", credentials); got.Status != 200 || got.Body != want {
			t.Errorf("from the office with %q: %d %q, want %q", credentials, got.Status, got.Body, want)
		}
	}
	if got := s.ask("GET", "http://localhost:8080/wiki", basic("alice", "wrong")); got.Status != 401 {
		t.Errorf("from the office with a wrong password: %d, want 401", got.Status)
	}
}

// TestExampleOfficeHours moves the office to where it is now open, or closed:
// its hours are written for a zone, and zones may be offsets.
func TestExampleOfficeHours(t *testing.T) {
	now := time.Now().UTC()
	open := now.Weekday() >= time.Monday && now.Weekday() <= time.Friday && now.Hour() >= 8 && now.Hour() < 18
	for _, test := range []struct {
		name         string
		replacements []string
		status       int
	}{
		{"always open", []string{"[1, 2, 3, 4, 5]", "[0, 1, 2, 3, 4, 5, 6]", ">= 8", ">= 0", "< 18", "< 24"}, 200},
		{"never open", []string{">= 8", ">= 24"}, 403},
		{"no such zone", []string{`"UTC"`, `"Nowhere/None"`}, 403},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serveChanged(t, "office-hours.Caddyfile", test.replacements...)
			got := s.ask("PUT", "http://localhost:8080/prices", token("token-alice"))
			if got.Status != test.status {
				t.Errorf("%d %q, want %d", got.Status, got.Body, test.status)
			}
		})
	}
	t.Run("as it is", func(t *testing.T) {
		s := serveChanged(t, "office-hours.Caddyfile", "need a ticket.", "need a ticket!")
		got := s.ask("PUT", "http://localhost:8080/prices", token("token-alice"))
		if after := time.Now().UTC(); after.Hour() != now.Hour() {
			t.Skip("the hour has passed")
		}
		if (got.Status == 200) != open {
			t.Errorf("%d %q, and the office is open: %v", got.Status, got.Body, open)
		}
	})
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/loginthrottle"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/memory"
)

// guessed has guesses counted at times of the fixture's own.
func guessed(f *fixture) {
	f.t.Helper()
	if _, err := f.store.PutUser(f.t.Context(), tokenstore.User{Name: "Alice", Active: true}); err != nil {
		f.t.Fatal(err)
	}
	fail := func(name, address string, n int) {
		throttle, err := loginthrottle.New(loginthrottle.Options{Store: f.store, Memory: loginthrottle.NewMemory(memory.New())})
		if err != nil {
			f.t.Fatal(err)
		}
		for range n {
			_, _ = throttle.Guess(f.t.Context(), loginthrottle.Guess{Kind: "password", Name: name, Address: address},
				func(context.Context) (*auth.Identity, error) { return nil, &auth.Failure{} })
		}
	}
	f.now = time.Now()
	fail("alice", "192.0.2.1", 5)
	fail("CONFIGURED", "2001:db8::1", 5)
	fail("hunter2", "2001:db8::2", 5)
	fail("bob", "198.51.100.1", 2)
	f.now = time.Now()
}

func TestLockouts(t *testing.T) {
	type page struct {
		Lockouts []Lockout
		Next     string
	}
	f := newFixture(t)
	guessed(f)
	answer := must[page](f, "GET", "lockouts", "")
	var got []string
	for _, l := range answer.Lockouts {
		got = append(got, l.Scope+" "+l.User+" "+l.Address)
		if l.Failures != 5 || l.Until == nil || l.Kind != "password" || f.now.Sub(l.Last) > time.Minute {
			t.Errorf("a lockout is %+v", l)
		}
	}
	slices.Sort(got)
	if want := []string{"user  ", "user Alice ", "user configured "}; !slices.Equal(got, want) || answer.Next != "" {
		t.Errorf("locked are %q, want %q", got, want)
	}

	got = nil
	for query := "lockouts?counted=true&limit=2"; query != ""; {
		answer = must[page](f, "GET", query, "")
		for _, l := range answer.Lockouts {
			got = append(got, l.Scope+" "+l.User+" "+l.Address)
		}
		if query = ""; answer.Next != "" {
			query = "lockouts?counted=true&limit=2&cursor=" + answer.Next
		}
	}
	slices.Sort(got)
	want := []string{"address  192.0.2.1", "address  198.51.100.1", "address  2001:db8::/64", "user  ", "user  ", "user Alice ", "user configured "}
	if !slices.Equal(got, want) {
		t.Errorf("counted are %q, want %q", got, want)
	}

	// What nobody is called may be a password.
	f.now = f.now.Add(time.Second)
	if body := f.send("GET", "lockouts?counted=true", "").body; strings.Contains(body, "hunter2") {
		t.Errorf("the list has a name that nobody has: %s", body)
	}
	answer = must[page](f, "GET", "lockouts", "")
	if len(answer.Lockouts) > 0 {
		t.Errorf("after a second %+v are locked", answer.Lockouts)
	}
}

func TestLockouts_clear(t *testing.T) {
	tests := map[string]struct {
		query string
		want  int
	}{
		"user":                 {"user=ALICE", 1},
		"unknown user":         {"user=hunter2", 1},
		"user without guesses": {"user=carol", 0},
		"address":              {"address=192.0.2.1", 1},
		"network":              {"address=2001:db8::77", 1},
		"another network":      {"address=2001:db9::1", 0},
		"name in upper case":   {"user=Configured", 2},
		"all":                  {"all=true", 8},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			guessed(f)
			if _, err := f.store.Remember(t.Context(), "another", f.now.Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			answer := must[struct{ Cleared int }](f, "DELETE", "lockouts?"+test.query, "")
			left, _, err := f.store.Attempts(t.Context(), "", "", 100)
			if err != nil || answer.Cleared != test.want || len(left) != 8-test.want {
				t.Errorf("cleared %d, and %d are left; want %d of 8 gone", answer.Cleared, len(left), test.want)
			}
			if known, err := f.store.Known(t.Context(), "another"); !known || err != nil {
				t.Error("something else was forgotten")
			}
			if got := f.actions(); !slices.Equal(got, []string{"lockouts cleared"}) {
				t.Errorf("logged %q", got)
			}
		})
	}
}

func TestLockouts_refused(t *testing.T) {
	f := newFixture(t)
	f.fail(http.StatusBadRequest, "say one of", "DELETE", "lockouts", "")
	f.fail(http.StatusBadRequest, "say one of", "DELETE", "lockouts?all=false", "")
	f.fail(http.StatusBadRequest, "say one of", "DELETE", "lockouts?all=true&user=alice", "")
	f.fail(http.StatusBadRequest, "address: must be an IP address", "DELETE", "lockouts?address=here", "")
	f.fail(http.StatusBadRequest, "all: must be true or false", "DELETE", "lockouts?all=maybe", "")
	f.fail(http.StatusBadRequest, "counted: must be true or false", "GET", "lockouts?counted=maybe", "")
	f.fail(http.StatusBadRequest, "unknown parameter", "GET", "lockouts?user=alice", "")
	f.fail(http.StatusMethodNotAllowed, "method POST", "POST", "lockouts", "{}")
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package users

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func TestDirectory_Authenticate(t *testing.T) {
	hasher := password.New(password.Config{})
	hash := hashOf(t, hasher, "secret")
	s := &store{users: []tokenstore.User{
		{
			Key: "store:1", Name: "alice", FullName: "Alice A.", Email: "a@example.com", PasswordHash: hash, PasswordVersion: 3,
			Active: true, Staff: true, Groups: []string{"editors"}, Permissions: []string{"shop.add_order"},
		},
		{Key: "store:2", Name: "bob", PasswordHash: hash, Active: true},
		{Key: "store:3", Name: "gone", PasswordHash: hash},
		{Key: "store:4", Name: "nopassword", Active: true},
		{Key: "store:5", Name: "unusable", PasswordHash: "!x", Active: true},
		{Key: "store:6", Name: "damaged", PasswordHash: "canary", Active: true},
		{Key: "store:7", Name: "weak", PasswordHash: "md5$canary$9a0c1a2b3c4d5e6f708192a3b4c5d6e7", Active: true},
	}}
	d := newDirectory(t, []User{
		{Name: "bob", Password: hash, FullName: "Bob B.", Email: "b@example.com", Superuser: true, Groups: []string{"ops"}, Permissions: []string{"x.y"}},
		{Name: "frozen", Password: hash, Inactive: true},
	}, s, hasher)

	alice := &auth.Identity{
		ID: "alice", Key: "store:1", Source: "store", Name: "Alice A.", Email: "a@example.com", Staff: true,
		Groups: []string{"editors"}, Permissions: []string{"shop.add_order"}, Proof: "v3",
	}
	bob := &auth.Identity{
		ID: "bob", Key: "config:bob", Source: "config", Name: "Bob B.", Email: "b@example.com", Superuser: true,
		Groups: []string{"ops"}, Permissions: []string{"x.y"},
	}
	tests := map[string]struct {
		name, password string
		want           *auth.Identity
		candidate      string
		err            error
	}{
		"store":                          {name: "alice", password: "secret", want: alice},
		"store, name not canonical":      {name: "ａlice", password: "secret", want: alice},
		"configuration comes first":      {name: "bob", password: "secret", want: bob},
		"wrong password":                 {name: "alice", password: "Secret", candidate: "store:1", err: errPassword},
		"wrong password, configuration":  {name: "bob", password: "Secret", candidate: "config:bob", err: errPassword},
		"other case of the name":         {name: "Alice", password: "secret", err: errNoUser},
		"unknown":                        {name: "mallory", password: "secret", err: errNoUser},
		"placeholder":                    {name: "{env.HOME}", password: "secret", err: errNoUser},
		"inactive":                       {name: "gone", password: "secret", candidate: "store:3", err: errInactive},
		"inactive, wrong password":       {name: "gone", password: "x", candidate: "store:3", err: errPassword},
		"inactive, configuration":        {name: "frozen", password: "secret", candidate: "config:frozen", err: errInactive},
		"no password set":                {name: "nopassword", password: "secret", candidate: "store:4", err: errPassword},
		"unusable password":              {name: "unusable", password: "!x", candidate: "store:5", err: errPassword},
		"damaged hash":                   {name: "damaged", password: "canary", candidate: "store:6", err: password.ErrMalformed},
		"weak hash":                      {name: "weak", password: "secret", candidate: "store:7", err: password.ErrWeak},
		"empty name":                     {password: "secret", err: errUnfit},
		"empty password":                 {name: "alice", err: errUnfit},
		"empty password, none set":       {name: "nopassword", err: errUnfit},
		"NUL in the name":                {name: "alice\x00", password: "secret", err: errUnfit},
		"invalid UTF-8 in the name":      {name: "alice\xff", password: "secret", err: errUnfit},
		"long name":                      {name: strings.Repeat("é", 255), password: "secret", err: errUnfit},
		"longest name":                   {name: strings.Repeat("é", 254), password: "secret", err: errNoUser},
		"long password":                  {name: "alice", password: strings.Repeat("x", 4097), err: errUnfit},
		"longest password":               {name: "alice", password: strings.Repeat("x", 4096), candidate: "store:1", err: errPassword},
		"password is not canonicalized":  {name: "alice", password: "ｓecret", candidate: "store:1", err: errPassword},
		"password that continues by NUL": {name: "alice", password: "secret\x00x", candidate: "store:1", err: errPassword},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			id, err := d.Authenticate(t.Context(), test.name, test.password)
			if test.want != nil {
				if err != nil {
					t.Fatalf("Authenticate: %v", err)
				}
				if test.want.Proof == "" {
					id.Proof = ""
				}
				if diff := cmp.Diff(test.want, id); diff != "" {
					t.Errorf("Authenticate (-want +got):\n%s", diff)
				}
				return
			}
			failure, ok := errors.AsType[*auth.Failure](err)
			if !ok || id != nil {
				t.Fatalf("Authenticate = %v, %v, want a Failure", id, err)
			}
			if failure.Detail != "Invalid username/password." || failure.Code != "authentication_failed" || !errors.Is(err, test.err) {
				t.Errorf("Authenticate: %v, want %v", err, test.err)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("Authenticate: %v: the error repeats a hash", err)
			}
			var candidate string
			if failure.Candidate != nil {
				candidate = failure.Candidate.Key
				if failure.Candidate.Authenticated() {
					t.Error("the candidate counts as authenticated")
				}
			}
			if candidate != test.candidate {
				t.Errorf("candidate %q, want %q", candidate, test.candidate)
			}
		})
	}
}

func TestDirectory_Authenticate_unavailable(t *testing.T) {
	hasher := password.New(password.Config{Slots: 1, Queue: -1})
	down := errors.New("down")
	s := &store{err: down}
	d := newDirectory(t, []User{{Name: "bob", Password: hashOf(t, hasher, "secret")}}, s, hasher)

	if _, err := d.Authenticate(t.Context(), "bob", "secret"); err != nil {
		t.Errorf("a user of the configuration needs the store: %v", err)
	}
	_, err := d.Authenticate(t.Context(), "alice", "secret")
	if unavailable, ok := errors.AsType[*auth.Unavailable](err); !ok || !errors.Is(err, down) || unavailable.RetryAfter != time.Second {
		t.Errorf("store down: %v", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Authenticate(ctx, "bob", "secret"); !isUnavailable(err) {
		t.Errorf("client gone: %v, want Unavailable", err)
	}
}

func isUnavailable(err error) bool {
	_, ok := errors.AsType[*auth.Unavailable](err)
	return ok
}

// TestDirectory_Authenticate_busy holds the only slot by a slow hash.
func TestDirectory_Authenticate_busy(t *testing.T) {
	hasher := password.New(password.Config{Slots: 1, Queue: -1})
	const slow = "pbkdf2_sha256$1000000$saltsalt$7q77FNs/69qVkPyRNSqXo6plaOX9a1Kyv7l1dRFK7ZE="
	d := newDirectory(t, []User{{Name: "bob", Password: slow}}, &store{}, hasher)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = d.Authenticate(t.Context(), "bob", "guess")
	}()
	for hasher.Stats().Running == 0 {
		time.Sleep(time.Millisecond)
	}
	for _, name := range []string{"bob", "nobody"} {
		_, err := d.Authenticate(t.Context(), name, "another guess")
		if unavailable, ok := errors.AsType[*auth.Unavailable](err); !ok || !errors.Is(err, password.ErrBusy) || unavailable.RetryAfter != time.Second {
			t.Errorf("%s: %v, want to be told to come back", name, err)
		}
	}
	<-done
}

// TestDirectory_Authenticate_time compares what a stranger can measure: no
// failed login may be answered sooner than the slowest hash takes.
func TestDirectory_Authenticate_time(t *testing.T) {
	hasher := password.New(password.Config{})
	hash := hashOf(t, hasher, "secret")
	s := &store{users: []tokenstore.User{
		{Key: "store:1", Name: "old", PasswordHash: pbkdf2Hash, Active: true},
		{Key: "store:2", Name: "inactive", PasswordHash: pbkdf2Hash},
		{Key: "store:3", Name: "damaged", PasswordHash: "x", Active: true},
		{Key: "store:4", Name: "new", PasswordHash: hash, Active: true},
	}}
	d := newDirectory(t, nil, s, hasher)
	for _, login := range [][2]string{{"nobody", "secret"}, {"old", "x"}, {"inactive", "secret"}, {"damaged", "x"}, {"new", "x"}} {
		start := time.Now()
		if _, err := d.Authenticate(t.Context(), login[0], login[1]); err == nil {
			t.Fatalf("%s logs in", login[0])
		}
		took, floor := time.Since(start), hasher.Stats().Slowest
		// The floor includes an eighth of margin, and the last login itself.
		if took < floor*8/10 {
			t.Errorf("%s: refused after %v, want at least %v", login[0], took, floor)
		}
	}
}

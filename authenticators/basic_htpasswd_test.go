// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/auth/authtest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	bcryptOfHorse = "$2y$04$XVQSVErHqA8zV8zD6dk05OY0Olu9HjNoBA7iFRCDMoQPBiCbGLJDm" // "correct horse"
	apr1OfHorse   = "$apr1$0ofpYnKl$oxOUc0C/5bnCH0peHLbMp/"
)

// htpasswdFile returns the path of a file with these lines, and the
// configuration of an authenticator that reads it.
func htpasswdFile(t testing.TB, lines ...string) (path, config string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "htpasswd")
	writeHtpasswd(t, path, lines...)
	config, err := marshal(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, config
}

func marshal(path string) (string, error) {
	raw, err := json.Marshal(map[string]string{"htpasswd": path})
	return string(raw), err
}

func writeHtpasswd(t testing.TB, path string, lines ...string) {
	t.Helper()
	if err := os.WriteFile(path+"~", []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		t.Fatal(err)
	}
}

func TestBasic_htpasswd(t *testing.T) {
	argon2, err := password.New(password.Config{}).Hash(t.Context(), "pa:ss")
	if err != nil {
		t.Fatal(err)
	}
	ctx, app := newApp(t, users.User{Name: "config", Password: hashOfSecret, Staff: true})
	bob := addUser(t, app.store, tokenstore.User{Name: "bob", PasswordHash: hashOfSecret, Active: true})
	addUser(t, app.store, tokenstore.User{Name: "alice", PasswordHash: hashOfSecret, Active: true, Superuser: true})
	path, config := htpasswdFile(t,
		"# people", "alice:"+bcryptOfHorse, "apr1:"+apr1OfHorse, "argon2:"+argon2, "config:"+apr1OfHorse, "locked:!"+apr1OfHorse, "ren\u00e9:"+apr1OfHorse)

	alice := &auth.Identity{ID: "alice", Key: "htpasswd:" + path + "|alice", Source: "htpasswd", Method: "basic"}
	invalid := failure("Invalid username/password.")
	b := mustLoad[*Basic](t, ctx, "basic", config)
	authtest.Run(t, b, []authtest.Case{
		{Name: "bcrypt", Request: with(basicOf("alice:correct horse")), Identity: alice},
		{Name: "apr1", Request: with(basicOf("apr1:correct horse")), Identity: &auth.Identity{ID: "apr1", Source: "htpasswd"}},
		{Name: "argon2", Request: with(basicOf("argon2:pa:ss")), Identity: &auth.Identity{ID: "argon2", Source: "htpasswd"}},
		{Name: "decomposed", Request: with(basicOf("rene\u0301:correct horse")), Identity: &auth.Identity{ID: "ren\u00e9"}},
		{Name: "of the configuration", Request: with(basicOf("config:secret")), Identity: &auth.Identity{ID: "config", Key: "config:config", Staff: true}},
		{Name: "of the store", Request: with(basicOf("bob:secret")), Identity: &auth.Identity{ID: "bob", Key: bob.Key, Source: "store"}},
		{Name: "in the file, by the password of the store", Request: with(basicOf("alice:secret")), Err: &auth.Failure{Detail: "Invalid username/password.", Candidate: &auth.Identity{ID: "alice", Key: alice.Key}}},
		{Name: "in the configuration, by the password of the file", Request: with(basicOf("config:correct horse")), Err: invalid},
		{Name: "locked", Request: with(basicOf("locked:correct horse")), Err: invalid},
		{Name: "locked, with its mark", Request: with(basicOf("locked:!" + apr1OfHorse)), Err: invalid},
		{Name: "wrong", Request: with(basicOf("apr1:wrong")), Err: invalid},
		{Name: "the hash", Request: with(basicOf("apr1:" + apr1OfHorse)), Err: invalid},
		{Name: "unknown", Request: with(basicOf("nobody:correct horse")), Err: invalid},
		{Name: "a comment", Request: with(basicOf("# people:x")), Err: invalid},
		{Name: "absent", Request: with(), Err: auth.ErrNoCredentials},
	})
	for name, want := range map[string]bool{"alice": true, "config": true, "bob": false, "": false} {
		if got := b.Owns(name); got != want {
			t.Errorf("Owns(%q) = %v", name, got)
		}
	}
	if new(Basic).Owns("alice") {
		t.Error("without a file, a name is owned")
	}
	// Users of the file do not need the store.
	app.store.err = tokenstore.ErrUnavailable
	if _, err := b.Authenticate(with(basicOf("alice:correct horse"))); err != nil {
		t.Errorf("with the store down: %v", err)
	}
}

// TestBasic_htpasswd_changes has a remembered user whose line changes: another
// key finds nothing that was remembered, and the remembered identity is not
// vouched for.
func TestBasic_htpasswd_changes(t *testing.T) {
	ctx, app := newApp(t)
	path, config := htpasswdFile(t, "alice:"+apr1OfHorse, "bob:"+apr1OfHorse)
	b := mustLoad[*Basic](t, ctx, "basic", config)
	alice, bob := with(basicOf("alice:correct horse")), with(basicOf("bob:correct horse"))
	key := func(of string) string {
		t.Helper()
		r := alice
		if of == "bob" {
			r = bob
		}
		secret, ok := b.CacheKey(r)
		if !ok {
			t.Fatal("no key")
		}
		return string(secret)
	}
	keyOfAlice, keyOfBob := key("alice"), key("bob")
	id, err := b.Authenticate(alice)
	if err != nil {
		t.Fatal(err)
	}
	writeHtpasswd(t, path, "alice:"+bcryptOfHorse, "bob:"+apr1OfHorse)
	soon(t, func() bool { return key("alice") != keyOfAlice })
	if key("bob") != keyOfBob {
		t.Error("what was remembered of another user is forgotten")
	}
	if _, err := b.Recheck(alice, id); !errors.Is(err, auth.ErrChanged) {
		t.Errorf("Recheck after a change: %v", err)
	}
	keyOfAlice = key("alice")
	writeHtpasswd(t, path, "bob:"+apr1OfHorse)
	soon(t, func() bool { return key("alice") != keyOfAlice })
	if _, err := b.Recheck(alice, id); !errors.Is(err, auth.ErrChanged) {
		t.Errorf("Recheck after a removal: %v", err)
	}
	if _, err := b.Authenticate(alice); !isFailure(err) {
		t.Errorf("Authenticate after a removal: %v", err)
	}
	// The name is the store's now, and the file's again.
	addUser(t, app.store, tokenstore.User{Name: "alice", PasswordHash: hashOfSecret, Active: true})
	stored := with(basicOf("alice:secret"))
	if id, err = b.Authenticate(stored); err != nil || id.Source != "store" {
		t.Fatalf("Authenticate = %v, %v", id, err)
	}
	if _, err := b.Recheck(stored, id); err != nil {
		t.Errorf("Recheck: %v", err)
	}
	writeHtpasswd(t, path, "alice:"+bcryptOfHorse)
	soon(t, func() bool { return b.Owns("alice") })
	if _, err := b.Recheck(stored, id); !errors.Is(err, auth.ErrChanged) {
		t.Errorf("Recheck of the store's alice: %v", err)
	}

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	b.Owns("") // sees that it is gone
	soonWithin(t, 3*time.Second, func() bool { _, ok := b.CacheKey(alice); return !ok })
	if _, err := b.Authenticate(alice); !isUnavailable(err) {
		t.Errorf("Authenticate without the file: %v", err)
	}
	if _, err := b.Recheck(stored, id); !isUnavailable(err) {
		t.Errorf("Recheck without the file: %v", err)
	}
}

func isFailure(err error) bool {
	_, failed := errors.AsType[*auth.Failure](err)
	return failed
}

// soon waits until it is so, for a second at most: what the operators were promised.
func soon(t *testing.T, so func() bool) {
	t.Helper()
	soonWithin(t, time.Second, so)
}

func soonWithin(t *testing.T, limit time.Duration, so func() bool) {
	t.Helper()
	for start := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		asked := time.Since(start)
		if so() {
			return
		}
		if asked > limit {
			t.Fatalf("not after %v", limit)
		}
	}
}

func TestBasic_htpasswd_errors(t *testing.T) {
	ctx, _ := newApp(t)
	_, weak := htpasswdFile(t, "alice:"+apr1OfHorse, "bob:{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=")
	_, plain := htpasswdFile(t, "alice:secret")
	for config, want := range map[string]string{
		weak:                                   "line 2: password hash is of a weak format: unsalted_sha1",
		plain:                                  "line 1: password hash is not understood",
		`{"htpasswd": "{env.REST_AUTH_NONE}"}`: "resolving the htpasswd file",
		`{"htpasswd": "/"}`:                    "not a regular file",
	} {
		if _, err := load(ctx, "basic", config); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %q", config, err, want)
		}
	}
	b := mustLoad[*Basic](t, ctx, "basic", `{"htpasswd": "testdata/../nowhere"}`)
	if !filepath.IsAbs(b.Htpasswd) || strings.Contains(b.Htpasswd, "..") {
		t.Errorf("after Provision the path is %s", b.Htpasswd)
	}
	if _, err := b.Authenticate(with(basicOf("alice:x"))); !isUnavailable(err) {
		t.Errorf("without the file: %v", err)
	}
}

// BenchmarkBasic_CacheKey_htpasswd is what a client pays on each request once
// its password is remembered, where there is a file.
func BenchmarkBasic_CacheKey_htpasswd(b *testing.B) {
	ctx, _ := newApp(b)
	_, config := htpasswdFile(b, "alice:"+apr1OfHorse, "bob:"+apr1OfHorse)
	basic, r := mustLoad[*Basic](b, ctx, "basic", config), with(basicOf("alice:secret"))
	b.ReportAllocs()
	for b.Loop() {
		basic.CacheKey(r)
	}
}

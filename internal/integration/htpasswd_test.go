// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// caddyHash returns what `caddy hash-password` prints.
func caddyHash(t *testing.T, password string, flags ...string) string {
	t.Helper()
	sh := newShell(t, "")
	command := sh.command("hash-password " + strings.Join(flags, " "))
	command.Stdin = strings.NewReader(password + "\n")
	out, err := command.Output()
	if err != nil {
		t.Fatalf("caddy hash-password %v: %v", flags, err)
	}
	return strings.TrimSpace(string(out))
}

const (
	// apr1OfHorse is what htpasswd made of "correct horse".
	apr1OfHorse  = "$apr1$0ofpYnKl$oxOUc0C/5bnCH0peHLbMp/"
	htpasswdSite = "{{site}} {\nrest_auth {\nauthenticate token\nauthenticate basic {\nhtpasswd {{dir}}/htpasswd\n}\n}\nrespond \"{http.auth.user.id} {http.auth.user.source}\"\n}"
)

// serveHtpasswd serves with a file of these lines.
func serveHtpasswd(t *testing.T, lines ...string) (s *server, path string) {
	t.Helper()
	s = serve(t, "{{site}} {\nrespond ok\n}")
	path = filepath.Join(s.vars["{{dir}}"], "htpasswd")
	rewrite(t, path, lines...)
	s.reload(htpasswdSite)
	return s, path
}

func rewrite(t *testing.T, path string, lines ...string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestHtpasswd has a file that Apache's program and Caddy's own write.
func TestHtpasswd(t *testing.T) {
	program := debian(t, "htpasswd", "apache2-utils")
	s, path := serveHtpasswd(t,
		"caddy:"+caddyHash(t, "pw of caddy", "--algorithm", "bcrypt", "--bcrypt-cost", "5"),
		"argon2:"+caddyHash(t, "pw of argon2", "--algorithm", "argon2id", "--argon2id-time", "1", "--argon2id-memory", "8192"))
	s.seed()
	for flag, user := range map[string]string{"-m": "md5", "-B": "bcrypt"} {
		if out, err := exec.CommandContext(t.Context(), program, "-b", flag, path, user, "pw of "+user).CombinedOutput(); err != nil {
			t.Fatalf("htpasswd: %v: %s", err, out)
		}
	}
	time.Sleep(time.Second)
	for _, user := range []string{"caddy", "argon2", "md5", "bcrypt"} {
		for range 2 { // verified, then remembered
			s.get("/", basic(user, "pw of "+user)).expect(t, 200, "-", user+" htpasswd")
		}
		s.get("/", basic(user, "pw")).expect(t, 401, "Token", invalidLogin)
	}
	s.get("/", basic("alice", "pw")).expect(t, 200, "-", "alice store")
	// One name, one user: the file's takes it from the store's.
	if out, err := exec.CommandContext(t.Context(), program, "-b", path, "alice", "other").CombinedOutput(); err != nil {
		t.Fatalf("htpasswd: %v: %s", err, out)
	}
	eventually(t, func() bool { return s.get("/", basic("alice", "pw")).Status == 401 })
	s.get("/", basic("alice", "other")).expect(t, 200, "-", "alice htpasswd")
	s.get("/", token("token-alice")).expect(t, 401, "Token", "*")
	s.get("/", token("token-bob")).expect(t, 200, "-", "bob store")
}

// eventually waits for what has to hold within a second of a change.
func eventually(t *testing.T, so func() bool) {
	t.Helper()
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		asked := time.Since(start)
		if so() {
			return
		}
		if asked > time.Second {
			t.Fatal("not within a second")
		}
	}
}

// TestHtpasswdChanged removes a remembered user, and changes a password.
func TestHtpasswdChanged(t *testing.T) {
	hash, err := password.New(password.Config{}).Hash(t.Context(), "new")
	if err != nil {
		t.Fatal(err)
	}
	s, path := serveHtpasswd(t, "alice:"+apr1OfHorse, "bob:"+apr1OfHorse, "carol:"+apr1OfHorse)
	for _, user := range []string{"alice", "bob", "carol"} {
		s.get("/", basic(user, "correct horse")).expect(t, 200, "-", user+" htpasswd")
	}
	rewrite(t, path, "alice:"+hash, "carol:"+apr1OfHorse)
	eventually(t, func() bool { return s.get("/", basic("bob", "correct horse")).Status == 401 })
	s.get("/", basic("alice", "correct horse")).expect(t, 401, "Token", invalidLogin)
	s.get("/", basic("alice", "new")).expect(t, 200, "-", "alice htpasswd")
	s.get("/", basic("carol", "correct horse")).expect(t, 200, "-", "carol htpasswd")
}

// TestHtpasswdUnusable has a file that is missing at the start, broken later,
// and broken in a new configuration.
func TestHtpasswdUnusable(t *testing.T) {
	s := serve(t, "{\n{{global}}\nrest_auth {\n{{store}}\nuser config "+apr1OfHorse+"\n}\n}\n"+htpasswdSite)
	path := filepath.Join(s.vars["{{dir}}"], "htpasswd")
	down := detail("Service temporarily unavailable, try again later.")
	s.get("/", basic("alice", "correct horse")).expect(t, 503, "-", down)
	s.get("/", basic("config", "correct horse")).expect(t, 200, "-", "config config")
	s.get("/").expect(t, 401, "Token", notAuthenticated)

	rewrite(t, path, "alice:"+apr1OfHorse)
	eventually(t, func() bool { return s.get("/", basic("alice", "correct horse")).Status == 200 })
	rewrite(t, path, "alice:"+apr1OfHorse, "mallory:plain-password")
	s.get("/", basic("alice", "correct horse")).expect(t, 200, "-", "alice htpasswd")
	for start := time.Now(); s.get("/", basic("alice", "correct horse")).Status != 503; time.Sleep(20 * time.Millisecond) {
		if time.Since(start) > 3*time.Second {
			t.Fatal("a broken file lets in for longer than it should")
		}
	}
	if lines := s.logs.lines("htpasswd file cannot be used; logins that need it are answered 503"); len(lines) != 2 {
		t.Errorf("%d lines: %v", len(lines), lines)
	}
	err := s.tryReload(htpasswdSite + "\n# another")
	if err == nil || !strings.Contains(err.Error(), path+": line 2: password hash is not understood: its format is unknown") {
		t.Errorf("a configuration with a broken file: %v", err)
	}
	if strings.Contains(s.logs.text(), "plain-password") {
		t.Error("the log has what stands in the file")
	}
	rewrite(t, path, "alice:"+apr1OfHorse)
	eventually(t, func() bool { return s.get("/", basic("alice", "correct horse")).Status == 200 })
}

// TestHtpasswdWeak has SHA-1, which the operator has to name.
func TestHtpasswdWeak(t *testing.T) {
	s, path := serveHtpasswd(t, "alice:"+apr1OfHorse)
	rewrite(t, path, "alice:{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=")
	if err := s.tryReload(htpasswdSite + "\n# strict"); err == nil || !strings.Contains(err.Error(), "line 1: password hash is of a weak format: unsalted_sha1") {
		t.Errorf("loaded: %v", err)
	}
	s.reload("{\n{{global}}\nrest_auth {\n{{store}}\npasswords {\nallow unsalted_sha1\n}\n}\n}\n" + htpasswdSite)
	s.get("/", basic("alice", "correct horse")).expect(t, 200, "-", "alice htpasswd")
	s.get("/", basic("alice", "wrong")).expect(t, 401, "Token", invalidLogin)
}

// TestHtpasswdBeside has a token of a store's user whose name the file takes
// while the token is remembered, by this handler and by one without the file.
func TestHtpasswdBeside(t *testing.T) {
	s, path := serveHtpasswd(t, "bob:"+apr1OfHorse)
	s.reload(strings.Replace(htpasswdSite, "rest_auth {", "rest_auth /other {\nauthenticate token\n}\nrest_auth /file {", 1))
	s.putToken(s.putUser(tokenstore.User{Name: "dave", Active: true}), "token-dave")
	for range 2 {
		s.get("/file", token("token-dave")).expect(t, 200, "-", "dave store")
	}
	rewrite(t, path, "dave:"+apr1OfHorse)
	eventually(t, func() bool { return s.get("/file", token("token-dave")).Status == 401 })
	for range 2 {
		s.get("/other", token("token-dave")).expect(t, 200, "-", "dave store")
		s.get("/file", token("token-dave")).expect(t, 401, "Token", "*")
	}
	s.get("/file", basic("dave", "correct horse")).expect(t, 200, "-", "dave htpasswd")
	rewrite(t, path, "bob:"+apr1OfHorse)
	eventually(t, func() bool { return s.get("/file", token("token-dave")).Status == 200 })
}

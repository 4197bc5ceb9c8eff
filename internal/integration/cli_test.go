// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
)

// This binary is Caddy when it is called so: the tests run it by that name, as
// separate processes, and nothing has to be built for them.
func init() {
	if filepath.Base(os.Args[0]) == "caddy" {
		caddycmd.Main()
		os.Exit(0)
	}
}

// A shell runs commands in a directory of its own. In their arguments $ADMIN
// is the address of its admin endpoint, @ a space, and $AT an @.
type shell struct {
	t     *testing.T
	dir   string
	caddy string
	admin string
}

func newShell(t *testing.T, caddyfile string) *shell {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The path of a socket is short, and t.TempDir's may not be.
	dir, err := os.MkdirTemp("", "cli")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	sh := &shell{t: t, dir: dir, caddy: filepath.Join(dir, "caddy"), admin: "unix/" + filepath.Join(dir, "admin.sock")}
	if err := os.Symlink(self, sh.caddy); err != nil {
		t.Skipf("this system makes no symbolic links: %v", err)
	}
	sh.write("Caddyfile", strings.NewReplacer("{{admin}}", sh.admin, "{{dir}}", dir).Replace(caddyfile))
	return sh
}

func (sh *shell) write(name, text string) {
	sh.t.Helper()
	if err := os.WriteFile(filepath.Join(sh.dir, name), []byte(text), 0o600); err != nil {
		sh.t.Fatal(err)
	}
}

func (sh *shell) command(args string) *exec.Cmd {
	words := strings.Fields(args)
	for i, word := range words {
		words[i] = strings.NewReplacer("$ADMIN", sh.admin, "$AT", "@", "@", " ").Replace(word)
	}
	cmd := exec.CommandContext(sh.t.Context(), sh.caddy, words...)
	cmd.Dir = sh.dir
	cmd.Env = append(os.Environ(), "HOME="+sh.dir, "XDG_DATA_HOME="+filepath.Join(sh.dir, "data"), "XDG_CONFIG_HOME="+filepath.Join(sh.dir, "config"))
	return cmd
}

// A step is one command and what it has to say.
type step struct {
	args  string
	stdin string
	fails bool
	out   string // a regular expression that standard output has to match
	err   string // the same for standard error
}

// run runs caddy rest-auth with the arguments of each step.
func (sh *shell) run(steps ...step) {
	sh.t.Helper()
	for _, s := range steps {
		stdout, stderr := sh.exec(s)
		for _, c := range []struct{ stream, text, want string }{{"stdout", stdout, s.out}, {"stderr", stderr, s.err}} {
			if !regexp.MustCompile("(?m)" + c.want).MatchString(c.text) {
				sh.t.Errorf("rest-auth %s: %s = %q, want %s", s.args, c.stream, c.text, c.want)
			}
		}
	}
}

func (sh *shell) exec(s step) (stdout, stderr string) {
	sh.t.Helper()
	cmd := sh.command("rest-auth " + s.args)
	var outBuffer, errBuffer bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(s.stdin), &outBuffer, &errBuffer
	if err := cmd.Run(); (err != nil) != s.fails {
		sh.t.Errorf("rest-auth %s: %v, want an error: %v\n%s", s.args, err, s.fails, errBuffer.String())
	}
	return outBuffer.String(), errBuffer.String()
}

// start runs a server until the test ends.
func (sh *shell) start() {
	sh.t.Helper()
	cmd := sh.command("run --config Caddyfile")
	var log bytes.Buffer
	cmd.Stderr = &log
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	if err := cmd.Start(); err != nil {
		sh.t.Fatal(err)
	}
	sh.t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if strings.Contains(log.String(), "cra_") {
			sh.t.Errorf("the server's log has a secret:\n%s", log.String())
		}
		if sh.t.Failed() {
			sh.t.Logf("the server's log:\n%s", log.String())
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("unix", filepath.Join(sh.dir, "admin.sock"))
		if err == nil {
			_ = conn.Close()
			sh.awaitApp()
			return
		}
		if time.Now().After(deadline) {
			sh.t.Fatalf("waiting for the admin endpoint: %v", err)
		}
	}
}

// awaitApp waits until the admin endpoint serves the configuration, which it does
// a moment after it listens; not for long, since it may not use rest_auth.
func (sh *shell) awaitApp() {
	sh.t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(sh.dir, "admin.sock"))
	}}
	defer transport.CloseIdleConnections()
	for deadline := time.Now().Add(3 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		r, err := http.NewRequestWithContext(sh.t.Context(), http.MethodGet, "http://127.0.0.1/rest_auth/groups", nil)
		if err != nil {
			sh.t.Fatal(err)
		}
		answer, err := transport.RoundTrip(r)
		if err != nil {
			continue
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusNotFound {
			return
		}
	}
}

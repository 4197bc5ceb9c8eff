// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// background runs a program of an upstream until the test ends, and waits
// until it listens on the Unix socket.
func background(t *testing.T, socket string, command *exec.Cmd) {
	t.Helper()
	var log strings.Builder
	command.Stdout, command.Stderr = &log, &log
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 10 * time.Second
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		<-ended
		if t.Failed() {
			t.Logf("%s: %s", command.Path, log.String())
		}
	})
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s ended: %s", command.Path, log.String())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen: %v", command.Path, err)
		}
	}
}

// shortDir is a directory whose path leaves room for the name of a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "up") //nolint:usetesting // the path of a socket is short, and t.TempDir's may not be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// forgedUser are the ways in which a client may call itself root.
var forgedUser = [][]string{
	{"Remote-User: root"},
	{"remote-user: root"},
	{"REMOTE-USER: root"},
	{"Remote_User: root"},
	{"REMOTE_USER: root"},
	{"Remote.User: root"},
	{"Remote-User: root", "Remote_User: root", "Remote.User: root"},
	{"Remote-User: root", "Remote-User: root"},
	{"Remote-User: root", "Connection: Remote-User"},
	{"Connection: Remote-User"},
	{"X-Remote-User: nobody", "Http-Remote-User: nobody"},
}

// admitted lets through spellings that Caddy drops by itself otherwise.
const admitted = "servers {\nexpected_underscore_headers Remote_User\nexpected_dot_headers Remote.User\n}\n"

// TestUpstreamPHP is a program behind php_fastcgi, which is told of its user in
// REMOTE_USER, and by header_up in a header too.
func TestUpstreamPHP(t *testing.T) {
	program := debian(t, "php-cgi", "php-cgi")
	socket := filepath.Join(shortDir(t), "php.sock")
	php := exec.CommandContext(t.Context(), program, "-n", "-b", socket)
	php.Env = []string{"PATH=" + os.Getenv("PATH"), "REMOTE_USER=root"} // as a careless operator may have it
	background(t, socket, php)
	root, err := filepath.Abs("testdata/upstream")
	if err != nil {
		t.Fatal(err)
	}
	type told struct {
		RemoteUser string            `json:"remote_user"`
		Told       map[string]string `json:"told"`
	}
	for name, headerUp := range map[string]string{"REMOTE_USER alone": "", "and a header": "header_up Remote-User {http.auth.user.id}"} {
		for _, options := range []string{"", admitted} {
			t.Run(name, func(t *testing.T) {
				s := serve(t, "{\n{{global}}\n"+options+"rest_auth {\n{{store}}\n}\n}\n{{site}} {\nroot * "+root+"\n"+
					"rest_auth /* {\nauthenticate token\nauthenticate basic\nrequire any authenticated read_only\n"+headerUp+"\n}\nphp_fastcgi unix/"+socket+"\n}")
				s.seed()
				ask := func(lines ...string) told {
					t.Helper()
					got := s.get("/", lines...)
					var said told
					if err := json.Unmarshal([]byte(got.Body), &said); got.Status != 200 || err != nil {
						t.Fatalf("%q was answered %d %q", lines, got.Status, got.Body)
					}
					return said
				}
				for _, forged := range append(forgedUser, nil) {
					said := ask(append([]string{token("token-alice")}, forged...)...)
					if said.RemoteUser != "alice" || headerUp != "" && said.Told["HTTP_REMOTE_USER"] != "alice" {
						t.Errorf("%q with alice's token: %+v", forged, said)
					}
					said = ask(forged...)
					if said.RemoteUser != "" || headerUp != "" && said.Told["HTTP_REMOTE_USER"] != "" {
						t.Errorf("%q of nobody: %+v", forged, said)
					}
					for variable, value := range said.Told {
						// Without header_up the program's own header is the client's.
						if value == "root" && (headerUp != "" || variable != "HTTP_REMOTE_USER") {
							t.Errorf("%q of nobody: %s is root", forged, variable)
						}
					}
				}
				if said := ask(basic("bob", "pw")); said.RemoteUser != "bob" {
					t.Errorf("with a password: %+v", said)
				}
				s.get("/", token("bad"), "Remote-User: root").expect(t, 401, "Token", invalidToken)
			})
		}
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// django is a project behind gunicorn, and Caddy before it.
type django struct {
	*server
	socket string
	cookie string // of the session that Django began, if any
}

type djangoAnswer struct {
	User   string
	Users  int
	Detail string
	status int
}

// newDjango serves testdata/upstream/project.py with the middleware of that
// name. Caddy lets the anonymous through.
func newDjango(t *testing.T, middleware string) *django {
	t.Helper()
	needPython(t, "django", "rest_framework", "gunicorn")
	dir := shortDir(t)
	socket := filepath.Join(dir, "g.sock")
	gunicorn := exec.CommandContext(t.Context(), python, "-B", "-m", "gunicorn.app.wsgiapp",
		"--bind", "unix:"+socket, "--workers", "1", "--worker-tmp-dir", dir, "--preload", "--log-level", "warning", "project:application")
	gunicorn.Dir = "testdata/upstream"
	gunicorn.Env = append(os.Environ(), "DATABASE="+filepath.Join(dir, "db.sqlite3"), "MIDDLEWARE="+middleware, "PYTHONDONTWRITEBYTECODE=1")
	background(t, socket, gunicorn)
	d := &django{socket: socket}
	s := serve(t, d.site(""))
	s.seed()
	for _, name := range []string{"newcomer", "former", "rené"} {
		s.putToken(s.putUser(tokenstore.User{Name: name, Active: true}), "token-"+name)
	}
	d.server = s
	return d
}

// site is the Caddyfile, with these global options.
func (d *django) site(options string) string {
	return "{\n{{global}}\n" + options + "rest_auth {\n{{store}}\n}\n}\n" + `{{site}} {
		rest_auth {
			authenticate token
			require any authenticated read_only
			header_up Remote-User {http.auth.user.id}
			header_up -Authorization
		}
		reverse_proxy unix/` + d.socket + `
	}`
}

// ask sends a request with the session that Django began before.
func (d *django) ask(path string, lines ...string) djangoAnswer {
	d.t.Helper()
	if d.cookie != "" {
		lines = append(lines, "Cookie: "+d.cookie)
	}
	got := d.get(path, lines...)
	var answer djangoAnswer
	if err := json.Unmarshal([]byte(got.Body), &answer); err != nil {
		d.t.Fatalf("%s %q was answered %d %q", path, lines, got.Status, got.Body)
	}
	answer.status = got.Status
	for _, cookie := range got.Header.Values("Set-Cookie") {
		d.cookie, _, _ = strings.Cut(cookie, ";")
	}
	return answer
}

func (d *django) expect(path string, status int, user string, lines ...string) {
	d.t.Helper()
	if got := d.ask(path, lines...); got.status != status || got.User != user {
		d.t.Errorf("%s %q was answered %+v, want %d %q", path, lines, got, status, user)
	}
}

// TestUpstreamDjango is RemoteUserMiddleware and RemoteUserAuthentication with
// `header = "HTTP_REMOTE_USER"`.
func TestUpstreamDjango(t *testing.T) {
	d := newDjango(t, "EdgeUserMiddleware")
	for _, options := range []string{"", admitted} {
		d.reload(d.site(options))
		// Nobody, whatever the client calls itself.
		d.cookie = ""
		for _, forged := range append(forgedUser, nil) {
			d.expect("/page/", 200, "", forged...)
			d.expect("/api/", 403, "", forged...)
			if got := d.ask("/api/", forged...); got.Detail != "Authentication credentials were not provided." {
				t.Errorf("%q: %+v", forged, got)
			}
		}
		if users := d.ask("/page/").Users; users != 2 {
			t.Fatalf("%d users: a forged name was believed", users)
		}
		// A known user, whatever else is sent.
		for _, forged := range append(forgedUser, nil) {
			d.cookie = ""
			lines := append([]string{token("token-alice")}, forged...)
			d.expect("/page/", 200, "alice", lines...)
			d.expect("/api/", 200, "alice", lines...)
		}
	}
	// One that Django does not know yet, and one that it has disabled.
	d.cookie = ""
	d.expect("/api/", 200, "newcomer", token("token-newcomer"))
	if users := d.ask("/page/", token("token-newcomer")).Users; users != 3 {
		t.Errorf("%d users, want RemoteUserBackend to have added one", users)
	}
	d.cookie = ""
	for range 2 { // a new session, and that session
		d.expect("/page/", 200, "rené", token("token-rené"))
	}
	d.expect("/api/", 200, "rené", token("token-rené"))
	d.cookie = ""
	d.expect("/page/", 200, "", token("token-former"))
	d.expect("/api/", 403, "", token("token-former"))
	// The session ends with the header, and changes with it.
	d.cookie = ""
	d.expect("/page/", 200, "alice", token("token-alice"))
	d.expect("/page/", 200, "newcomer", token("token-newcomer"))
	d.expect("/page/", 200, "", "Remote-User: alice")
	d.expect("/page/", 200, "")
}

// TestUpstreamDjango_persistent shows what PersistentRemoteUserMiddleware is not for:
// its sessions go on when Caddy no longer lets their user in.
func TestUpstreamDjango_persistent(t *testing.T) {
	d := newDjango(t, "PersistentEdgeUserMiddleware")
	d.expect("/page/", 200, "alice", token("token-alice"))
	user, err := d.store().UserByName(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	user.Active = false
	d.putUser(user)
	d.expect("/page/", 200, "alice")
	d.expect("/api/", 403, "")
}

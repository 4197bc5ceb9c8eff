// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// djangoVersions are those of the referee.
type djangoVersions struct {
	Django        string `json:"django"`
	RESTFramework string `json:"rest_framework"`
}

// djangoApp serves one of testdata/django behind gunicorn until the test ends,
// and returns the socket that it listens on.
func djangoApp(t *testing.T, name string, env ...string) (socket string, versions djangoVersions) {
	t.Helper()
	needPython(t, "django", "rest_framework", "gunicorn")
	dir := shortDir(t)
	socket = filepath.Join(dir, "g.sock")
	gunicorn := exec.CommandContext(t.Context(), python, "-B", "-m", "gunicorn.app.wsgiapp",
		"--bind", "unix:"+socket, "--workers", "1", "--threads", "4", "--worker-tmp-dir", dir, "--preload", "--log-level", "critical", name+":application")
	gunicorn.Dir = "testdata/django"
	gunicorn.Env = append(os.Environ(), append(env, "DATABASE="+filepath.Join(dir, "db.sqlite3"), "PYTHONDONTWRITEBYTECODE=1")...)
	background(t, socket, gunicorn)
	answered := over(t, "unix", socket, "GET /versions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").Body
	if err := json.Unmarshal([]byte(answered), &versions); err != nil {
		t.Fatalf("%v: %s", err, answered)
	}
	return socket, versions
}

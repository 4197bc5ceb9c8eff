// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"database/sql"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const lostSite = `{
	{{global}}
	rest_auth {
		store sqlite {{dir}}/store/rest_auth.db
		cache 1
	}
}
{{site}} {
	respond /static ok
	rest_auth /api* {
		authenticate token
		authenticate basic
	}
	reverse_proxy /api* {{echo}}
}`

// A store that is lost, replaced, or not a store is 503 for whoever needs it,
// while the rest of Caddy works; nothing empty takes its place; and it heals.
func TestLostStore(t *testing.T) {
	faults := map[string]func(t *testing.T, file string){
		"deleted": func(t *testing.T, file string) {
			for _, suffix := range []string{"", "-wal", "-shm"} {
				_ = os.Remove(file + suffix)
			}
		},
		"replaced by nothing": func(t *testing.T, file string) {
			replace(t, file, nil)
		},
		"replaced by something else": func(t *testing.T, file string) {
			replace(t, file, []byte(strings.Repeat("not a database ", 4096)))
		},
		"a directory": func(t *testing.T, file string) {
			for _, suffix := range []string{"", "-wal", "-shm"} {
				_ = os.Remove(file + suffix)
			}
			if err := os.Mkdir(file, 0o700); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			s := serve(t, lostSite)
			s.seed()
			file := filepath.Join(s.vars["{{dir}}"], "store", "rest_auth.db")
			s.get("/api", token("token-alice")).expect(t, 200, "-", "*")
			saved := filepath.Join(t.TempDir(), "copy.db")
			backup := s.send(http.MethodPost, "http://"+s.Admin+"/rest_auth/store/backup", strings.NewReader("{}"), "Content-Type: application/json")
			if backup.Status != http.StatusOK {
				t.Fatalf("backing up: %d %s", backup.Status, backup.Body)
			}
			if err := os.WriteFile(saved, []byte(backup.Body), 0o600); err != nil {
				t.Fatal(err)
			}
			fault(t, file)
			s.awaitStatus(http.StatusServiceUnavailable, token("token-alice"))
			for _, line := range []string{token("token-bob"), token("unknown"), basic("alice", "pw")} {
				before := s.echo.hits.Load()
				if got := s.get("/api", line); got.Status != 503 || s.echo.hits.Load() != before {
					t.Errorf("%q was answered %d; the upstream was reached %d times", line, got.Status, s.echo.hits.Load()-before)
				}
			}
			if got := s.get("/static").Status; got != http.StatusOK {
				t.Errorf("the rest of the site was answered %d", got)
			}
			if got := s.manage("POST", "/users", `{"name":"late"}`).Status; got < 500 {
				t.Errorf("creating a user was answered %d", got)
			}
			// A restart does not make an empty store either.
			s.reload(strings.Replace(lostSite, "respond /static ok", "respond /static again", 1))
			s.awaitStatus(http.StatusServiceUnavailable, token("token-alice"))
			if !strings.Contains(s.logs.text(), "rest_auth.db") {
				t.Error("no line names the file")
			}

			_ = os.RemoveAll(file)
			_ = os.Remove(file + "-wal")
			_ = os.Remove(file + "-shm")
			if err := os.Rename(saved, file); err != nil {
				t.Fatal(err)
			}
			s.awaitStatus(http.StatusOK, token("token-alice"))
			s.get("/api", token("unknown")).expect(t, 401, "Token", invalidToken)
		})
	}
}

func replace(t *testing.T, file string, content []byte) {
	t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(file + suffix)
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// awaitStatus asks until the answer has the status; until then it may only be
// what it was before, or 503.
func (s *server) awaitStatus(status int, line string) {
	s.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		got := s.get("/api", line).Status
		if got == status {
			return
		}
		if got != http.StatusOK && got != http.StatusServiceUnavailable {
			s.t.Fatalf("answered %d on the way to %d", got, status)
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("still answered %d, want %d", got, status)
		}
	}
}

// A store that a newer program has used is left alone: 503 for whoever needs
// it, a line that says why, and `caddy validate` tells beforehand.
func TestNewerStore(t *testing.T) {
	s := serve(t, lostSite)
	s.seed()
	file := filepath.Join(s.vars["{{dir}}"], "store", "rest_auth.db")
	s.get("/api", token("token-alice")).expect(t, 200, "-", "*")
	without := "{\n{{global}}\n}\n{{site}} {\nrespond ok\n}"
	s.reload(without)

	db, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `UPDATE meta SET value = '99' WHERE name = 'schema'`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}

	s.reload(lostSite)
	s.awaitStatus(http.StatusServiceUnavailable, token("token-alice"))
	if got := s.get("/static").Status; got != http.StatusOK {
		t.Errorf("the rest of the site was answered %d", got)
	}
	lines := s.logs.await("the store is not in order; requests that need it will be answered 503", 1)
	if reason, _ := lines[0]["error"].(string); !strings.Contains(reason, "schema is newer than this program") {
		t.Errorf("the line says %q", reason)
	}
	s.reload(without)
	after, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, after) {
		t.Error("the file was changed")
	}
}

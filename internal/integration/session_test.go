// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// sessionSite answers as the views of testdata/django/sessions.py do.
const sessionSite = `{
	{{global}}
	servers {
		trusted_proxies static 127.0.0.1/32
	}
	rest_auth {
		{{store}}
		session {
			trusted_origins https://app.example.com https://*.example.org
		}
		require allow_any
	}
}
{{site}} {
	route /session {
		rest_auth {
			authenticate session
		}
	}
	route /session-token {
		rest_auth {
			authenticate session
			authenticate token
		}
	}
	route /token-session {
		rest_auth {
			authenticate token
			authenticate session
		}
	}
	route /staff {
		rest_auth {
			authenticate session
			require staff
		}
	}
	header Content-Type application/json
	respond ` + "`" + `{"user":"{http.auth.user.id}"}` + "`" + `
}`

// putSession stores a session of the user with that key, used just now.
func (s *server) putSession(user tokenstore.User, key string, change ...func(*tokenstore.Credential)) tokenstore.Credential {
	s.t.Helper()
	now := time.Now().UTC().Truncate(time.Microsecond)
	record := tokenstore.Credential{
		ID: "id-" + key[:5], Kind: tokenstore.KindSession, Digest: digestOf(key), UserKey: user.Key,
		Created: now, LastUsed: now, Expires: now.Add(time.Hour), PasswordVersion: user.PasswordVersion,
	}
	for _, f := range change {
		f(&record)
	}
	if err := s.store().Create(s.t.Context(), record, 0, false); err != nil {
		s.t.Fatalf("storing a session: %v", err)
	}
	return record
}

// seedSessions is seed with the sessions of the rows.
func (s *server) seedSessions() {
	s.t.Helper()
	s.seed()
	alice, err := s.store().UserByName(s.t.Context(), "alice")
	if err != nil {
		s.t.Fatal(err)
	}
	s.putSession(alice, staleKey)
	alice.PasswordHash = "!another"
	alice = s.putUser(alice)
	s.putSession(alice, aliceKey)
	gone, err := s.store().UserByName(s.t.Context(), "gone")
	if err != nil {
		s.t.Fatal(err)
	}
	gone.Active = true
	gone = s.putUser(gone)
	s.putSession(gone, goneKey)
	gone.Active = false
	s.putUser(gone)
}

// over sends the bytes of a request and reads the answer.
func over(t *testing.T, network, address, request string) reply {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	return readReply(t, response)
}

// want returns the status and the body that the row is answered.
func (row csrfRow) want() (status int, body string) {
	switch {
	case row.status == 403:
		return 403, deniedBody
	case row.reason != "":
		encoded, _ := json.Marshal("CSRF Failed: " + row.reason)
		return 403, `{"detail":` + string(encoded) + `}`
	}
	return 200, `{"user":"` + row.user + `"}`
}

// TestSessionRows sends every row twice: what is remembered is guarded too.
func TestSessionRows(t *testing.T) {
	s := serve(t, sessionSite)
	s.seedSessions()
	address := strings.TrimPrefix(s.URL, "http://")
	for name, row := range csrfRows {
		t.Run(name, func(t *testing.T) {
			status, body := row.want()
			if row.method == "HEAD" {
				body = ""
			}
			for range 2 {
				got := over(t, "tcp", address, row.request())
				if got.Status != status || got.Body != body || got.Header.Get("WWW-Authenticate") != "" && status == 403 {
					t.Errorf("%d %q %s, want %d %s", got.Status, got.Header["Www-Authenticate"], got.Body, status, body)
				}
				if len(got.Header["Set-Cookie"]) > 0 {
					t.Errorf("a cookie is set: %q", got.Header["Set-Cookie"])
				}
				if got.Header.Get("Vary") != "Cookie" {
					t.Errorf("Vary %q, want Cookie", got.Header["Vary"])
				}
			}
		})
	}
}

// TestSessionRows_django sends every row to Django REST framework. Where it
// answers otherwise, the row says so.
func TestSessionRows_django(t *testing.T) {
	socket, versions := djangoApp(t, "sessions", "KEY="+aliceKey, "GONE="+goneKey, "STALE="+staleKey)
	major, _, _ := strings.Cut(versions.Django, ".")
	number, _ := strconv.Atoi(major)
	old, differ, edge := number < 4, 0, 0
	for name, row := range csrfRows {
		t.Run(name, func(t *testing.T) {
			got := over(t, "unix", socket, row.request())
			if row.django != "" {
				edge++
				status, text, _ := strings.Cut(row.django, " ")
				if strconv.Itoa(got.Status) != status || !strings.Contains(got.Body, text) {
					t.Errorf("%d %s, want %s", got.Status, got.Body, row.django)
				}
				return
			}
			if old && row.old != "" {
				differ++
				row.reason = row.old
				if row.old == pass {
					row.reason, row.user = "", "alice"
				}
			}
			status, body := row.want()
			if row.method == "HEAD" {
				body = ""
			}
			if got.Status != status || got.Body != body {
				t.Errorf("%d %s, want %d %s", got.Status, got.Body, status, body)
			}
			if got.Status == 403 && got.Header.Get("WWW-Authenticate") != "" {
				t.Errorf("WWW-Authenticate %q", got.Header["Www-Authenticate"])
			}
		})
	}
	t.Logf("%d rows, as Django %s with REST framework %s answers them, but %d that differ by its version and %d that need the body",
		len(csrfRows), versions.Django, versions.RESTFramework, differ, edge)
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/headername"
)

// TestRemoteUserRows are Django REST framework's answers to every environment
// that was measured. The variable stands for REMOTE_USER: the server sets it,
// no client does.
func TestRemoteUserRows(t *testing.T) {
	for _, create := range []string{"on", "off"} {
		t.Run("create "+create, func(t *testing.T) {
			s := serve(t, `{{site}} {
				vars remote_user {path.0}
				rest_auth {
					authenticate remote_user {
						from {vars.remote_user}
						create `+create+`
					}
				}
				respond "{http.auth.user.id} {http.auth.method} {http.auth.credential}."
			}`)
			s.seed()
			s.get("/alice").expect(t, 200, "-", "alice remote_user .")
			s.get("/gone").expect(t, 403, "-", notAuthenticated)
			s.get("/").expect(t, 403, "-", notAuthenticated)
			s.get("/", "Remote-User: alice").expect(t, 403, "-", notAuthenticated)
			s.get("/", "Remote_User: alice", "X-Remote-User: alice").expect(t, 403, "-", notAuthenticated)
			s.get("/%20").expect(t, 403, "-", notAuthenticated)
			s.get("/al%00ice").expect(t, 403, "-", detail("Invalid remote user."))
			if create == "off" {
				s.get("/new").expect(t, 403, "-", notAuthenticated)
				return
			}
			s.get("/new").expect(t, 200, "-", "new remote_user .")
			user, err := s.store().UserByName(t.Context(), "new")
			if err != nil || !user.Active || user.PasswordHash != "" {
				t.Errorf("created %+v, %v", user, err)
			}
			// Disabled, not deleted: a deleted user would be created again.
			user.Active = false
			s.putUser(user)
			s.get("/new").expect(t, 403, "-", notAuthenticated)
		})
	}
}

// TestRemoteUserHeader is a proxy before Caddy, at an address that is trusted.
func TestRemoteUserHeader(t *testing.T) {
	s := serve(t, `{{site}} {
		rest_auth {
			authenticate remote_user {
				header Remote-User from 127.0.0.0/8
				create on
				strip_domain CORP
				lowercase
			}
			header_up X-User {http.auth.user.id}
		}
		reverse_proxy {{echo}}
	}`)
	s.seed()
	for value, want := range map[string]string{"alice": "alice", "ALICE": "alice", `corp\Alice`: "alice", "dave@example.com": "dave@example.com"} {
		got := s.get("/", "Remote-User: "+value)
		if got.Status != 200 || got.forwarded(t).Header.Get("X-User") != want {
			t.Errorf("%q was answered %d %s", value, got.Status, got.Body)
		}
		if spelled := spellings(got.forwarded(t).Header); len(spelled) > 0 {
			t.Errorf("the upstream was sent %v", spelled)
		}
	}
	bad := detail("Invalid remote user.")
	before := s.echo.hits.Load()
	for _, lines := range [][]string{
		{"Remote-User: alice", "Remote-User: alice"},
		{"Remote-User: alice", "remote-user: bob"},
		{"Remote-User: alice, bob"},
		{"Remote-User: ren\xe9"},
		{"Remote-User: ali\u200bce"},
		{"Remote-User: \ufb01sh"},
		{"Remote-User: " + strings.Repeat("a", 300)},
	} {
		s.get("/", lines...).expect(t, 403, "-", bad)
	}
	for _, lines := range [][]string{
		{}, {"Remote-User:"}, {"Remote-User: (null)"}, {"Remote-User: gone"}, {"Remote_User: alice"}, {"Remote.User: alice"},
	} {
		s.get("/", lines...).expect(t, 403, "-", notAuthenticated)
	}
	if s.echo.hits.Load() != before {
		t.Error("the upstream was reached")
	}
	if refused := s.logs.lines("credentials refused"); len(refused) != 7 || refused[0]["authenticator"] != "remote_user" || refused[0]["reason"] != "the header was sent twice" {
		t.Errorf("%d lines of refused names: %v", len(refused), refused)
	}
}

// TestRemoteUserForged sends every spelling from an address that is not
// trusted, to a site that lets the anonymous through.
func TestRemoteUserForged(t *testing.T) {
	forged := [][]string{
		{"Remote-User: root"},
		{"remote-user: root"},
		{"REMOTE-USER: root"},
		{"Remote_User: root"},
		{"REMOTE_USER: root"},
		{"Remote.User: root"},
		{"Remote~User: root"},
		{"Remote-User: root", "Remote-User: root"},
		{"Remote-User: root", "Remote_User: root"},
		{"Remote-User: root", "X-Forwarded-For: 192.0.2.1"},
		{"Remote-User: root", "Forwarded: for=192.0.2.1", "X-Real-IP: 192.0.2.1"},
		{"Remote-User: root", "Connection: Remote-User"},
	}
	sites := map[string]string{
		"judged":             "rest_auth {\nauthenticate remote_user {\nheader Remote-User from 192.0.2.0/24\ncreate on\n}\nrequire allow_any\n}",
		"not judged":         "rest_auth /private {\nauthenticate remote_user {\nheader Remote-User from 192.0.2.0/24\n}\n}",
		"by another first":   "rest_auth {\nauthenticate token\nauthenticate remote_user {\nheader Remote-User from unix 192.0.2.1\n}\nrequire allow_any\n}",
		"spellings admitted": "rest_auth {\nauthenticate remote_user {\nheader Remote-User from 192.0.2.0/24\n}\nrequire allow_any\n}",
		"trusted proxy too":  "rest_auth {\nauthenticate remote_user {\nheader Remote-User from 192.0.2.0/24\ncreate on\n}\nrequire allow_any\n}",
	}
	for name, site := range sites {
		t.Run(name, func(t *testing.T) {
			options := ""
			switch name {
			case "trusted proxy too":
				// Caddy's trusted proxies change whose address is logged, not
				// whose word is believed.
				options = "servers {\ntrusted_proxies static private_ranges\n}\n"
			case "spellings admitted":
				// Caddy drops them otherwise.
				options = "servers {\nexpected_underscore_headers Remote_User\nexpected_dot_headers Remote.User\n}\n"
			}
			s := serve(t, "{\n{{global}}\n"+options+"rest_auth {\n{{store}}\n}\n}\n{{site}} {\n"+site+"\nreverse_proxy {{echo}}\n}")
			s.seed()
			for _, lines := range forged {
				got := s.get("/", lines...)
				if got.Status != 200 {
					t.Fatalf("%q was answered %d %s", lines, got.Status, got.Body)
				}
				if spelled := spellings(got.forwarded(t).Header); len(spelled) > 0 {
					t.Errorf("%q: the upstream was sent %v", lines, spelled)
				}
			}
			raw := s.raw("POST / HTTP/1.1\r\nHost: x\r\nConnection: close, TE\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nTrailer: Remote-User, Remote_User\r\n\r\n" +
				"1\r\na\r\n0\r\nRemote-User: root\r\nRemote_User: root\r\n\r\n")
			if !strings.HasPrefix(raw, "HTTP/1.1 200") || strings.Contains(raw, "root") {
				t.Errorf("trailers were answered %q", raw)
			}
			if _, err := s.store().UserByName(t.Context(), "Remote-User"); err == nil {
				t.Error("a user was created")
			}
		})
	}
}

// spellings returns the headers that some upstream would take for Remote-User.
func spellings(header http.Header) (found []string) {
	for name, values := range header {
		if headername.Same(name, "Remote-User") || slices.Contains(values, "root") {
			found = append(found, fmt.Sprintf("%s: %q", name, values))
		}
	}
	return found
}

// TestRemoteUserOfHandler takes the user from handlers that ran before.
func TestRemoteUserOfHandler(t *testing.T) {
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if cookie, err := r.Cookie("sso"); err == nil {
			w.Header()["Remote-User"] = strings.Split(cookie.Value, "+")
		}
		if r.Header.Get("X-Refuse") != "" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(gateway.Close)
	const hash = "$2y$04$oeFnOW9pyU2ZKdgIJNF3JO5Bie3eT0o8EV8XqP3BrNsdFBdm/u7eu" // "monkey"
	s := serve(t, `{{site}} {
		@plugin path /plugin
		basic_auth @plugin {
			alice `+hash+`
			mallory `+hash+`
		}
		rest_auth /plugin {
			authenticate remote_user {
				from {http.auth.user.id}
			}
		}
		@gateway path /gateway
		forward_auth @gateway `+strings.TrimPrefix(gateway.URL, "http://")+` {
			uri /verify
		}
		rest_auth /gateway {
			authenticate remote_user {
				from {rp.header.Remote-User}
			}
		}
		rest_auth /token {
			authenticate token
		}
		rest_auth /token {
			authenticate remote_user {
				from {http.auth.user.id}
			}
		}
		respond "{http.auth.user.id} {http.auth.user.groups} {http.auth.method}"
	}`)
	s.seed()
	const alice = "alice editors,readers remote_user"
	s.get("/plugin", basic("alice", "monkey")).expect(t, 200, "-", alice)
	s.get("/plugin", basic("mallory", "monkey")).expect(t, 403, "-", notAuthenticated)
	if got := s.get("/plugin", basic("alice", "wrong")); got.Status != 401 {
		t.Errorf("the plugin's refusal is %d", got.Status)
	}
	s.get("/gateway", "Cookie: sso=alice").expect(t, 200, "-", alice)
	s.get("/gateway", "Remote-User: alice").expect(t, 403, "-", notAuthenticated)
	s.get("/gateway", "Cookie: sso=nobody", "Remote-User: alice").expect(t, 403, "-", notAuthenticated)
	s.get("/gateway", "Cookie: sso=alice+bob").expect(t, 403, "-", detail("Invalid remote user."))
	if got := s.get("/gateway", "Cookie: sso=alice", "X-Refuse: 1"); got.Status != 401 {
		t.Errorf("the gateway's refusal is %d", got.Status)
	}
	s.get("/token", token("token-alice")).expect(t, 200, "-", alice)
	s.get("/token").expect(t, 401, "Token", notAuthenticated)
}

// TestRemoteUserSeveral has two handlers that believe one header, of which each
// removes it.
func TestRemoteUserSeveral(t *testing.T) {
	const authenticator = "authenticate remote_user {\nheader Remote-User from 127.0.0.1\n}\n"
	s := serve(t, `{{site}} {
		rest_auth /both* {
			`+authenticator+`
			header_up Remote-User forger
		}
		rest_auth /both* {
			`+authenticator+`
			require group editors
		}
		rest_auth /second {
			`+authenticator+`
		}
		respond "{http.auth.user.id}"
	}`)
	s.seed()
	for _, path := range []string{"/both", "/second"} {
		s.get(path, "Remote-User: alice").expect(t, 200, "-", "alice")
	}
	s.get("/both", "Remote-User: bob").expect(t, 403, "-", deniedBody)
	s.get("/second", "Remote-User: bob").expect(t, 200, "-", "bob")
	s.get("/both").expect(t, 403, "-", notAuthenticated)
}

// TestRemoteUserCached has a remembered user judged by what changes: the
// user's state, and the store.
func TestRemoteUserCached(t *testing.T) {
	s := serve(t, "{{site}} {\nrest_auth {\nauthenticate remote_user {\nheader Remote-User from 127.0.0.1\ncreate on\n}\n}\nrespond \"{http.auth.user.id} {http.auth.user.staff}\"\n}")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { s.get("/", "Remote-User: zoe").expect(t, 200, "-", "zoe false") })
	}
	wg.Wait()
	user, err := s.store().UserByName(t.Context(), "zoe")
	if err != nil {
		t.Fatal(err)
	}
	user.Staff = true
	user = s.putUser(user)
	s.get("/", "Remote-User: zoe").expect(t, 200, "-", "zoe true")
	user.Active = false
	s.putUser(user)
	s.get("/", "Remote-User: zoe").expect(t, 403, "-", notAuthenticated)
	if err := s.store().DeleteUser(t.Context(), user.Key); err != nil {
		t.Fatal(err)
	}
	s.get("/", "Remote-User: zoe").expect(t, 200, "-", "zoe false")
}

// TestRemoteUserSocket has a proxy on a Unix socket, which has no address.
func TestRemoteUserSocket(t *testing.T) {
	const site = "{{site}} {\nbind unix//{{dir}}/s 127.0.0.1\nrest_auth {\nauthenticate remote_user {\nheader Remote-User from %s\n}\n}\nrespond \"{http.auth.user.id}\"\n}"
	s := serve(t, fmt.Sprintf(site, "unix"))
	s.seed()
	t.Chdir(t.TempDir())
	overSocket := func() reply {
		transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			// A peer may name its end as it likes.
			local := &net.UnixAddr{Name: "127.0.0.1:80", Net: "unix"}
			_ = os.Remove(local.Name)
			return net.DialUnix("unix", local, &net.UnixAddr{Name: s.vars["{{dir}}"] + "/s", Net: "unix"})
		}}
		defer transport.CloseIdleConnections()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Remote-User", "alice")
		response, err := transport.RoundTrip(r)
		for deadline := time.Now().Add(10 * time.Second); err != nil && time.Now().Before(deadline); {
			// Caddy drops what it has accepted and not read when it reloads.
			response, err = transport.RoundTrip(r)
		}
		if err != nil {
			t.Fatal(err)
		}
		return readReply(t, response)
	}
	overSocket().expect(t, 200, "-", "alice")
	s.get("/", "Remote-User: alice").expect(t, 403, "-", notAuthenticated)
	s.reload(fmt.Sprintf(site, "127.0.0.1"))
	overSocket().expect(t, 403, "-", notAuthenticated)
	s.get("/", "Remote-User: alice").expect(t, 200, "-", "alice")
}

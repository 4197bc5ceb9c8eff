// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/selftest"
)

const identitySite = `{{site}} {
	rest_auth {
		authenticate token
		authenticate basic
		require any authenticated read_only
		header_up Remote-User {http.auth.user.id}
		header_up Remote-Groups {http.auth.user.groups}
		header_up -Authorization
	}
	reverse_proxy {{echo}}
}`

// forgeries are the spellings of our headers that some upstream reads as ours.
var forgeries = append(selftest.Spellings("Remote-User"), selftest.Spellings("Remote-Groups")...)

// Whoever the client is, and whatever it sends, the upstream sees our headers
// or none.
func TestIdentityHeaders(t *testing.T) {
	s := serve(t, identitySite)
	s.seed()
	tests := map[string]struct {
		lines        []string
		user, groups string
	}{
		"anonymous":               {nil, "", ""},
		"known":                   {[]string{token("token-alice")}, "alice", "editors,readers"},
		"known, an empty value":   {[]string{token("token-bob")}, "bob", ""},
		"known by password":       {[]string{basic("alice", "pw")}, "alice", "editors,readers"},
		"known, seen before":      {[]string{token("token-alice")}, "alice", "editors,readers"},
		"nominated by the client": {[]string{token("token-alice"), "Connection: close, Remote-User, remote_groups, X-Trace"}, "alice", "editors,readers"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			lines := slices.Clone(test.lines)
			for _, forged := range forgeries {
				lines = append(lines, forged+": mallory", forged+": again")
			}
			seen := s.get("/", lines...).forwarded(t)
			for header, values := range seen.Header {
				if slices.Contains(values, "mallory") || slices.Contains(values, "again") {
					t.Errorf("the upstream saw %s: %q", header, values)
				}
			}
			if got := strings.Join(seen.Header["Remote-User"], "|"); got != test.user {
				t.Errorf("Remote-User is %q, want %q", got, test.user)
			}
			if got := strings.Join(seen.Header["Remote-Groups"], "|"); got != test.groups {
				t.Errorf("Remote-Groups is %q, want %q", got, test.groups)
			}
			if got := seen.Header["Authorization"]; got != nil {
				t.Errorf("the upstream saw the credentials: %q", got)
			}
		})
	}
}

// net/http adds trailers after the body was read, to requests of both versions.
func TestTrailersCannotForge(t *testing.T) {
	s := serve(t, "{\n{{global}}\nservers {\nprotocols h1 h2c\n}\nrest_auth {\n{{store}}\n}\n}\n"+identitySite)
	s.seed()
	for _, version := range []string{"HTTP/1", "HTTP/2"} {
		t.Run(version, func(t *testing.T) {
			protocols := new(http.Protocols)
			protocols.SetHTTP1(version == "HTTP/1")
			protocols.SetUnencryptedHTTP2(version == "HTTP/2")
			transport := &http.Transport{Protocols: protocols}
			defer transport.CloseIdleConnections()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, strings.NewReader("body"))
			if err != nil {
				t.Fatal(err)
			}
			r.ContentLength = -1
			r.Header.Set("Authorization", "Token token-alice")
			r.Header.Set("TE", "trailers")
			r.Trailer = http.Header{"Remote-User": {"mallory"}, "Remote_groups": {"admins"}, "X-Checksum": {"1"}}
			response, err := transport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			seen := readReply(t, response).forwarded(t)
			if got := seen.Trailer; len(got) != 1 || got.Get("X-Checksum") != "1" {
				t.Errorf("the upstream saw the trailers %v, want X-Checksum alone", got)
			}
			if got := seen.Header.Get("Remote-User"); got != "alice" {
				t.Errorf("Remote-User is %q, want alice", got)
			}
		})
	}
}

// An upgraded connection starts with a request as any other.
func TestUpgrade(t *testing.T) {
	s := serve(t, identitySite)
	s.seed()
	const request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, Remote-User\r\nUpgrade: echo\r\nRemote-User: mallory\r\nRemote_Groups: admins\r\n"
	closing := strings.Replace(request, "Connection: ", "Connection: close, ", 1)
	if got := s.raw(closing + "Authorization: Token bad\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 401") {
		t.Errorf("bad credentials were answered %q", got)
	}
	got := s.raw(request + "Authorization: Token token-alice\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 101") {
		t.Fatalf("the upgrade was answered %q", got)
	}
	if !strings.Contains(got, "Remote-User: alice\n") || strings.Contains(got, "mallory") || strings.Contains(got, "admins\n") {
		t.Errorf("the upstream saw %q", got)
	}
}

// Names are data: braces are not expanded, and no byte starts a header line.
func TestHostileNames(t *testing.T) {
	s := serve(t, `{{site}} {
		rest_auth {
			authenticate test_foreign {
				user_prefix off
			}
			authenticate token
			header_up Remote-User {http.auth.user.id}
			header_up X-Hello "hello {http.auth.user.id}!"
		}
		reverse_proxy {{echo}}
	}`)
	s.seed()
	t.Setenv("SECRET", "s3cret")
	for _, name := range []string{"{env.SECRET}", "{http.request.host}", "a{b", "ünï", `"q"`, "a, b", "\xff\xfe", "{file./etc/passwd}"} {
		seen := s.get("/", "X-Foreign: "+name).forwarded(t)
		if got := seen.Header.Get("Remote-User"); got != name && name != "\xff\xfe" {
			t.Errorf("user %q reached the upstream as %q", name, got)
		}
		if got := seen.Header.Get("X-Hello"); name != "\xff\xfe" && got != "hello "+name+"!" {
			t.Errorf("user %q was greeted %q", name, got)
		}
	}
	for _, name := range []string{"a\tb"} {
		if got := s.get("/", "X-Foreign: "+name); got.Status != http.StatusForbidden {
			t.Errorf("user %q was answered %d, want 403", name, got.Status)
		}
	}
}

// Two sources of users in one chain could call two people by one name.
func TestForeignUsersNeedAWord(t *testing.T) {
	s := serve(t, "{{site}} {\nrespond ok\n}")
	site := func(word string) string {
		return "{{site}} {\nrest_auth {\nauthenticate test_foreign {\n" + word + "\n}\nauthenticate token\n}\nreverse_proxy {{echo}}\n}"
	}
	err := s.tryReload(site(""))
	if err == nil || !strings.Contains(err.Error(), "authenticator 'test_foreign' brings users of its own (https://issuer.example)") {
		t.Errorf("two sources without a word: %v", err)
	}
	s.reload(site("user_prefix idp:"))
	s.seed()
	if got := s.get("/", "X-Foreign: alice").Status; got != http.StatusOK {
		t.Errorf("a foreign user was answered %d", got)
	}
	s.reload("{{site}} {\nrest_auth {\nauthenticate test_foreign {\nuser_prefix idp:\n}\nauthenticate token\nrequire user alice\n}\nreverse_proxy {{echo}}\n}")
	if got := s.get("/", "X-Foreign: alice").Status; got != http.StatusForbidden {
		t.Errorf("a foreign alice passed `require user alice`: %d", got)
	}
	if got := s.get("/", token("token-alice")).Status; got != http.StatusOK {
		t.Errorf("our alice was answered %d", got)
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// login puts a session into the store as a login does.
func (f *fixture) login(id, userKey string, passwordVersion int64) {
	f.t.Helper()
	err := f.store.Create(f.t.Context(), tokenstore.Credential{
		ID: id, Kind: tokenstore.KindSession, UserKey: userKey, Digest: []byte("digest of " + id + " and more"),
		Created: f.now, LastUsed: f.now, Expires: f.now.Add(time.Hour), PasswordVersion: passwordVersion,
		Data: []byte(`{"closes":true,"address":"192.0.2.1","agent":"Firefox"}`),
	}, 0, false)
	if err != nil {
		f.t.Fatal(err)
	}
}

type sessionPage struct {
	Sessions []Session
	Next     string
}

func (f *fixture) sessions(query string) []string {
	f.t.Helper()
	var handles []string
	for _, s := range must[sessionPage](f, "GET", "sessions"+query, "").Sessions {
		handles = append(handles, s.Handle+" "+s.User+" "+s.Status)
	}
	return handles
}

func TestSessions(t *testing.T) {
	f := newFixture(t)
	alice := must[User](f, "POST", "users", `{"name":"alice"}`)
	bob := must[User](f, "POST", "users", `{"name":"bob"}`)
	must[IssuedToken](f, "POST", "tokens", `{"user":"alice"}`)
	f.login("s1", alice.Key, 1)
	f.login("s2", alice.Key, 7)
	f.login("s3", bob.Key, 0)
	f.login("s4", "config:configured", 0)
	f.login("s5", "config:gone", 0)

	end := f.now.Add(time.Hour)
	want := Session{
		Handle: "s1", User: "alice", UserKey: alice.Key, Created: f.now, LastUsed: &f.now, Expires: &end,
		Address: "192.0.2.1", UserAgent: "Firefox", Status: StatusLive,
	}
	if diff := cmp.Diff(want, must[sessionPage](f, "GET", "sessions?user=alice&limit=1", "").Sessions[0]); diff != "" {
		t.Errorf("GET sessions (-want +got):\n%s", diff)
	}
	for query, want := range map[string][]string{
		"": {
			"s1 alice live", "s2 alice password_changed", "s3 bob live", "s4 configured live", "s5 gone user_inactive",
		},
		"?user=alice":      {"s1 alice live", "s2 alice password_changed"},
		"?user=configured": {"s4 configured live"},
		"?limit=1":         {"s1 alice live"},
	} {
		if diff := cmp.Diff(want, f.sessions(query)); diff != "" {
			t.Errorf("GET sessions%s (-want +got):\n%s", query, diff)
		}
	}
	f.fail(404, "no user 'carol'", "GET", "sessions?user=carol", "")
	f.fail(400, "unknown parameter", "GET", "sessions?kind=session", "")

	must[any](f, "DELETE", "sessions/s1", "")
	f.fail(404, "no session 's1'", "DELETE", "sessions/s1", "")
	f.fail(400, "all=true", "DELETE", "sessions", "")
	f.fail(400, "all=true", "DELETE", "sessions?user=alice&all=true", "")
	f.fail(400, "all", "DELETE", "sessions?all=yes", "")
	f.fail(404, "no user 'carol'", "DELETE", "sessions?user=carol", "")
	type ended struct{ Ended int }
	if got := must[ended](f, "DELETE", "sessions?user=configured", ""); got.Ended != 1 {
		t.Errorf("ended %d", got.Ended)
	}
	if got := must[ended](f, "DELETE", "sessions?all=true", ""); got.Ended != 3 || f.sessions("") != nil {
		t.Errorf("ended %d, left %v", got.Ended, f.sessions(""))
	}
	type tokens struct{ Tokens []Token }
	if got := must[tokens](f, "GET", "tokens?kind=token", ""); len(got.Tokens) != 1 {
		t.Errorf("%d tokens are left", len(got.Tokens))
	}
	// A token is no session.
	handle := must[tokens](f, "GET", "tokens?kind=token", "").Tokens[0].Handle
	f.fail(404, "no session", "DELETE", "sessions/"+handle, "")
}

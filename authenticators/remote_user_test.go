// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/auth/authtest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// from returns a request of a peer with these lines of Remote-User. The suite
// asks as 192.0.2.1.
func from(peer string, lines ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = peer
	if len(lines) > 0 {
		r.Header["Remote-User"] = lines
	}
	return r
}

func TestRemoteUser_header(t *testing.T) {
	ctx, app := newApp(t,
		users.User{Name: "config", Password: hashOfSecret, Groups: []string{"editors"}, Staff: true},
		users.User{Name: "frozen", Password: hashOfSecret, Inactive: true},
	)
	alice := addUser(t, app.store, tokenstore.User{Name: "alice", Active: true, Permissions: []string{"shop.add_order"}})
	addUser(t, app.store, tokenstore.User{Name: "gone"})
	addUser(t, app.store, tokenstore.User{Name: "rené", Active: true})
	addUser(t, app.store, tokenstore.User{Name: "fish", Active: true})
	addUser(t, app.store, tokenstore.User{Name: "(null)", Active: true})
	addUser(t, app.store, tokenstore.User{Name: "a b", Active: true})

	const trusted = "192.0.2.1:1234"
	known := &auth.Identity{ID: "alice", Key: alice.Key, Source: "store", Method: "remote_user", Permissions: []string{"shop.add_order"}}
	bad := failure("Invalid remote user.")
	spelled := from(trusted, "alice")
	spelled.Header["Remote_User"] = []string{"alice"}
	other := from(trusted)
	other.Header["Remote_User"] = []string{"alice"}
	authtest.Run(t, mustLoad[*RemoteUser](t, ctx, "remote_user", `{"header": {"name": "remote-user", "from": ["192.0.2.0/24", "2001:db8::1"]}}`), []authtest.Case{
		{Name: "known", Request: from(trusted, "alice"), Identity: known},
		{Name: "of the configuration", Request: from(trusted, "config"), Identity: &auth.Identity{ID: "config", Key: "config:config", Staff: true, Groups: []string{"editors"}}},
		{Name: "another trusted peer", Request: from("[2001:db8::1]:99", "alice"), Identity: known},
		{Name: "decomposed", Request: from(trusted, "rene\u0301"), Identity: &auth.Identity{ID: "rené"}},
		{Name: "a blank within", Request: from(trusted, "a b"), Identity: &auth.Identity{ID: "a b"}},
		{Name: "unknown", Request: from(trusted, "nobody"), Err: auth.ErrNoCredentials},
		{Name: "other letter case", Request: from(trusted, "Alice"), Err: auth.ErrNoCredentials},
		{Name: "inactive", Request: from(trusted, "gone"), Err: auth.ErrNoCredentials},
		{Name: "inactive, of the configuration", Request: from(trusted, "frozen"), Err: auth.ErrNoCredentials},
		{Name: "absent", Request: from(trusted), Err: auth.ErrNoCredentials},
		{Name: "empty", Request: from(trusted, ""), Err: auth.ErrNoCredentials},
		{Name: "blank", Request: from(trusted, " \t"), Err: auth.ErrNoCredentials},
		{Name: "nobody, as Apache writes it", Request: from(trusted, "(null)"), Err: auth.ErrNoCredentials},
		{Name: "placeholder", Request: from(trusted, "{env.HOME}"), Err: auth.ErrNoCredentials},
		{Name: "domain", Request: from(trusted, `CORP\alice`), Err: auth.ErrNoCredentials},
		{Name: "other spelling alone", Request: other, Err: auth.ErrNoCredentials},
		{Name: "other spelling beside", Request: spelled, Err: bad},
		{Name: "two lines", Request: from(trusted, "alice", "alice"), Err: bad},
		{Name: "two lines, one empty", Request: from(trusted, "alice", ""), Err: bad},
		{Name: "list", Request: from(trusted, "alice, bob"), Err: bad},
		{Name: "blank before", Request: from(trusted, " alice"), Err: bad},
		{Name: "no-break space after", Request: from(trusted, "alice\u00a0"), Err: bad},
		{Name: "control character", Request: from(trusted, "ali\x00ce"), Err: bad},
		{Name: "invisible", Request: from(trusted, "ali\u200bce"), Err: bad},
		{Name: "invisible, a mark", Request: from(trusted, "alice\u034f"), Err: bad},
		{Name: "invisible, a variation", Request: from(trusted, "alice\ufe0f"), Err: bad},
		{Name: "invisible, a letter", Request: from(trusted, "ali\u115fce"), Err: bad},
		{Name: "Latin-1", Request: from(trusted, "ren\xe9"), Err: bad},
		{Name: "compatible, not the same", Request: from(trusted, "\ufb01sh"), Err: bad},
		{Name: "too long", Request: from(trusted, strings.Repeat("a", maxRemoteName+1)), Err: bad},
		{Name: "untrusted", Request: from("198.51.100.1:1234", "alice"), Err: auth.ErrNoCredentials},
		{Name: "untrusted, garbage", Request: from("198.51.100.1:1234", "alice", "\x00"), Err: auth.ErrNoCredentials},
		{Name: "no address", Request: from("@", "alice"), Err: auth.ErrNoCredentials},
	})
}

func TestRemoteUser_forwardedFor(t *testing.T) {
	ctx, app := newApp(t)
	addUser(t, app.store, tokenstore.User{Name: "alice", Active: true})
	u := mustLoad[*RemoteUser](t, ctx, "remote_user", `{"header": {"name": "Remote-User", "from": ["private_ranges"]}}`)
	r := from("198.51.100.1:1234", "alice")
	r.Header["X-Forwarded-For"] = []string{"10.0.0.1"}
	r.Header["X-Real-Ip"] = []string{"10.0.0.1"}
	if id, err := u.Authenticate(r); !errors.Is(err, auth.ErrNoCredentials) {
		t.Errorf("Authenticate = %v, %v", id, err)
	}
	if key, ok := u.CacheKey(r); ok {
		t.Errorf("CacheKey = %q", key)
	}
}

func TestRemoteUser_create(t *testing.T) {
	ctx, app := newApp(t, users.User{Name: "frozen", Password: hashOfSecret, Inactive: true})
	addUser(t, app.store, tokenstore.User{Name: "gone"})
	u := mustLoad[*RemoteUser](t, ctx, "remote_user", `{"create": true, "header": {"name": "Remote-User", "from": ["192.0.2.1"]}}`)
	ask := func(name string) (*auth.Identity, error) { return u.Authenticate(from("192.0.2.1:1", name)) }

	var mu sync.Mutex
	var wg sync.WaitGroup
	keys := make(map[string]int)
	for range 20 {
		wg.Go(func() {
			id, err := ask("new")
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			keys[id.Key]++
		})
	}
	wg.Wait()
	user, err := app.store.UserByName(t.Context(), "new")
	if err != nil || len(keys) != 1 || keys[user.Key] != 20 || !user.Active || user.PasswordHash != "" || user.Staff || user.Superuser {
		t.Errorf("created %+v, %v, as %v", user, err, keys)
	}
	for name, want := range map[string]error{
		"gone":                     auth.ErrNoCredentials,
		"frozen":                   auth.ErrNoCredentials,
		"a:b":                      &auth.Failure{},
		strings.Repeat("a", 151):   &auth.Failure{},
		strings.Repeat("é", 1_000): &auth.Failure{},
	} {
		id, err := ask(name)
		_, failed := errors.AsType[*auth.Failure](err)
		if _, want := errors.AsType[*auth.Failure](want); failed != want || errors.Is(err, auth.ErrNoCredentials) == want {
			t.Errorf("%.20s: %v, %v", name, id, err)
		}
	}
	if page, _, err := app.store.Users(t.Context(), "", 10); err != nil || len(page) != 2 {
		t.Errorf("the store has %v, %v", page, err)
	}
	app.store.err = tokenstore.ErrUnavailable
	if _, err := ask("new"); !isUnavailable(err) {
		t.Errorf("with the store down: %v", err)
	}
}

func isUnavailable(err error) bool {
	_, down := errors.AsType[*auth.Unavailable](err)
	return down
}

func TestRemoteUser_clean(t *testing.T) {
	u := &RemoteUser{StripDomains: []string{"CORP", "lab"}, StripRealms: []string{"CORP.EXAMPLE"}}
	lower := *u
	lower.Lowercase = true
	tests := map[string]struct {
		u          *RemoteUser
		said, want string
		err        error
	}{
		"plain":                 {u, "alice", "alice", nil},
		"domain":                {u, `CORP\alice`, "alice", nil},
		"domain in other case":  {u, `corp\alice`, "alice", nil},
		"second domain":         {u, `LAB\alice`, "alice", nil},
		"other domain":          {u, `EVIL\alice`, `EVIL\alice`, nil},
		"domain twice":          {u, `CORP\CORP\alice`, `CORP\alice`, nil},
		"realm":                 {u, "alice@CORP.EXAMPLE", "alice", nil},
		"realm in other case":   {u, "alice@corp.example", "alice", nil},
		"other realm":           {u, "alice@EVIL.EXAMPLE", "alice@EVIL.EXAMPLE", nil},
		"realm within a realm":  {u, "alice@CORP.EXAMPLE@EVIL", "alice@CORP.EXAMPLE@EVIL", nil},
		"address in a realm":    {u, "alice@home@CORP.EXAMPLE", "alice@home", nil},
		"folds in Unicode only": {u, "alice@\u212aORP.EXAMPLE", "alice@KORP.EXAMPLE", nil},
		"domain alone":          {u, `CORP\`, "", errRemoteEmpty},
		"realm alone":           {u, "@CORP.EXAMPLE", "", errRemoteEmpty},
		"blank after a domain":  {u, `CORP\ alice`, "", errRemoteEmpty},
		"lower case":            {&lower, `CORP\Alice`, "alice", nil},
		"lower case, not ASCII": {&lower, "ÉMILE", "émile", nil},
		"lower case, dotted":    {&lower, "\u0130", "i\u0307", nil},
		"long s":                {&lower, "\u017f", "", errRemoteForm},
		"full width":            {u, "\uff41lice", "", errRemoteForm},
		"angstrom":              {u, "\u212b", "\u00c5", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := test.u.clean(test.said, true)
			if got != test.want || !errors.Is(err, test.err) {
				t.Errorf("clean(%q) = %q, %v, want %q, %v", test.said, got, err, test.want, test.err)
			}
		})
	}
	if got, err := u.clean("CN=alice,O=Example", false); got != "CN=alice,O=Example" || err != nil {
		t.Errorf("a distinguished name: %q, %v", got, err)
	}
}

// FuzzRemoteUser looks for names that another program would read otherwise.
func FuzzRemoteUser(f *testing.F) {
	for _, said := range []string{"alice", `CORP\Alice`, "alice@CORP.EXAMPLE", "rene\u0301", "\ufb01sh", "(null)", " a", "a,b", "\xff", "\u0130"} {
		f.Add(said)
	}
	u := &RemoteUser{StripDomains: []string{"CORP"}, StripRealms: []string{"CORP.EXAMPLE"}, Lowercase: true}
	f.Fuzz(func(t *testing.T, said string) {
		name, err := u.clean(said, true)
		if err != nil || name == "" {
			if name != "" {
				t.Errorf("clean(%q) = %q, %v", said, name, err)
			}
			return
		}
		if strings.ContainsFunc(name, unseen) || strings.TrimSpace(name) != name || strings.Contains(name, ",") || users.Canonical(name) != name {
			t.Errorf("clean(%q) = %q", said, name)
		}
	})
}

// BenchmarkRemoteUser_CacheKey is what a request behind a trusted proxy pays
// once its user is remembered, before the cache hashes the key.
func BenchmarkRemoteUser_CacheKey(b *testing.B) {
	ctx, _ := newApp(b)
	u := mustLoad[*RemoteUser](b, ctx, "remote_user", `{"header": {"name": "Remote-User", "from": ["private_ranges"]}}`)
	r := from("10.1.2.3:1234", "alice")
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := u.CacheKey(r); !ok {
			b.Fatal("no key")
		}
	}
}

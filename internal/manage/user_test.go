// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func TestUserLife(t *testing.T) {
	f := newFixture(t)
	must[Group](f, "PUT", "groups/editors", `{"permissions":["blog.change_post","blog.add_post"]}`)
	made := must[User](f, "POST", "users", `{"name":"alice","email":"alice@example.com","full_name":"Alice A.","staff":true,"groups":["editors"],"permissions":["blog.view_post"],"password":"correct horse"}`)
	want := User{
		Name: "alice", Email: "alice@example.com", FullName: "Alice A.", Active: true, Staff: true,
		Groups: []string{"editors"}, Permissions: []string{"blog.view_post"}, HasPassword: true, Version: 1,
	}
	ignoreKey := cmpopts.IgnoreFields(User{}, "Key")
	if diff := cmp.Diff(want, made, ignoreKey); diff != "" {
		t.Errorf("POST users (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(made.Key, tokenstore.UserKeyPrefix) {
		t.Errorf("key = %q", made.Key)
	}
	want.Inherited = []string{"blog.add_post", "blog.change_post"}
	if diff := cmp.Diff(want, must[User](f, "GET", "users/alice", ""), ignoreKey, cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Errorf("GET users/alice (-want +got):\n%s", diff)
	}

	changed := must[User](f, "PATCH", "users/alice", `{"staff":false,"groups":[]}`, "If-Match", `"1"`)
	want.Staff, want.Groups, want.Inherited, want.Version = false, []string{}, nil, 2
	if diff := cmp.Diff(want, changed, ignoreKey); diff != "" {
		t.Errorf("PATCH: what the groups gave must go with them, the rest must stay (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, must[User](f, "GET", "users/alice", ""), ignoreKey); diff != "" {
		t.Errorf("GET after PATCH (-want +got):\n%s", diff)
	}
	if got := must[User](f, "PATCH", "users/alice", `{"active":false}`); got.Active {
		t.Error("disabled, and active")
	}
	must[any](f, "DELETE", "users/alice", "")
	f.fail(404, "no user", "GET", "users/alice", "")
	again := must[User](f, "POST", "users", `{"name":"alice"}`)
	if again.Key == made.Key || again.HasPassword || len(again.Permissions) > 0 {
		t.Errorf("a later user of the same name inherited %+v", again)
	}
}

func TestPassword(t *testing.T) {
	f := newFixture(t)
	must[User](f, "POST", "users", `{"name":"alice"}`)
	stored := func() tokenstore.User {
		u, err := f.store.UserByName(t.Context(), "alice")
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	before := stored()
	if got := f.send("PUT", "users/alice/password", `{"password":" pässwörd\u0000 "}`); got.status != 200 || got.header.Get("ETag") != `"2"` {
		t.Errorf("PUT password = %d, ETag %q", got.status, got.header.Get("ETag"))
	}
	want, _ := tagHasher{}.Hash(t.Context(), " pässwörd\x00 ")
	if got := stored(); got.PasswordHash != want || got.PasswordVersion <= before.PasswordVersion {
		t.Errorf("the password was changed on its way, or its version was not: %q, version %d", got.PasswordHash, got.PasswordVersion)
	}
	must[User](f, "DELETE", "users/alice/password", "")
	if got := stored(); got.PasswordHash != "" {
		t.Errorf("hash = %q after the password was removed", got.PasswordHash)
	}
}

// TestNames manages users and groups whose names need escaping in a path.
func TestNames(t *testing.T) {
	for _, name := range []string{"a/b", "..", "%2F", "a b?c#d", "é", "日本", "a+b@c", "password"} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			encoded := must[User](f, "POST", "users", `{"name":"`+name+`"}`)
			path := "users/"
			for _, b := range []byte(name) {
				const hex = "0123456789ABCDEF"
				path += "%" + string(hex[b>>4]) + string(hex[b&15])
			}
			if got := must[User](f, "GET", path, ""); got.Key != encoded.Key {
				t.Errorf("GET %s = %+v", path, got)
			}
			must[any](f, "DELETE", path, "")
			f.fail(404, "no user", "GET", path, "")
		})
	}
}

// TestCanonicalNames finds users by any form of their name, and those of an
// import by the form that was stored.
func TestCanonicalNames(t *testing.T) {
	f := newFixture(t)
	made := must[User](f, "POST", "users", `{"name":"ａlice"}`)
	if made.Name != "alice" {
		t.Errorf("name = %q, want its canonical form", made.Name)
	}
	if got := must[User](f, "GET", "users/%EF%BD%81lice", ""); got.Key != made.Key {
		t.Errorf("another form of the name = %+v", got)
	}
	imported, err := f.store.PutUser(t.Context(), tokenstore.User{Name: "ｂob", Active: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := must[User](f, "GET", "users/%EF%BD%82ob", ""); got.Key != imported.Key {
		t.Errorf("an imported name = %+v", got)
	}
}

func TestUsersPages(t *testing.T) {
	f := newFixture(t)
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		must[User](f, "POST", "users", `{"name":"`+name+`"}`)
	}
	type page struct {
		Users []User
		Next  string
	}
	var got []string
	cursor := ""
	for {
		p := must[page](f, "GET", "users?limit=2"+cursor, "")
		for _, u := range p.Users {
			got = append(got, u.Name)
		}
		if p.Next == "" {
			break
		}
		cursor = "&cursor=" + p.Next
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "e"}, got); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
}

// staleStore reports for some time that others change users.
type staleStore struct {
	tokenstore.Store
	left int
}

func (s *staleStore) PutUser(ctx context.Context, u tokenstore.User) (tokenstore.User, error) {
	if u.Version > 0 && s.left > 0 {
		s.left--
		return tokenstore.User{}, tokenstore.ErrStale
	}
	return s.Store.PutUser(ctx, u)
}

func TestConcurrentChanges(t *testing.T) {
	f := newFixture(t)
	must[User](f, "POST", "users", `{"name":"alice"}`)
	f.m.Store = &staleStore{f.store, editAttempts - 1}
	if got := must[User](f, "PATCH", "users/alice", `{"staff":true}`); !got.Staff {
		t.Error("the change was lost")
	}
	f.m.Store = &staleStore{f.store, editAttempts}
	f.fail(409, "keeps being changed", "PATCH", "users/alice", `{"staff":false}`)
}

func TestGroups(t *testing.T) {
	f := newFixture(t)
	must[Group](f, "PUT", "groups/b", `{"permissions":["x.b","x.a","x.a"]}`)
	must[Group](f, "PUT", "groups/a", `{"permissions":[]}`)
	type answer struct{ Groups []Group }
	want := []Group{{Name: "a", Permissions: []string{}}, {Name: "b", Permissions: []string{"x.a", "x.b"}}}
	if diff := cmp.Diff(want, must[answer](f, "GET", "groups", "").Groups); diff != "" {
		t.Errorf("GET groups (-want +got):\n%s", diff)
	}
	must[any](f, "DELETE", "groups/b", "")
	if diff := cmp.Diff(want[:1], must[answer](f, "GET", "groups", "").Groups); diff != "" {
		t.Errorf("GET groups after DELETE (-want +got):\n%s", diff)
	}
	// An import may bring a name that could not be made here.
	if err := f.store.PutGroup(t.Context(), tokenstore.Group{Name: "a,b"}); err != nil {
		t.Fatal(err)
	}
	if got := must[Group](f, "PUT", "groups/a%2Cb", `{"permissions":["x.y"]}`); len(got.Permissions) != 1 {
		t.Errorf("PUT of an imported group = %+v", got)
	}
}

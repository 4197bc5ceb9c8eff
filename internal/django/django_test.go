// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import (
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"
)

// content is all that a dump says.
type content struct {
	Users  []User
	Groups []Group
	Tokens []Token
}

func options(t testing.TB) Options {
	return Options{Canonical: norm.NFKC.String, Dir: t.TempDir()}
}

func read(t *testing.T, text string, o Options) (content, *Dump, error) {
	t.Helper()
	d, err := Read(t.Context(), strings.NewReader(text), o)
	if err != nil {
		return content{}, nil, err
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	var c content
	if err := errors.Join(
		d.EachUser(func(u User) error { c.Users = append(c.Users, u); return nil }),
		d.EachGroup(func(g Group) error { c.Groups = append(c.Groups, g); return nil }),
		d.EachToken(func(k Token) error { c.Tokens = append(c.Tokens, k); return nil }),
	); err != nil {
		t.Fatal(err)
	}
	return c, d, nil
}

func digest(key string) []byte {
	sum := sha256.Sum256([]byte(key))
	return sum[:]
}

// The same project, however it was dumped. References go forwards and backwards.
const (
	key    = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"
	byKeys = `[
{"model": "authtoken.token", "pk": "` + key + `", "fields": {"user": 7, "created": "2024-01-02T03:04:05.678+02:00"}},
{"model": "auth.user", "pk": 7, "fields": {"password": "pbkdf2_sha256$1$a$b", "last_login": null, "is_superuser": false,
 "username": "\u0061lice", "first_name": "Alice", "last_name": "A.\n B", "email": "alice@example.com", "is_staff": true, "is_active": false,
 "date_joined": "2024-01-02T03:04:05Z", "groups": [2], "user_permissions": [31, 31]}},
{"model": "library.book", "pk": 1, "fields": {"score": NaN, "cover": "\ud83d\udcda\ud800", "data": {"a": [[], {}, -1e9]}}},
{"model": "auth.group", "pk": 2, "fields": {"name": "editors", "permissions": [31, 30], "parents": [2], "head": 2}},
{"model": "auth.permission", "pk": 30, "fields": {"name": "Can add book", "content_type": 5, "codename": "add_book"}},
{"model": "auth.permission", "pk": 31, "fields": {"name": "Can change book", "content_type": ["library", "book"], "codename": "change_book"}},
{"model": "contenttypes.contenttype", "pk": 5, "fields": {"app_label": "library", "model": "book"}}
]`
	naturalKeys = "\xef\xbb\xbf" + `
{"model": "authtoken.token", "pk": "` + key + `", "fields": {"user": ["alice"], "created": "2024-01-02T01:04:05.678Z"}}
{"fields": {"username": "alice", "first_name": "Alice", "last_name": "A. B", "email": "alice@example.com", "password": "pbkdf2_sha256$1$a$b", "is_staff": true, "is_active": false, "groups": [["editors"]], "user_permissions": [["change_book", "library", "book"]]}, "model": "auth.user"}
{"model": "library.book", "fields": {}}
{"model": "auth.group", "fields": {"name": "editors", "permissions": [["add_book", "library", "book"], ["change_book", "library", "book"]]}}
{"model": "auth.permission", "fields": {"name": "Can add book", "content_type": ["library", "book"], "codename": "add_book"}}
`
)

func TestRead(t *testing.T) {
	want := content{
		Users: []User{{
			Row: 2, ID: "7", Name: "alice", Email: "alice@example.com", FullName: "Alice A. B", Password: "pbkdf2_sha256$1$a$b",
			Staff: true, Groups: []string{"editors"}, Permissions: []string{"library.change_book"},
		}},
		Groups: []Group{{Row: 4, Name: "editors", Permissions: []string{"library.add_book", "library.change_book"}}},
		Tokens: []Token{{Row: 1, Model: ModelAuthtoken, Digest: digest(key), UserID: "7", Created: time.Date(2024, 1, 2, 1, 4, 5, 678e6, time.UTC)}},
	}
	for name, text := range map[string]string{"by primary keys": byKeys, "by natural keys, a record a line": naturalKeys} {
		t.Run(name, func(t *testing.T) {
			got, d, err := read(t, text, options(t))
			if err != nil {
				t.Fatal(err)
			}
			want := content{slices.Clone(want.Users), want.Groups, slices.Clone(want.Tokens)}
			if text == naturalKeys {
				want.Users[0].ID, want.Tokens[0].UserID, want.Tokens[0].UserName = "", "", "alice"
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if d.Other["library.book"] != 1 || d.OtherRows != 1 || d.Natural != (text == naturalKeys) || len(d.Warnings) > 0 {
				t.Errorf("the dump is %+v", d)
			}
			if !d.HasName("alice") || d.HasName("bob") || d.HasID("7") == d.Natural || !d.HasToken(digest(key)) || d.HasToken(digest("other")) ||
				!d.HasGroup("editors") || d.HasGroup("others") {
				t.Error("it does not know what it has")
			}
		})
	}
}

// TestRead_customModels reads user models that are not Django's own.
func TestRead_customModels(t *testing.T) {
	const id = "5f0c7d3e-8f43-4ad8-8a5e-0f3e1b0f4d11"
	o := options(t)
	o.UserModel, o.UsernameField = "accounts.Member", "email"
	got, _, err := read(t, `[{"model": "accounts.member", "pk": "`+id+`", "fields": {"email": "a@example.com", "full_name": " Ann  O. ", "password": "!x"}},
		{"model": "authtoken.token", "pk": "`+key+`", "fields": {"user": "`+id+`"}},
		{"model": "auth.user", "pk": 1, "fields": {"username": ""}}]`, o)
	want := content{
		Users: []User{{
			Row: 1, ID: id, Name: "a@example.com", Email: "a@example.com", FullName: "Ann O.", Password: "!x", Active: true,
			Groups: []string{}, Permissions: []string{},
		}},
		Tokens: []Token{{Row: 2, Model: ModelAuthtoken, Digest: digest(key), UserID: id}},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	o.UserModel, o.UsernameField = "a.user", "phone"
	got, _, err = read(t, `[{"model": "a.user", "pk": 1, "fields": {"phone": 4912345}}]`, o)
	if err != nil || got.Users[0].Name != "4912345" {
		t.Errorf("a number for a name: %+v, %v", got, err)
	}
}

// TestRead_tidied says what is imported otherwise than it was written.
func TestRead_tidied(t *testing.T) {
	o := options(t)
	got, d, err := read(t, `[{"model": "auth.user", "pk": 1, "fields": {"username": "ａnn", "email": "no address", "first_name": "A\u202e\u0000B", "password": "`+
		strings.Repeat("x", 1<<20)+`"}}, {"model": "authtoken.token", "pk": "short", "fields": {"user": 1}}]`, o)
	if err != nil {
		t.Fatal(err)
	}
	u := got.Users[0]
	if u.Name != "ann" || u.Email != "" || u.FullName != "A B" || len(u.Password) > maxPassword+4 || len(d.Warnings) != 2 {
		t.Errorf("%.200v, warnings %v", u, d.Warnings)
	}
	for _, w := range d.Warnings {
		if strings.Contains(w.String(), "short'") || w.Model == "authtoken.token" && w.PK != "" {
			t.Errorf("a warning has the key: %v", w)
		}
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package users

import (
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
)

func TestNew_refusesUsers(t *testing.T) {
	// The MD5 of "secret": weak, and recognizable if an error repeats it.
	const md5Hash = "md5$canary$9a0c1a2b3c4d5e6f708192a3b4c5d6e7"
	tests := map[string]struct {
		users []User
		want  []string
	}{
		"empty name":          {[]User{{Name: "", Password: pbkdf2Hash}}, []string{"user 0", "empty"}},
		"long name":           {[]User{{Name: strings.Repeat("é", 151), Password: pbkdf2Hash}}, []string{"user 0", "150"}},
		"long once canonical": {[]User{{Name: strings.Repeat("\ufdfa", 9), Password: pbkdf2Hash}}, []string{"150"}},
		"control character":   {[]User{{Name: "a\nb", Password: pbkdf2Hash}}, []string{`"a\nb"`, "control"}},
		"NUL":                 {[]User{{Name: "a\x00b", Password: pbkdf2Hash}}, []string{"control"}},
		"invalid UTF-8":       {[]User{{Name: "a\xff", Password: pbkdf2Hash}}, []string{"UTF-8"}},
		"twice":               {[]User{{Name: "al", Password: pbkdf2Hash}, {Name: "al", Password: pbkdf2Hash}}, []string{`"al"`, "twice"}},
		"twice once canonical": {
			[]User{{Name: "é", Password: pbkdf2Hash}, {Name: "e\u0301", Password: pbkdf2Hash}}, []string{"twice"},
		},
		"no password":          {[]User{{Name: "alice"}}, []string{`"alice"`, "unusable"}},
		"plain password":       {[]User{{Name: "alice", Password: "canary"}}, []string{`"alice"`, "not understood"}},
		"placeholder":          {[]User{{Name: "alice", Password: "{env.canary}"}}, []string{`"alice"`, "not understood"}},
		"weak hash":            {[]User{{Name: "alice", Password: md5Hash}}, []string{`"alice"`, "weak"}},
		"costly hash":          {[]User{{Name: "alice", Password: "pbkdf2_sha256$4000000000$canary$7q77FNs/69qVkPyRNSqXo6plaOX9a1Kyv7l1dRFK7ZE="}}, []string{`"alice"`}},
		"more than all memory": {[]User{{Name: "alice", Password: "$argon2id$v=19$m=65536,t=1,p=1$Y2FuYXJ5Y2FuYXJ5$Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXI"}}, []string{`"alice"`, "memory"}},
	}
	hasher := password.New(password.Config{Memory: 32 << 20})
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := New(test.users, nil, hasher, nil)
			if err == nil {
				t.Fatal("New accepts the users")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("New: %v, want %q in it", err, want)
				}
			}
			if strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "Y2FuYXJ5") {
				t.Errorf("New: %v: the error repeats a hash", err)
			}
		})
	}
}

func TestNew_acceptsUsers(t *testing.T) {
	names := []string{"alice", "Alice", "a@example.com", strings.Repeat("é", 150), "名前", "a:b", "a b"}
	var config []User
	for _, name := range names {
		config = append(config, User{Name: name, Password: pbkdf2Hash})
	}
	d := newDirectory(t, config, nil, password.New(password.Config{}))
	for _, name := range append(names, "ａlice") {
		if !d.Configured(name) {
			t.Errorf("Configured(%q) = false", name)
		}
	}
	if d.Configured("ALICE") || d.Configured("") {
		t.Error("Configured finds users that are not there")
	}
}

func TestNew_weakFormatsByName(t *testing.T) {
	config := []User{{Name: "alice", Password: "md5$seasalt$51bd9678978c1b8d854cd8d771c933e8"}}
	d := newDirectory(t, config, nil, password.New(password.Config{Weak: []string{"md5"}}))
	if _, err := d.Authenticate(t.Context(), "alice", "secret"); err != nil {
		t.Errorf("Authenticate: %v", err)
	}
}

func TestCanonical(t *testing.T) {
	tests := map[string]string{"alice": "alice", "Alice": "Alice", "ａlice": "alice", "e\u0301": "é", "ﬁ": "fi", "": ""}
	for name, want := range tests {
		got := Canonical(name)
		if got != want || Canonical(got) != got {
			t.Errorf("Canonical(%q) = %q, want %q", name, got, want)
		}
	}
}

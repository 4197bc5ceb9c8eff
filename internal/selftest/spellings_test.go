// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http/httpguts"
)

func TestSpellings(t *testing.T) {
	for name, want := range map[string][]string{
		"Remote-User":       {"Remote-User", "remote-user", "REMOTE-USER", "rEmOtE-UsEr", "Remote_User", "remote_user", "REMOTE_USER", "Remote.User", "remote.user", "Remote~User"},
		"X-Auth-User-Email": {"X-Auth-User_Email", "X-Auth-User.Email", "X_Auth-User-Email", "X_Auth_User_Email", "x.auth.user.email"},
		"REMOTE_USER":       {"REMOTE-USER", "remote_user", "remote-user"},
		"User":              {"User", "user", "USER"},
	} {
		got := Spellings(name)
		if got[0] != name {
			t.Errorf("Spellings(%s) begins with %s", name, got[0])
		}
		for _, spelling := range want {
			if !slices.Contains(got, spelling) {
				t.Errorf("Spellings(%s) has no %s", name, spelling)
			}
		}
		for i, spelling := range got {
			if !httpguts.ValidHeaderFieldName(spelling) || fold(spelling) != fold(name) || slices.Contains(got[:i], spelling) {
				t.Errorf("Spellings(%s) has %q", name, spelling)
			}
		}
	}
	// Every byte that a name may have is either compared as it is or folded.
	for c := range byte(128) {
		if !httpguts.ValidHeaderFieldName(string(rune(c))) {
			continue
		}
		alnum := strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789", rune(c|0x20)) || '0' <= c && c <= '9'
		if !alnum && !strings.ContainsRune(separators, rune(c)) {
			t.Errorf("%q is no separator", c)
		}
	}
}

func TestVariants(t *testing.T) {
	const value = "mallory-1"
	labels := make(map[string]bool)
	for _, v := range variants("Remote-User", value) {
		if labels[v.label] {
			t.Errorf("two variants are called %q", v.label)
		}
		labels[v.label] = true
		if strings.Contains(v.label, value) {
			t.Errorf("%q has the value", v.label)
		}
		sent := strings.Join(append(slices.Clone(v.lines), v.trailers...), "\n")
		if strings.Contains(sent, value) == v.nominates {
			t.Errorf("%s sends %q", v.label, sent)
		}
		if strings.Contains(message(&request{}, v), "\r\n\r\n\r\n") {
			t.Errorf("%s ends too early", v.label)
		}
	}
}

func TestMessage(t *testing.T) {
	r := &request{method: "PUT", host: "site.example", target: "/a?b=c", header: []string{"X-Key: 1"}}
	tests := map[string]struct {
		variant variant
		want    string
	}{
		"plain":    {variant{}, "PUT /a?b=c HTTP/1.1\r\nHost: site.example\r\nX-Key: 1\r\n\r\n"},
		"lines":    {variant{lines: []string{"A: 1", "B : 2"}}, "PUT /a?b=c HTTP/1.1\r\nHost: site.example\r\nX-Key: 1\r\nA: 1\r\nB : 2\r\n\r\n"},
		"query":    {variant{query: "as=x"}, "PUT /a?b=c&as=x HTTP/1.1\r\nHost: site.example\r\nX-Key: 1\r\n\r\n"},
		"absolute": {variant{absolute: true}, "PUT http://site.example/a?b=c HTTP/1.1\r\nHost: site.example\r\nX-Key: 1\r\n\r\n"},
		"1.0":      {variant{http10: true}, "PUT /a?b=c HTTP/1.0\r\nHost: site.example\r\nX-Key: 1\r\n\r\n"},
		"trailers": {
			variant{trailers: []string{"A: 1"}},
			"PUT /a?b=c HTTP/1.1\r\nHost: site.example\r\nX-Key: 1\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n\r\n4\r\nbody\r\n0\r\nA: 1\r\n\r\n",
		},
	}
	for name, test := range tests {
		if got := message(r, test.variant); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

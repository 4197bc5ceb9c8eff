// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"strings"
	"testing"
)

// TestTokenRows are Django REST framework's answers to every Token header that
// was measured, byte for byte.
func TestTokenRows(t *testing.T) {
	s := serve(t, "{{site}} {\nrest_auth {\nauthenticate token\n}\nrespond \"{http.auth.user.id}\"\n}")
	s.seed()
	const (
		empty    = "Invalid token header. No credentials provided."
		spaces   = "Invalid token header. Token string should not contain spaces."
		garbled  = "Invalid token header. Token string should not contain invalid characters."
		invalid  = "Invalid token."
		inactive = "User inactive or deleted."
		none     = "Authentication credentials were not provided."
	)
	rows := map[string]struct{ header, want string }{
		"good":                 {"Token token-alice", "alice"},
		"lower case":           {"token token-alice", "alice"},
		"upper case":           {"TOKEN token-alice", "alice"},
		"mixed case":           {"tOkEn token-alice", "alice"},
		"double blank":         {"Token  token-alice", "alice"},
		"tab":                  {"Token\ttoken-alice", "alice"},
		"blanks around":        {" \t Token token-alice \t ", "alice"},
		"scheme alone":         {"Token", empty},
		"scheme and a blank":   {"Token ", empty},
		"two words":            {"Token a b", spaces},
		"three words":          {"Token a b c", spaces},
		"not UTF-8":            {"Token \xff\xfe", garbled},
		"UTF-8":                {"Token schlüssel", invalid},
		"unknown":              {"Token unknown", invalid},
		"in other letter case": {"Token TOKEN-alice", invalid},
		"a comma":              {"Token token-alice,x", invalid},
		"5000 characters":      {"Token " + strings.Repeat("x", 5000), invalid},
		"truncated":            {"Token token-alic", invalid},
		"one more":             {"Token token-alicee", invalid},
		"inactive":             {"Token token-gone", inactive},
		"a colon":              {"Token: token-alice", none},
		"an equals sign":       {"Token=token-alice", none},
		"a longer scheme":      {"Tokenx token-alice", none},
		"a blank that is none": {"Token\u00a0token-alice", none},
		"KELVIN SIGN":          {"To\u212aen token-alice", none},
		"another scheme":       {"Bearer token-alice", none},
		"empty":                {" ", none},
		"absent":               {"", none},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			request := "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
			if row.header != "" {
				request += "Authorization: " + row.header + "\r\n"
			}
			head, body, _ := strings.Cut(s.raw(request+"\r\n"), "\r\n\r\n")
			if row.want == "alice" {
				if !strings.HasPrefix(head, "HTTP/1.1 200") || body != row.want {
					t.Errorf("%q was answered %q %q, want alice", row.header, head, body)
				}
				return
			}
			if !strings.HasPrefix(head, "HTTP/1.1 401") || body != detail(row.want) || !strings.Contains(head, "\r\nWww-Authenticate: Token\r\n") {
				t.Errorf("%q was answered %q %q, want %s", row.header, head, body, row.want)
			}
		})
	}
	// The key is never taken from anywhere else.
	if got := s.do("POST", "/?token=token-alice&auth_token=token-alice", "Content-Type: application/x-www-form-urlencoded").Status; got != 401 {
		t.Errorf("a token in the query was answered %d", got)
	}
	// NUL bytes do not get past net/http.
	if got := s.raw("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Token a\x00b\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 400") {
		t.Errorf("a NUL was answered %q", got)
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// TestBasicRows are Django REST framework's answers to every Basic header that
// was measured, byte for byte.
func TestBasicRows(t *testing.T) {
	s := serve(t, "{{site}} {\nrest_auth {\nauthenticate basic\n}\nrespond \"{http.auth.user.id}\"\n}")
	s.seed()
	hash, err := password.New(password.Config{}).Hash(t.Context(), "pä:ß")
	if err != nil {
		t.Fatal(err)
	}
	s.putUser(tokenstore.User{Name: "jürgen", PasswordHash: hash, Active: true})
	encode := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	const (
		empty   = "Invalid basic header. No credentials provided."
		spaces  = "Invalid basic header. Credentials string should not contain spaces."
		garbled = "Invalid basic header. Credentials not correctly base64 encoded."
		wrong   = "Invalid username/password."
		none    = "Authentication credentials were not provided."
	)
	good := encode("alice:pw") // YWxpY2U6cHc=
	rows := map[string]struct{ header, want string }{
		"good":                        {"Basic " + good, "alice"},
		"lower case":                  {"basic " + good, "alice"},
		"mixed case":                  {"bAsIc " + good, "alice"},
		"several blanks":              {"Basic \t  " + good + " \t", "alice"},
		"leading blanks":              {"  \tBasic " + good, "alice"},
		"scheme alone":                {"Basic", empty},
		"scheme and a blank":          {"Basic ", empty},
		"two words":                   {"Basic a b", spaces},
		"bad length":                  {"Basic foo", garbled},
		"no alphabet":                 {"Basic !!!!", garbled},
		"no colon":                    {"Basic " + encode("alice"), garbled},
		"missing padding":             {"Basic " + strings.TrimRight(good, "="), garbled},
		"high bytes":                  {"Basic \x80\x81\xff", garbled},
		"padding around":              {"Basic =a=", garbled},
		"foreign bytes within":        {"Basic YWxp!Y2U6cHc=", "alice"},
		"url-safe bytes are dropped":  {"Basic YWxp-Y2U6_cHc=", "alice"},
		"after the padding":           {"Basic " + good + "garbage", "alice"},
		"surplus padding":             {"Basic " + good + "===", "alice"},
		"trailing bits":               {"Basic YWxpY2U6cHd=", "alice"},
		"wrong password":              {"Basic " + encode("alice:wrong"), wrong},
		"unknown user":                {"Basic " + encode("nobody:pw"), wrong},
		"empty user":                  {"Basic " + encode(":pw"), wrong},
		"empty password":              {"Basic " + encode("alice:"), wrong},
		"case of the user":            {"Basic " + encode("Alice:pw"), wrong},
		"NUL in the user":             {"Basic " + encode("al\x00ice:pw"), wrong},
		"inactive":                    {"Basic " + encode("gone:pw"), wrong},
		"UTF-8":                       {"Basic " + encode("jürgen:pä:ß"), "jürgen"},
		"Latin-1":                     {"Basic " + encode("j\xfcrgen:p\xe4:\xdf"), "jürgen"},
		"absent":                      {"", none},
		"empty":                       {" ", none},
		"another scheme":              {"Bearer " + good, none},
		"a scheme that begins so":     {"Basicx " + good, none},
		"a blank that is none":        {"Basic\u00a0" + good, none},
		"the user name is normalized": {"Basic " + encode("ju\u0308rgen:pä:ß"), "jürgen"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			request := "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
			if row.header != "" {
				request += "Authorization: " + row.header + "\r\n"
			}
			head, body, _ := strings.Cut(s.raw(request+"\r\n"), "\r\n\r\n")
			if !strings.Contains(row.want, " ") && !strings.Contains(row.want, "/") {
				if !strings.HasPrefix(head, "HTTP/1.1 200") || body != row.want {
					t.Errorf("%q was answered %q %q, want user %s", row.header, head, body, row.want)
				}
				return
			}
			if !strings.HasPrefix(head, "HTTP/1.1 401") || body != detail(row.want) ||
				!strings.Contains(head, "\r\nWww-Authenticate: Basic realm=\"api\"\r\n") {
				t.Errorf("%q was answered %q %q, want %s", row.header, head, body, row.want)
			}
		})
	}
}

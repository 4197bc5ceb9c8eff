// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"encoding/json"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func TestUnmarshalCaddyfile(t *testing.T) {
	tests := map[string]struct {
		guest interface {
			caddy.Module
			caddyfile.Unmarshaler
		}
		input string
		want  string // JSON, or nothing where it is an error
	}{
		"basic":              {new(Basic), "basic", `{}`},
		"basic, empty block": {new(Basic), "basic {\n}", `{}`},
		"basic, realm":       {new(Basic), "basic {\n realm \"my shop\"\n}", `{"realm":"my shop"}`},
		"basic, argument":    {new(Basic), "basic x", ""},
		"basic, no realm":    {new(Basic), "basic {\n realm\n}", ""},
		"basic, empty realm": {new(Basic), "basic {\n realm \"\"\n}", ""},
		"basic, two words":   {new(Basic), "basic {\n realm a b\n}", ""},
		"basic, twice":       {new(Basic), "basic {\n realm a\n realm b\n}", ""},
		"basic, unknown":     {new(Basic), "basic {\n relm a\n}", ""},
		"basic, htpasswd":    {new(Basic), "basic {\n htpasswd file\n}", `{"htpasswd":"file"}`},
		"basic, no htpasswd": {new(Basic), "basic {\n htpasswd\n}", ""},
		"basic, two files":   {new(Basic), "basic {\n htpasswd a b\n}", ""},
		"basic, two lines":   {new(Basic), "basic {\n htpasswd a\n htpasswd b\n}", ""},
		"provider, quoted word": {
			new(Provider), "provider http_basic {\n \"json\" $x\n \"errors\" $y\n}",
			`{"providers":{"http_basic":{"hash":{"algorithm":"bcrypt"},"accounts":[{"username":"json","password":"$x"},{"username":"errors","password":"$y"}],"hash_cache":{}}}}`,
		},
		"token":                 {new(Token), "token", `{}`},
		"token, keyword":        {new(Token), "token Bearer", `{"keyword":"Bearer"}`},
		"token, kinds":          {new(Token), "token {\n kinds knox durin\n}", `{"kinds":["knox","durin"]}`},
		"token, kinds in lines": {new(Token), "token Bearer {\n kinds knox\n kinds durin\n}", `{"keyword":"Bearer","kinds":["knox","durin"]}`},
		"token, empty keyword":  {new(Token), `token ""`, ""},
		"token, two keywords":   {new(Token), "token a b", ""},
		"token, no kinds":       {new(Token), "token {\n kinds\n}", ""},
		"token, unknown":        {new(Token), "token {\n header X-Token\n}", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := test.guest.UnmarshalCaddyfile(caddyfile.NewTestDispenser(test.input))
			if test.want == "" {
				if err == nil {
					t.Errorf("%q is no error", test.input)
				}
				return
			}
			got, _ := json.Marshal(test.guest)
			if err != nil || string(got) != test.want {
				t.Errorf("%q = %s, %v, want %s", test.input, got, err, test.want)
			}
		})
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"encoding/json"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// FuzzParseCaddyfile holds that no tokens panic, and that what is accepted is a
// JSON object with the inline key.
func FuzzParseCaddyfile(f *testing.F) {
	for _, seed := range []string{
		"staff", "user alice bob", "any authenticated read_only", "not group suspended {\nmessage m\n}",
		"any {\nauthenticated\nall {\nread_only\nscope books.read\n}\nuser alice\n}",
		"staff {\nmessage \"Staff only.\"\nbody `{\"a\":[1,null]}`\n}", "method_scopes {\nGET a|b c\n}",
		"match {\npath /x\nmessage m\n}", "match `path('/x')`", "not {\nnot any staff {\ncode c\n}\n}",
		"staff { }", "any {", "not match }", "} {", "read_write_scope {\nread_scope r\n}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input string) {
		tokens, err := caddyfile.Tokenize([]byte(input), "Caddyfile")
		if err != nil {
			return
		}
		d := caddyfile.NewDispenser(tokens)
		d.Next()
		raw, err := ParseCaddyfile(d)
		if err != nil {
			return
		}
		var object struct {
			Permission string `json:"permission"`
		}
		if err := json.Unmarshal(raw, &object); err != nil || object.Permission == "" {
			t.Errorf("%q = %s: %v", input, raw, err)
		}
	})
}

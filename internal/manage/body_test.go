// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"
)

// FuzzDecode holds bodies to what was promised: one object, names once and as
// they are spelt, text as it was sent; and refusals to 400 with a text.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"name":"a","staff":true,"groups":["b"]}`, `{"name":"a","NAME":"b"}`, `{"name":null}`, `[]`, `{"name":"\xff"}`,
		`{"name":"a"} {}`, `{"name":{"name":"a"}}`, `{"na\u006de":"a","name":"b"}`, `{"password":"\ud800"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var in NewUser
		if err := decode(raw, &in); err != nil {
			refusal := (*Error)(nil)
			if !errors.As(err, &refusal) || refusal.Status != 400 || refusal.Text == "" {
				t.Fatalf("decode(%q) = %v", raw, err)
			}
			return
		}
		if !utf8.Valid(raw) || !json.Valid(bytes.TrimSpace(raw)) {
			t.Fatalf("decode(%q) took what is no JSON", raw)
		}
		var exact map[string]json.RawMessage
		if err := json.Unmarshal(raw, &exact); err != nil {
			t.Fatalf("decode(%q) took what is no object: %v", raw, err)
		}
		var name string
		if json.Unmarshal(exact["name"], &name) == nil && name != in.Name {
			t.Fatalf("decode(%q): name = %q, want %q", raw, in.Name, name)
		}
	})
}

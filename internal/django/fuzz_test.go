// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// FuzzRead looks for panics, for dumps that are read in another way when they
// arrive byte by byte, and for names that must not pass.
func FuzzRead(f *testing.F) {
	for _, text := range []string{byKeys, naturalKeys, byKeys[:300], `[{"fields": {"a": "\ud83d\udcda"}, "model": "auth.user"}]`, "\xff\xfe", "<", "[]", "[" + outstandingRow(1, "1", "a", jwt(`{"token_type":"sliding","refresh_exp":1e9}`), later) + "," + blacklistedRow(1, 1) + "]"} {
		f.Add(text)
	}
	o := options(f)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Read(t.Context(), strings.NewReader(text), o)
		slow, slowErr := Read(t.Context(), iotest.OneByteReader(strings.NewReader(text)), o)
		if (err == nil) != (slowErr == nil) || err != nil && err.Error() != slowErr.Error() {
			t.Fatalf("at once: %v; byte by byte: %v", err, slowErr)
		}
		if err != nil {
			if !errors.As(err, new(*BadDumpError)) {
				t.Fatalf("Read: %v", err)
			}
			return
		}
		defer d.Close()
		defer slow.Close()
		if d.Rows != slow.Rows || d.Users != slow.Users || d.Tokens != slow.Tokens || d.Groups != slow.Groups {
			t.Errorf("at once %+v, byte by byte %+v", d, slow)
		}
		err = d.EachUser(func(u User) error {
			if u.Name == "" || !utf8.ValidString(u.Name) || strings.ContainsAny(u.Name, "\x00\r\n") || !d.HasName(u.Name) {
				t.Errorf("a user has the name %q", u.Name)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// FuzzScanner compares with encoding/json what is JSON, but for the depth and for
// the numbers that only Python writes.
func FuzzScanner(f *testing.F) {
	for _, text := range []string{`{"a": [1, "\u00e4\n", null, true], "b": {}}`, `"\ud800"`, `[1,]`, `{"a":1,}`, "-0.1e+3", "01", "tru", "[", `"\`, "NaN"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > maxLiteral || strings.ContainsAny(text, "NI\\") || !utf8.ValidString(text) {
			t.Skip()
		}
		s := newScanner(strings.NewReader(text))
		err := s.skip()
		if err == nil {
			if _, err = s.peek(); err == nil {
				err = errTrailing
			} else {
				err = nil
			}
		}
		if valid := json.Valid([]byte(text)); valid != (err == nil) {
			t.Errorf("%q: %v, and encoding/json says it is valid: %v", text, err, valid)
		}
	})
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package auth_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

func TestCredentials(t *testing.T) {
	const empty, spaces = "Invalid token header. No credentials provided.", "Invalid token header. Credentials string should not contain spaces."
	tests := map[string]struct {
		lines  []string
		want   string
		detail string
		err    error
	}{
		"plain":                     {lines: []string{"Token k"}, want: "k"},
		"lower case":                {lines: []string{"token k"}, want: "k"},
		"mixed case":                {lines: []string{"tOkEn k"}, want: "k"},
		"double space":              {lines: []string{"Token  k"}, want: "k"},
		"tab":                       {lines: []string{"Token\tk"}, want: "k"},
		"vertical tab":              {lines: []string{"Token\vk"}, want: "k"},
		"form feed":                 {lines: []string{"Token\fk"}, want: "k"},
		"blanks around":             {lines: []string{" \tToken k \t"}, want: "k"},
		"no-break space inside":     {lines: []string{"Token a\u00a0b"}, want: "a\u00a0b"},
		"next line inside":          {lines: []string{"Token a\u0085b"}, want: "a\u0085b"},
		"em space inside":           {lines: []string{"Token a\u2003b"}, want: "a\u2003b"},
		"invalid UTF-8":             {lines: []string{"Token \xff\xfe"}, want: "\xff\xfe"},
		"NUL":                       {lines: []string{"Token a\x00b"}, want: "a\x00b"},
		"absent":                    {err: auth.ErrNoCredentials},
		"empty":                     {lines: []string{""}, err: auth.ErrNoCredentials},
		"blank":                     {lines: []string{" \t "}, err: auth.ErrNoCredentials},
		"other scheme":              {lines: []string{"Bearer k"}, err: auth.ErrNoCredentials},
		"colon":                     {lines: []string{"Token: k"}, err: auth.ErrNoCredentials},
		"equals sign":               {lines: []string{"Token=k"}, err: auth.ErrNoCredentials},
		"longer word":               {lines: []string{"Tokenx k"}, err: auth.ErrNoCredentials},
		"no-break space after word": {lines: []string{"Token\u00a0k"}, err: auth.ErrNoCredentials},
		"kelvin sign":               {lines: []string{"To\u212aen k"}, err: auth.ErrNoCredentials},
		"nothing after":             {lines: []string{"Token"}, detail: empty, err: auth.ErrEmptyCredentials},
		"blank after":               {lines: []string{"Token "}, detail: empty, err: auth.ErrEmptyCredentials},
		"two words":                 {lines: []string{"Token a b"}, detail: spaces, err: auth.ErrSpaces},
		"three words":               {lines: []string{"Token a b c"}, detail: spaces, err: auth.ErrSpaces},
		"two lines": {
			lines:  []string{"Token a", "Token a"},
			detail: "Invalid authorization header. More than one was sent.", err: auth.ErrAmbiguous,
		},
		"two lines, other scheme": {
			lines:  []string{"Bearer a", ""},
			detail: "Invalid authorization header. More than one was sent.", err: auth.ErrAmbiguous,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := auth.Credentials(request(test.lines...), "Token")
			if got != test.want || !errors.Is(err, test.err) {
				t.Fatalf("Credentials(%q) = %q, %v, want %q, %v", test.lines, got, err, test.want, test.err)
			}
			failure, _ := errors.AsType[*auth.Failure](err)
			if (failure != nil) != (test.detail != "") || failure != nil && failure.Detail != test.detail {
				t.Errorf("Credentials(%q) failed with %v, want the text %q", test.lines, err, test.detail)
			}
		})
	}
}

// FuzzCredentials compares with the definition of a word that bytes.split has
// in Python, and looks for credentials that were not in the header.
func FuzzCredentials(f *testing.F) {
	for _, line := range []string{"", "Token", "Token k", " token\tk ", "Token a b", "To\u212aen k", "Token\u00a0k", "Token \xff", "Token \x00", "\x00"} {
		f.Add(line, "Token")
	}
	f.Add("\u212a x", "k")
	f.Fuzz(func(t *testing.T, line, scheme string) {
		got, err := auth.Credentials(request(line), scheme)
		words := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\n\v\f\r", r) })
		ours := len(words) > 0 && lower(words[0]) == lower(scheme) || len(words) == 0 && scheme == ""
		switch {
		case !ours:
			if !errors.Is(err, auth.ErrNoCredentials) || got != "" {
				t.Errorf("Credentials(%q, %q) = %q, %v, want ErrNoCredentials", line, scheme, got, err)
			}
		case len(words) == 2:
			if err != nil || got != words[1] {
				t.Errorf("Credentials(%q, %q) = %q, %v, want %q", line, scheme, got, err, words[1])
			}
		default:
			if failure, ok := errors.AsType[*auth.Failure](err); !ok || failure.Detail == "" || got != "" {
				t.Errorf("Credentials(%q, %q) = %q, %v, want a Failure", line, scheme, got, err)
			}
		}
	})
}

// lower folds ASCII alone.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func request(authorization ...string) *http.Request {
	r := &http.Request{Header: http.Header{}}
	if len(authorization) > 0 {
		r.Header["Authorization"] = slices.Clone(authorization)
	}
	return r
}

// BenchmarkCredentials is what every authenticator of an Authorization scheme
// costs on every request, before anything is looked up.
func BenchmarkCredentials(b *testing.B) {
	for name, line := range map[string]string{"ours": "Token 9944b09199c62bcf9418ad846dd0e4bb", "another": "Bearer 9944b09199c62bcf9418ad846dd0e4bb"} {
		b.Run(name, func(b *testing.B) {
			r := request(line)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = auth.Credentials(r, "Token")
			}
		})
	}
}

// TestCredentialsLong has words of every length, since long ones are passed
// over by eights, with every byte at their end.
func TestCredentialsLong(t *testing.T) {
	for length := range 26 {
		for c := range 256 {
			word := strings.Repeat("\u00a0x~", 9)[:length]
			end := string([]byte{byte(c)})
			got, err := auth.Credentials(request("Token  "+word+end+"tail"), "Token")
			blank := strings.Contains(" \t\n\v\f\r", end)
			if want := word + end + "tail"; !blank && (got != want || err != nil) {
				t.Fatalf("%q: got %q, %v", want, got, err)
			}
			if blank && length == 0 && got != "tail" || blank && length > 0 && !errors.Is(err, auth.ErrSpaces) {
				t.Fatalf("%q, %q: got %q, %v", word, end, got, err)
			}
		}
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMask_lines(t *testing.T) {
	basic := base64.StdEncoding.EncodeToString([]byte("alice:secret"))
	header := http.Header{
		"Authorization": {"Token secret", "secret more", "secret", "Bearer", "DPoP  x"},
		"Cookie":        {"sessionid=secret; other=1"},
		"X-Api-Key":     {"secret"},
		"Accept":        {"text/html"},
		"User-Agent":    {"agent with secret"},
	}
	header["Proxy-Authorization"] = []string{"basic " + basic}
	want := []headerLine{
		{"Accept", "text/html"},
		{"Authorization", "Token *** (6 bytes)"},
		{"Authorization", "*** (11 bytes)"},
		{"Authorization", "*** (6 bytes)"},
		{"Authorization", "Bearer"},
		{"Authorization", "DPoP *** (2 bytes)"},
		{"Cookie", "*** (25 bytes)"},
		{"Proxy-Authorization", "basic *** (16 bytes)"},
		{"User-Agent", "agent with ***"},
		{"X-Api-Key", "*** (6 bytes)"},
	}
	if diff := cmp.Diff(want, newMask(header, new(url.URL)).lines(header)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestMask_text(t *testing.T) {
	basic := base64.StdEncoding.EncodeToString([]byte("mallory:hunter22"))
	m := newMask(http.Header{
		"Authorization": {"Basic " + basic},
		"Cookie":        {`sessionid="0123456789"; theme=dark1`},
		"X-Signature":   {"keyid=app-one,sig=abcdef"},
	}, new(url.URL))
	for text, want := range map[string]string{
		"no user mallory with hunter22":   "no user *** with ***",
		"token " + basic:                  "token ***",
		"session 0123456789 has ended":    "session *** has ended",
		"signature abcdef of sessionid":   "signature *** of sessionid",
		"a Basic challenge":               "a Basic challenge",
		"all of keyid=app-one,sig=abcdef": "all of ***",
	} {
		if got := m.text(text); got != want {
			t.Errorf("text(%q) = %q, want %q", text, got, want)
		}
	}
}

// FuzzMask looks for what is left of a credential, whatever it is, in what is
// shown of the header and of a text that repeats it.
func FuzzMask(f *testing.F) {
	for _, seed := range []string{"secret", "Token secret", "Basic YWxpY2U6c2VjcmV0", "a=b; c=secret,\"d\"", "Bearer Bearer", "=", "  "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		value = strings.Trim(value, " \t")
		header := http.Header{"Authorization": {value}, "Cookie": {value}, "X-Key": {value}}
		m := newMask(header, new(url.URL))
		for _, line := range m.lines(header) {
			shown, _, _ := strings.Cut(line.Value, "***")
			if shown = strings.TrimSpace(shown); shown != "" && !isShownScheme(shown) {
				t.Errorf("%q is shown as %q", value, line.Value)
			}
		}
		// Stars are what is put in a secret's place.
		if len(value) < minSecret || isShownScheme(value) || strings.Contains(value, "*") {
			return
		}
		if text := m.text("because of " + value + " it failed"); strings.Contains(text, value) {
			t.Errorf("%q is left in %q", value, text)
		}
	})
}

// TestMask_url has a query where it may turn up: as it is, read, and within a
// link.
func TestMask_url(t *testing.T) {
	u, err := url.Parse("https://x/a/cra_secret/b?token=a%2Fb+cdef&plain&x=y")
	if err != nil {
		t.Fatal(err)
	}
	m := newMask(nil, u)
	if got, want := m.url(u), "https://x/a/*** (10 bytes)/b?***"; got != want {
		t.Errorf("url = %s, want %s", got, want)
	}
	for text, want := range map[string]string{
		"/login?next=%2Fa%2Fcra_secret%2Fb%3Ftoken%3Da%252Fb%2Bcdef": "/login?next=%2Fa%2F***%2Fb%3Ftoken%3D***",
		"/login?token=a%2Fb+cdef":                                    "/login?token=***",
		"a/b cdef is no token; plain is none; y":                     "*** is no token; *** is none; y",
	} {
		if got := m.text(text); got != want {
			t.Errorf("text(%q) = %q, want %q", text, got, want)
		}
	}
}

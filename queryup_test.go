// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"net/http"
	"net/url"
	"testing"
)

func TestWithoutParameters(t *testing.T) {
	names := []string{"access_token", "t"}
	for query, want := range map[string]string{
		"":                            "",
		"a=1":                         "a=1",
		"access_token=x":              "",
		"access_token":                "",
		"t=1&t=2&t":                   "",
		"a=%20+&access_token=x&b&&=c": "a=%20+&b&&=c",
		"%61ccess%5Ftoken=x&a":        "a",
		"Access_Token=x":              "Access_Token=x",
		"access_token%=x":             "access_token%=x",
		"xt=1&tt=2":                   "xt=1&tt=2",
	} {
		if got := withoutParameters(query, names); got != want {
			t.Errorf("withoutParameters(%q) = %q, want %q", query, got, want)
		}
	}
}

// FuzzWithoutParameters compares with what net/url reads: the parameters are
// gone, and all others are as they were.
func FuzzWithoutParameters(f *testing.F) {
	for _, seed := range []string{"a=1&t=2", "%74=1", "t;a=1", "&&t&", "t=%zz&a=%zz"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		before, _ := url.ParseQuery(query)
		after, _ := url.ParseQuery(withoutParameters(query, []string{"t"}))
		if after.Has("t") {
			t.Fatalf("%q still has it", query)
		}
		before.Del("t")
		if before.Encode() != after.Encode() {
			t.Fatalf("%q: %v, want %v", query, after, before)
		}
	})
}

func TestStripQuery_nothing(t *testing.T) {
	r, err := http.NewRequest(http.MethodGet, "http://a/b?", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.RequestURI = "/b?"
	stripQuery(r, []string{"t"})
	if r.RequestURI != "/b?" {
		t.Errorf("a request without the parameter was changed to %s", r.RequestURI)
	}
}

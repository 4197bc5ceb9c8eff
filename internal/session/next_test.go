// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"net/url"
	"strings"
	"testing"
)

// openRedirects are ways off a site that others have fallen for.
var openRedirects = []string{
	"", " ", "/.//.", "/a/..//x/..", "//evil.example", "///evil.example", "////evil.example", "//evil.example/..", "/\\evil.example", "\\\\evil.example", "\\/evil.example",
	"/\\/evil.example", "/\t/evil.example", "\t//evil.example", "/\n/evil.example", "/\r\nLocation: https://evil.example", "\r\n//evil.example",
	"http://evil.example", "https://evil.example", "https:evil.example", "https:/evil.example", "https:///evil.example", "http:\\\\evil.example",
	"HTTPS://evil.example", "ftp://evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x",
	"@evil.example", "evil.example", "www.evil.example/x", ".evil.example", "user@evil.example", "//user@evil.example", "//evil.example@127.0.0.1",
	"http://127.0.0.1@evil.example", "http://127.0.0.1:80#@evil.example/", "?next=//evil.example", "#//evil.example", "x/y",
	"/./\\evil.example", "/.//evil.example", "/..//evil.example", "/x/..//evil.example", "/%2e//evil.example", "/x/%2e%2e//evil.example",
	"/%2fevil.example", "/%5cevil.example", "/ /evil.example", "/\x00/evil.example", "/\x7f/evil.example", "/\x0b/evil.example",
	"\u2028//evil.example", "\u00a0//evil.example", "\ufeff//evil.example", "／／evil.example", "/%zz", "/a b", "/a\\b", "/\x1f", "http:///evil.example",
	"http://[::1", "//[::1]/", "/" + strings.Repeat("x", maxNext),
}

// waysOn are what people may come back to.
var waysOn = map[string]string{
	"/":                             "/",
	"/wiki/":                        "/wiki/",
	"/wiki?page=1&b=2#part":         "/wiki?page=1&b=2#part",
	"/a/b//c":                       "/a/b//c",
	"/a//b":                         "/a//b",
	"/proxy/https://www.example/":   "/proxy/https://www.example/",
	"/?next=//evil.example":         "/?next=//evil.example",
	"/#//evil.example":              "/#//evil.example",
	"/@evil.example":                "/@evil.example",
	"/:80":                          "/:80",
	"/a/../b":                       "/a/../b",
	"/%0d%0aLocation:%20x":          "/%0d%0aLocation:%20x",
	"/größe":                        "/gr%C3%B6%C3%9Fe",
	"/\u2028":                       "/%E2%80%A8",
	"/\xff":                         "/%FF",
	`/"><script>`:                   "/%22%3E%3Cscript%3E",
	"/a:b;c=d,e":                    "/a:b;c=d,e",
	"/" + strings.Repeat("x", 1999): "/" + strings.Repeat("x", 1999),
}

func TestSafeNext(t *testing.T) {
	for _, next := range openRedirects {
		if got := SafeNext(next); got != "" {
			t.Errorf("SafeNext(%q) = %q", next, got)
		}
	}
	for next, want := range waysOn {
		if got := SafeNext(next); got != want {
			t.Errorf("SafeNext(%q) = %q, want %q", next, got, want)
		}
		if again := SafeNext(want); again != want {
			t.Errorf("SafeNext(%q) = %q: not as it was", want, again)
		}
	}
}

func FuzzSafeNext(f *testing.F) {
	for _, next := range openRedirects {
		f.Add(next)
	}
	for next := range waysOn {
		f.Add(next)
	}
	f.Fuzz(func(t *testing.T, next string) {
		got := SafeNext(next)
		if got == "" {
			return
		}
		for i := range len(got) {
			if got[i] <= ' ' || got[i] >= 0x7f || got[i] == '\\' {
				t.Fatalf("SafeNext(%q) = %q, with %q", next, got, got[i])
			}
		}
		base := &url.URL{Scheme: "https", Host: "www.example.com", Path: "/auth/login/"}
		to, err := base.Parse(got)
		if err != nil || to.Scheme != base.Scheme || to.Host != base.Host || to.User != nil || strings.HasPrefix(to.Path, "//") {
			t.Fatalf("SafeNext(%q) = %q, which leads to %v (%v)", next, got, to, err)
		}
		if SafeNext(got) != got && len(got) <= maxNext {
			t.Fatalf("SafeNext(%q) = %q, and then %q", next, got, SafeNext(got))
		}
	})
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package cookie

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func plainCookie() Cookie {
	return Cookie{Name: "sessionid", Path: "/", SameSite: "Lax", Secure: SecureAuto, HTTPOnly: true}
}

func TestCookie_Check(t *testing.T) {
	tests := map[string]struct {
		change func(*Cookie)
		ok     bool
	}{
		"Django's":              {func(*Cookie) {}, true},
		"host prefix":           {func(c *Cookie) { c.Name = "__Host-sessionid" }, true},
		"secure prefix, domain": {func(c *Cookie) { c.Name, c.Domain = "__Secure-sessionid", "example.com" }, true},
		"strict, below a path":  {func(c *Cookie) { c.SameSite, c.Path = "Strict", "/app/" }, true},
		"none":                  {func(c *Cookie) { c.SameSite = "None" }, true},
		"no name":               {func(c *Cookie) { c.Name = "" }, false},
		"name with a blank":     {func(c *Cookie) { c.Name = "a b" }, false},
		"name with a semicolon": {func(c *Cookie) { c.Name = "a;b" }, false},
		"no path":               {func(c *Cookie) { c.Path = "" }, false},
		"relative path":         {func(c *Cookie) { c.Path = "app" }, false},
		"path that ends early":  {func(c *Cookie) { c.Path = "/;Domain=example.com" }, false},
		"domain with a dot":     {func(c *Cookie) { c.Domain = ".example.com" }, true},
		"domain of a URL":       {func(c *Cookie) { c.Domain = "https://example.com" }, false},
		"domain with a port":    {func(c *Cookie) { c.Domain = "example.com:8080" }, false},
		"domain of all below":   {func(c *Cookie) { c.Domain = "*.example.com" }, false},
		"domain of two":         {func(c *Cookie) { c.Domain = "a.com,b.com" }, false},
		"domain with a line":    {func(c *Cookie) { c.Domain = "a.com\r\nX: y" }, false},
		"lower case":            {func(c *Cookie) { c.SameSite = "lax" }, false},
		"secure sometimes":      {func(c *Cookie) { c.Secure = "maybe" }, false},
		"none, not secure":      {func(c *Cookie) { c.SameSite, c.Secure = "None", SecureOff }, false},
		"host, not secure":      {func(c *Cookie) { c.Name, c.Secure = "__Host-a", SecureOff }, false},
		"host, with a domain":   {func(c *Cookie) { c.Name, c.Domain = "__Host-a", "example.com" }, false},
		"host, below a path":    {func(c *Cookie) { c.Name, c.Path = "__Host-a", "/a" }, false},
	}
	for name, test := range tests {
		c := plainCookie()
		test.change(&c)
		if err := c.Check(); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// request returns one that came in as Caddy sees it.
func request(secure, trusted bool, proto ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r = r.WithContext(context.WithValue(r.Context(), caddyhttp.VarsCtxKey, map[string]any{caddyhttp.TrustedProxyVarKey: trusted}))
	if secure {
		r.TLS = new(tls.ConnectionState)
	}
	if proto != nil {
		r.Header["X-Forwarded-Proto"] = proto
	}
	return r
}

func TestHTTPS(t *testing.T) {
	tests := map[string]struct {
		r    *http.Request
		want bool
	}{
		"plain":                        {request(false, false), false},
		"TLS":                          {request(true, false), true},
		"TLS, and said not to be":      {request(true, true, "http"), true},
		"said by a stranger":           {request(false, false, "https"), false},
		"said by a trusted proxy":      {request(false, true, "https"), true},
		"in upper case":                {request(false, true, " HTTPS "), true},
		"first of two proxies":         {request(false, true, "https, http"), true},
		"second of two proxies":        {request(false, true, "http, https"), false},
		"on two lines":                 {request(false, true, "https", "https"), false},
		"not said by a trusted proxy":  {request(false, true), false},
		"said otherwise":               {request(false, true, "http"), false},
		"said to be something like it": {request(false, true, "httpss"), false},
		"without Caddy":                {httptest.NewRequest(http.MethodGet, "/", nil), false},
	}
	for name, test := range tests {
		if got := HTTPS(test.r); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestCookie_Set(t *testing.T) {
	tests := map[string]struct {
		change func(*Cookie)
		r      *http.Request
		age    time.Duration
		want   string
	}{
		"until it closes":   {func(*Cookie) {}, request(false, false), 0, "sessionid=v; Path=/; HttpOnly; SameSite=Lax"},
		"TLS":               {func(*Cookie) {}, request(true, false), 0, "sessionid=v; Path=/; HttpOnly; Secure; SameSite=Lax"},
		"off":               {func(c *Cookie) { c.Secure = SecureOff }, request(true, false), 0, "sessionid=v; Path=/; HttpOnly; SameSite=Lax"},
		"on":                {func(c *Cookie) { c.Secure = SecureOn }, request(false, false), 0, "sessionid=v; Path=/; HttpOnly; Secure; SameSite=Lax"},
		"prefix":            {func(c *Cookie) { c.Name = "__Host-s" }, request(false, false), 0, "__Host-s=v; Path=/; HttpOnly; Secure; SameSite=Lax"},
		"none is secure":    {func(c *Cookie) { c.SameSite = "None" }, request(false, false), 0, "sessionid=v; Path=/; HttpOnly; Secure; SameSite=None"},
		"domain, scripts":   {func(c *Cookie) { c.Domain, c.HTTPOnly = ".example.com", false }, request(false, false), 0, "sessionid=v; Path=/; Domain=example.com; SameSite=Lax"},
		"strict, path":      {func(c *Cookie) { c.SameSite, c.Path = "Strict", "/a/" }, request(false, false), 0, "sessionid=v; Path=/a/; HttpOnly; SameSite=Strict"},
		"age, with its end": {func(*Cookie) {}, request(false, false), 1209600 * time.Second, "sessionid=v; Path=/; Expires=…; Max-Age=1209600; HttpOnly; SameSite=Lax"},
	}
	for name, test := range tests {
		c := plainCookie()
		test.change(&c)
		w := httptest.NewRecorder()
		w.Header()["Set-Cookie"] = []string{"other=x", c.Name + "=before", c.Name + "2=y"}
		c.Set(w, test.r, "v", test.age)
		lines := w.Header()["Set-Cookie"]
		if len(lines) != 3 || lines[0] != "other=x" || lines[1] != c.Name+"2=y" {
			t.Fatalf("%s: %q", name, lines)
		}
		got := lines[2]
		if before, rest, ok := strings.Cut(got, "Expires="); ok {
			_, rest, _ = strings.Cut(rest, ";")
			got = before + "Expires=…;" + rest
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	c, w := plainCookie(), httptest.NewRecorder()
	c.Clear(w, request(false, false))
	if got, want := w.Header().Get("Set-Cookie"), "sessionid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; SameSite=Lax"; got != want {
		t.Errorf("Clear: %q, want %q", got, want)
	}
}

func TestValues(t *testing.T) {
	tests := map[string]struct {
		lines []string
		want  []string
	}{
		"none":              {nil, nil},
		"another":           {[]string{"a=b"}, nil},
		"one":               {[]string{"s=v"}, []string{"v"}},
		"among others":      {[]string{"a=b; s=v; c=d"}, []string{"v"}},
		"without blanks":    {[]string{"a=b;s=v;c=d"}, []string{"v"}},
		"with more blanks":  {[]string{" \ts = v\t ; "}, []string{"v"}},
		"several":           {[]string{"s=1; s=2", "s=3"}, []string{"1", "2", "3"}},
		"quoted":            {[]string{`s="v"; s=""; s="`}, []string{"v", "", `"`}},
		"equals signs":      {[]string{"s=a=b==; =s=x; ==s"}, []string{"a=b=="}},
		"empty":             {[]string{"s="}, []string{""}},
		"no value":          {[]string{"s; s;;;=;"}, nil},
		"other letter case": {[]string{"S=v"}, nil},
		"longer names":      {[]string{"ss=v; s2=v; xs=v"}, nil},
		"no-break space":    {[]string{"\u00a0s=v"}, nil},
		"bytes":             {[]string{"s=\xff\x00"}, []string{"\xff\x00"}},
	}
	for name, test := range tests {
		r := &http.Request{Header: http.Header{"Cookie": test.lines}}
		if got := slices.Collect(Values(r, "s")); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
		last, ok := Last(r, "s")
		if ok != (len(test.want) > 0) || ok && last != test.want[len(test.want)-1] {
			t.Errorf("%s: Last = %q, %v", name, last, ok)
		}
	}
}

// FuzzValues finds what net/http finds, and no bytes make it find more than
// there are.
func FuzzValues(f *testing.F) {
	for _, seed := range []string{"s=v", "a=b; s=v", `s="v"; s="`, "s=1;s=2", "=s;s==;;", "s = v", "\xff=\x00; s=\x7f"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r := &http.Request{Header: http.Header{"Cookie": {line}}}
		got := slices.Collect(Values(r, "s"))
		if len(got) > strings.Count(line, "=") {
			t.Errorf("%q has %q", line, got)
		}
		for _, value := range got {
			if !strings.Contains(line, value) || strings.Contains(value, ";") {
				t.Errorf("%q has %q", line, value)
			}
		}
		if strings.ContainsFunc(line, func(c rune) bool { return c <= ' ' && c != ' ' || c == '"' }) {
			return // net/http drops what is not as it should be
		}
		for _, c := range r.CookiesNamed("s") {
			if c.Value != "" && !slices.Contains(got, trim(c.Value)) {
				t.Errorf("%q has %q, and not %q", line, got, c.Value)
			}
		}
	})
}

func BenchmarkValues(b *testing.B) {
	r := &http.Request{Header: http.Header{"Cookie": {"csrftoken=" + strings.Repeat("a", 32) + "; sessionid=" + strings.Repeat("b", 32)}}}
	b.ReportAllocs()
	for b.Loop() {
		Last(r, "sessionid")
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package csrf

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/cookie"
)

var (
	aSecret = strings.Repeat("a", 32)
	other   = strings.Repeat("b", 32)
)

func options() Options {
	return Options{
		Cookie: cookie.Cookie{Name: "csrftoken", Path: "/", SameSite: "Lax", Secure: cookie.SecureAuto},
		Age:    time.Hour,
		Header: "X-CSRFToken",
	}
}

func newChecker(t testing.TB, change func(*Options)) *Checker {
	t.Helper()
	o := options()
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// post returns a request of a form with that cookie.
func post(value, kind, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://example.com/", strings.NewReader(body))
	r.Header.Set("Cookie", "csrftoken="+value)
	r.Header.Set("Content-Type", kind)
	return r
}

func TestNew(t *testing.T) {
	tests := map[string]func(*Options){
		"no name":               func(o *Options) { o.Cookie.Name = "" },
		"bad name":              func(o *Options) { o.Cookie.Name = "a b" },
		"no header":             func(o *Options) { o.Header = "" },
		"bad header":            func(o *Options) { o.Header = "X Y" },
		"no age":                func(o *Options) { o.Age = 0 },
		"origin without scheme": func(o *Options) { o.TrustedOrigins = []string{"example.com"} },
		"origin of a file":      func(o *Options) { o.TrustedOrigins = []string{"file://x"} },
		"origin with a path":    func(o *Options) { o.TrustedOrigins = []string{"https://example.com/"} },
		"origin with a user":    func(o *Options) { o.TrustedOrigins = []string{"https://a@example.com"} },
		"origin in upper case":  func(o *Options) { o.TrustedOrigins = []string{"https://Example.com"} },
		"origin with the port":  func(o *Options) { o.TrustedOrigins = []string{"https://example.com:443"} },
		"origin with an umlaut": func(o *Options) { o.TrustedOrigins = []string{"https://bücher.example"} },
		"everybody":             func(o *Options) { o.TrustedOrigins = []string{"*"} },
		"every host":            func(o *Options) { o.TrustedOrigins = []string{"https://*"} },
		"every host, dot":       func(o *Options) { o.TrustedOrigins = []string{"https://*."} },
		"wildcard in a word":    func(o *Options) { o.TrustedOrigins = []string{"https://*example.com"} },
		"wildcard inside":       func(o *Options) { o.TrustedOrigins = []string{"https://a.*.example.com"} },
		"host prefix, domain":   func(o *Options) { o.Cookie.Name, o.Cookie.Domain = "__Host-csrf", "example.com" },
	}
	for name, change := range tests {
		o := options()
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestChecker_Check(t *testing.T) {
	r := post(aSecret, "text/plain", "")
	c := newChecker(t, nil)
	err := c.Check(r)
	denial, ok := errors.AsType[*auth.Denial](err)
	if !ok || denial.Detail != "CSRF Failed: CSRF token missing." || denial.Code != Code || Reason(err) != "CSRF token missing." {
		t.Errorf("Check = %v", err)
	}
	if Reason(nil) != "" || Reason(&auth.Denial{Detail: "CSRF Failed: x"}) != "" {
		t.Error("Reason of another refusal")
	}
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "TRACE"} {
		r.Method = method
		if err := c.Check(r); err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
	for _, method := range []string{"get", "", "CONNECT", "QUERY"} {
		r.Method = method
		if c.Check(r) == nil {
			t.Errorf("%q needs no check", method)
		}
	}
}

func TestChecker_header(t *testing.T) {
	c := newChecker(t, func(o *Options) { o.Header = "x-xsrf_token-ID" })
	r := post(aSecret, "", "")
	r.Header.Set("x-xsrf_token-ID", other)
	if got := Reason(c.Check(r)); got != "CSRF token from the 'X-Xsrf_token-Id' HTTP header incorrect." {
		t.Errorf("reason %q", got)
	}
	r.Header.Set("x-xsrf_token-ID", aSecret)
	if err := c.Check(r); err != nil {
		t.Error(err)
	}
	r.Header.Add("x-xsrf_token-ID", aSecret)
	if c.Check(r) == nil {
		t.Error("two headers pass for one")
	}
}

// TestChecker_upgrade opens WebSockets, for which browsers ask nobody.
func TestChecker_upgrade(t *testing.T) {
	c := newChecker(t, func(o *Options) { o.TrustedOrigins = []string{"https://app.example.com"} })
	for origin, want := range map[string]string{
		"":                        "",
		"http://example.com":      "",
		"https://app.example.com": "",
		"http://evil.example":     "Origin checking failed - http://evil.example does not match any trusted origins.",
		"null":                    "Origin checking failed - null does not match any trusted origins.",
	} {
		r := post(aSecret, "", "")
		r.Method = http.MethodGet
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		if err := c.Check(r); err != nil {
			t.Errorf("a GET from %q: %v", origin, err)
		}
		for name, open := range map[string]func(r *http.Request){
			"HTTP/1": func(r *http.Request) { r.Header.Set("Upgrade", "websocket") },
			"HTTP/2": func(r *http.Request) {
				r.Method, r.ProtoMajor = http.MethodConnect, 2
				r.Header[":protocol"] = []string{"websocket"}
			},
			"HTTP/3": func(r *http.Request) { r.Method, r.ProtoMajor, r.Proto = http.MethodConnect, 3, "websocket" },
		} {
			asked := r.Clone(t.Context())
			open(asked)
			if got := Reason(c.Check(asked)); got != want {
				t.Errorf("a WebSocket over %s from %q: %q, want %q", name, origin, got, want)
			}
		}
		// What asks for something else as well is no less than that.
		r.Method = http.MethodPost
		r.Header.Set("Upgrade", "websocket")
		if c.Check(r) == nil {
			t.Errorf("a POST with Upgrade from %q passes", origin)
		}
	}
}

// TestChecker_origin has what a browser never sends and a proxy might make.
func TestChecker_origin(t *testing.T) {
	c := newChecker(t, func(o *Options) {
		o.TrustedOrigins = []string{"https://app.example.com", "https://*.example.org", "http://*.example.net:8000"}
	})
	tests := map[string]bool{
		"http://example.com":         true,
		"https://app.example.com":    true,
		"https://a.example.org":      true,
		"http://a.example.net:8000":  true,
		"http://a.example.net":       false,
		"HTTP://example.com":         false,
		"http://example.com/":        false,
		"http://example.com ":        false,
		"http://example.com:80":      false,
		"http://":                    false,
		"://":                        false,
		"https://.example.org":       true, // no browser has such a host; Django passes it too
		"https://evil@a.example.org": false,
		"https://evil/.example.org":  false,
		"https://evil#.example.org":  false,
		"https://evil\\.example.org": false,
		"https://evil%00example.org": false,
		"https://app.example.com.":   false,
		"https://xapp.example.com":   false,
	}
	for origin, want := range tests {
		r := post(aSecret, "", "")
		r.Header["Origin"] = []string{origin}
		r.Header.Set("X-CSRFToken", aSecret)
		if got := c.Check(r) == nil; got != want {
			t.Errorf("%q passes: %v, want %v", origin, got, want)
		}
	}
	r := post(aSecret, "", "")
	r.Header["Origin"] = []string{"http://example.com", "http://example.com"}
	r.Header.Set("X-CSRFToken", aSecret)
	if got := Reason(c.Check(r)); !strings.HasPrefix(got, "Origin checking failed - ") {
		t.Errorf("two origins: %q", got)
	}
	r.Host, r.Header["Origin"] = "", []string{"http://"}
	if c.Check(r) == nil {
		t.Error("no host is taken for an origin")
	}
}

// TestChecker_referer has the cookie's domain stand for the host.
func TestChecker_referer(t *testing.T) {
	c := newChecker(t, func(o *Options) { o.Cookie.Domain = ".example.com" })
	tests := map[[2]string]bool{
		{"api.example.com", "https://app.example.com/x"}:          true,
		{"api.example.com", "https://example.com"}:                true,
		{"api.example.com:443", "https://app.example.com"}:        true,
		{"api.example.com:8443", "https://app.example.com:8443/"}: true,
		{"api.example.com:8443", "https://app.example.com/"}:      false,
		{"[::1]", "https://app.example.com/"}:                     true,
		{"api.example.com", "https://evilexample.com/"}:           false,
		{"api.example.com", "https://evil/.example.com"}:          false,
		{"api.example.com", "https://evil?.example.com"}:          false,
		{"api.example.com", "https://evil#.example.com"}:          false,
		{"api.example.com", "https://evil\\.example.com"}:         false,
		{"api.example.com", "//app.example.com/"}:                 false,
	}
	for test, want := range tests {
		r := post(aSecret, "", "")
		r.TLS = new(tls.ConnectionState)
		r.Host = test[0]
		r.Header.Set("Referer", test[1])
		r.Header.Set("X-CSRFToken", aSecret)
		if got := c.Check(r) == nil; got != want {
			t.Errorf("%s from %q passes: %v, want %v", test[0], test[1], got, want)
		}
	}
}

// TestShown is what is repeated of what a client sent.
func TestShown(t *testing.T) {
	tests := map[string]string{
		"http://evil.example":          "http://evil.example",
		"a\x00b\x7f\u0085\u2028\xff":   "a\ufffdb\ufffd\ufffd\ufffd\ufffd",
		strings.Repeat("x", 200):       strings.Repeat("x", 200),
		strings.Repeat("x", 201):       strings.Repeat("x", 200) + "…",
		strings.Repeat("é", 4000):      strings.Repeat("é", 99) + "…",
		strings.Repeat("x", 199) + "é": strings.Repeat("x", 199) + "…",
	}
	for text, want := range tests {
		if got := shown(text); got != want {
			t.Errorf("shown(%.30q) = %q, want %q", text, got, want)
		}
	}
}

// TestChecker_body reads the body after the check, which is as it was however
// long it is and however it arrives.
func TestChecker_body(t *testing.T) {
	c := newChecker(t, nil)
	field := Field + "=" + aSecret
	long := func(n int) string { return "x=" + strings.Repeat("y", n-2) }
	part := "--xx\r\nContent-Disposition: form-data; name=\"" + Field + "\"\r\n\r\n" + aSecret + "\r\n--xx--\r\n"
	file := "--xx\r\nContent-Disposition: form-data; name=\"" + Field + "\"; filename=\"x\"\r\n\r\n" + aSecret + "\r\n--xx--\r\n"
	const form, parts = "application/x-www-form-urlencoded", "multipart/form-data; boundary=xx"
	tests := map[string]struct {
		kind, body string
		ok         bool
	}{
		"empty":                      {form, "", false},
		"field":                      {form, field, true},
		"field at the end":           {form, long(1000) + "&" + field, true},
		"field that just fits":       {form, long(MaxBody-len(field)-2) + "&" + field, true},
		"field up to the bound":      {form, long(MaxBody-len(field)-1) + "&" + field, false}, // it could go on
		"field before the bound":     {form, field + "&" + long(3*MaxBody), true},
		"field beyond the bound":     {form, long(MaxBody) + "&" + field, false},
		"field across the bound":     {form, long(MaxBody-10) + "&" + field, false},
		"bad escapes":                {form, "%zz=%&" + field, true},
		"semicolons":                 {form, "a=b;" + field, false},
		"no pairs":                   {form, "&&==&" + field + "&", true},
		"part":                       {parts, part, true},
		"part before a long one":     {parts, strings.TrimSuffix(part, "--\r\n") + "\r\n\r\n" + strings.Repeat("z", 2*MaxBody), true},
		"part after a long one":      {parts, "--xx\r\nContent-Disposition: form-data; name=a\r\n\r\n" + strings.Repeat("z", MaxBody) + "\r\n" + part, false},
		"part that is a file":        {parts, file, false},
		"part cut off":               {parts, part[:len(part)-12], false},
		"part without end":           {parts, part[:len(part)-8], false},
		"garbage":                    {parts, "--xx\r\n:\r\n\r\n--xx", false},
		"no boundary":                {"multipart/form-data", part, false},
		"long boundary":              {"multipart/form-data; boundary=" + strings.Repeat("x", 71), part, false},
		"other kind":                 {"text/plain", field, false},
		"no kind":                    {"", field, false},
		"malformed kind":             {"application/x-www-form-urlencoded; =", field, false},
		"kind in upper case":         {"Application/X-WWW-Form-Urlencoded", field, true},
		"part of another, no header": {parts, strings.ReplaceAll(part, Field, "x"), false},
	}
	for name, test := range tests {
		for reader, wrap := range map[string]func(io.Reader) io.Reader{
			"at once": func(r io.Reader) io.Reader { return r }, "bit by bit": iotest.HalfReader, "end with the data": iotest.DataErrReader,
		} {
			r := post(aSecret, test.kind, "")
			closed := &closing{Reader: wrap(strings.NewReader(test.body))}
			r.Body = closed
			if err := c.Check(r); (err == nil) != test.ok {
				t.Errorf("%s, %s: Check = %v", name, reader, err)
			}
			body, err := io.ReadAll(r.Body)
			if err != nil || string(body) != test.body {
				t.Errorf("%s, %s: the body is %d bytes, %v, and was %d", name, reader, len(body), err, len(test.body))
			}
			if r.Body.Close() != nil || !closed.closed {
				t.Errorf("%s, %s: closing does not close", name, reader)
			}
		}
	}
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

// TestChecker_brokenBody passes the error on to who reads the body, once what
// came before was read.
func TestChecker_brokenBody(t *testing.T) {
	c, broken := newChecker(t, nil), errors.New("broken")
	r := post(aSecret, "application/x-www-form-urlencoded", "")
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader(Field+"="+aSecret+"&a=b"), iotest.ErrReader(broken)))
	if err := c.Check(r); err != nil {
		t.Errorf("Check = %v, but the token is there", err)
	}
	body, err := io.ReadAll(r.Body)
	if !errors.Is(err, broken) || string(body) != Field+"="+aSecret+"&a=b" {
		t.Errorf("body %q, %v", body, err)
	}
}

// TestChecker_bound reads no more than the bound of a body that does not end.
func TestChecker_bound(t *testing.T) {
	c, read := newChecker(t, nil), 0
	r := post(aSecret, "application/x-www-form-urlencoded", "")
	r.Header.Set("X-CSRFToken", aSecret)
	r.Body = io.NopCloser(readerFunc(func(p []byte) (int, error) {
		read += len(p)
		return copy(p, bytes.Repeat([]byte("a"), len(p))), nil
	}))
	if err := c.Check(r); err != nil || read > MaxBody {
		t.Errorf("Check = %v after %d bytes", err, read)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestChecker_Token(t *testing.T) {
	c := newChecker(t, nil)
	for _, value := range []string{"", "short", strings.Repeat("_", 32), aSecret, mask(aSecret)} {
		r := httptest.NewRequest(http.MethodGet, "http://example.com/", nil)
		r.Header.Set("Cookie", "csrftoken="+value)
		w := httptest.NewRecorder()
		token, again := c.Token(w, r), c.Token(w, r)
		cookies := w.Result().Cookies()
		if len(cookies) != 1 || cookies[0].MaxAge != 3600 || cookies[0].HttpOnly || cookies[0].Secure {
			t.Fatalf("%q: cookies %v", value, cookies)
		}
		kept := cookies[0].Value
		if token == again || unmask(again) != kept {
			t.Errorf("%q: tokens %q and %q, cookie %q", value, token, again, kept)
		}
		if strings.HasPrefix(unmask(value), aSecret) != (kept == aSecret) {
			t.Errorf("%q is kept as %q", value, kept)
		}
	}
	w := httptest.NewRecorder()
	r := post(aSecret, "", "")
	token := c.Rotate(w, r)
	if kept := w.Result().Cookies()[0].Value; kept == aSecret || unmask(token) != kept {
		t.Errorf("Rotate = %q, cookie %q", token, kept)
	}
}

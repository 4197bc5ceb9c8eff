// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package csrf

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/cookie"
)

// FuzzCheck has bytes of a client's in all that the check reads. A request that
// passes has repeated the cookie's secret and is from nowhere else, a reason can
// be sent, and the body is as it was.
func FuzzCheck(f *testing.F) {
	form, parts := "application/x-www-form-urlencoded", "multipart/form-data; boundary=xx"
	part := "--xx\r\nContent-Disposition: form-data; name=\"" + Field + "\"\r\n\r\n" + aSecret + "\r\n--xx--\r\n"
	f.Add(true, "https://example.com", "https://example.com/", "csrftoken="+aSecret, aSecret, form, []byte(Field+"="+aSecret))
	f.Add(true, "", "https://example.com/", "a=b; csrftoken="+mask(aSecret), mask(aSecret), parts, []byte(part))
	f.Add(false, "null", "foo", "csrftoken=\"x\"", "", form+"; charset=utf-8", []byte("%63=%zz&&="))
	f.Add(false, "https://a.example.org", "", "csrftoken="+aSecret, "", form, []byte(Field+"="+other+"&"+Field+"=%61"+aSecret[1:]))
	f.Add(true, "", "https://[::1", ";;=;csrftoken", "\x00", "multipart/form-data; boundary=\"\"", []byte("--\r\n"))
	c := newChecker(f, func(o *Options) { o.TrustedOrigins = []string{"https://app.example.com", "https://*.example.org"} })
	f.Fuzz(func(t *testing.T, secure bool, origin, referer, cookies, header, kind string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "http://example.com/", bytes.NewReader(body))
		if secure {
			r.TLS = new(tls.ConnectionState)
		}
		for name, value := range map[string]string{"Origin": origin, "Referer": referer, "Cookie": cookies, "X-Csrftoken": header, "Content-Type": kind} {
			if value != "" {
				r.Header[name] = []string{value}
			}
		}
		err := c.Check(r)
		if after, readErr := io.ReadAll(r.Body); readErr != nil || !bytes.Equal(after, body) {
			t.Errorf("the body is %q, %v, and was %q", after, readErr, body)
		}
		if err != nil {
			reason := Reason(err)
			if reason == "" || len(reason) > 2*maxShown+100 || !utf8.ValidString(reason) || strings.ContainsFunc(reason, func(c rune) bool { return c < ' ' || c == 0x7f }) {
				t.Errorf("reason %q", reason)
			}
			return
		}
		value, ok := cookie.Last(r, "csrftoken")
		r.Body = io.NopCloser(bytes.NewReader(body))
		token := formToken(r)
		if token == "" {
			token = header
		}
		if !ok || malformed(value) != "" || malformed(token) != "" || unmask(token) != unmask(value) {
			t.Errorf("passes with cookie %q and token %q", value, token)
		}
		if own := "http://example.com"; origin != "" && origin != own && origin != "https://example.com" && origin != "https://app.example.com" && !strings.HasSuffix(origin, "example.org") {
			t.Errorf("passes from %q", origin)
		}
	})
}

func BenchmarkChecker_Check(b *testing.B) {
	c := newChecker(b, nil)
	r := post(aSecret, "application/json", "")
	r.Header.Set("Origin", "http://example.com")
	r.Header.Set("X-CSRFToken", mask(aSecret))
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Check(r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkChecker_form is what a form of 1 KiB costs, whose body is read.
func BenchmarkChecker_form(b *testing.B) {
	c := newChecker(b, nil)
	body := strings.Repeat("a=b&", 250) + Field + "=" + aSecret
	r := post(aSecret, "application/x-www-form-urlencoded", "")
	b.ReportAllocs()
	for b.Loop() {
		r.Body = io.NopCloser(strings.NewReader(body))
		if err := c.Check(r); err != nil {
			b.Fatal(err)
		}
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

type greeting struct{ Name string }

const hello = `{{define "hello"}}<p>Hello {{.Name}}</p>{{end}}{{define "bye"}}<p>Bye</p>{{end}}`

var samples = map[string]any{"hello": greeting{"Alice"}, "bye": nil}

func newSet(t *testing.T, own string) (*Set, error) {
	t.Helper()
	file := ""
	if own != "" {
		file = filepath.Join(t.TempDir(), "page.html")
		if err := os.WriteFile(file, []byte(own), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return New(hello, samples, "Site & Co", file)
}

func write(t *testing.T, s *Set, v View) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	if err := s.Write(w, v); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestSet_Write(t *testing.T) {
	s, err := newSet(t, "")
	if err != nil {
		t.Fatal(err)
	}
	w := write(t, s, View{Status: 403, Name: "hello", Title: "A <b>", Data: greeting{`<script>"x"`}})
	body := w.Body.String()
	if w.Code != 403 || !strings.HasPrefix(body, "<!DOCTYPE html>") || strings.Contains(body, "<script") ||
		!strings.Contains(body, "<h1>A &lt;b&gt;</h1>") || !strings.Contains(body, "<p>Hello &lt;script&gt;&#34;x&#34;</p>") ||
		!strings.Contains(body, "<title>A &lt;b&gt; | Site &amp; Co</title>") {
		t.Errorf("Write: %d\n%s", w.Code, body)
	}
	policy := w.Header().Get("Content-Security-Policy")
	nonce := regexp.MustCompile(`'nonce-([\w-]{22})'`).FindStringSubmatch(policy)
	if nonce == nil || !strings.Contains(body, `<style nonce="`+nonce[1]+`">:root`) {
		t.Errorf("the style does not carry the nonce of %q", policy)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "X-Frame-Options": "DENY", "Cache-Control": "no-store",
		"Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff", "Vary": "Accept",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if again := write(t, s, View{Name: "bye"}); again.Code != 200 || again.Header().Get("Content-Security-Policy") == policy {
		t.Errorf("a second answer is %d and has the same nonce, or not 200", again.Code)
	}
}

func TestSet_Write_forms(t *testing.T) {
	s, err := New(hello, samples, "", "", "/", "", "https://www.example.com/a?b", "http://localhost:8080")
	if err != nil {
		t.Fatal(err)
	}
	policy := write(t, s, View{Name: "bye"}).Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "; form-action 'self' https://www.example.com http://localhost:8080; ") {
		t.Errorf("policy %q", policy)
	}
	policy = write(t, s, View{Name: "bye", Leads: true}).Header().Get("Content-Security-Policy")
	if strings.Contains(policy, "form-action") || !strings.HasPrefix(policy, "default-src 'none'; ") || !strings.HasSuffix(policy, "; frame-ancestors 'none'; base-uri 'none'") {
		t.Errorf("policy of a form that leads anywhere %q", policy)
	}
}

func TestNew_ownTemplate(t *testing.T) {
	for name, test := range map[string]struct{ own, want string }{
		"layout":              {`<title>{{.Title}}</title>{{.Content}}`, `<title>T</title><p>Hello Bob</p>`},
		"layout and page":     {`{{define "hello"}}Hi {{.Name}}{{end}}[{{.Content}}] {{.Site}}`, `[Hi Bob] Site &amp; Co`},
		"layout with a part":  {`{{define "foot"}}<i>{{.Page}}</i>{{end}}{{.Content}}{{template "foot" .}}`, `<p>Hello Bob</p><i>hello</i>`},
		"content left out":    {`nothing`, `nothing`},
		"byte by byte escape": {`<a title="{{.Title}}{{.Nonce | len}}">{{.Content}}</a>`, `<a title="T22"><p>Hello Bob</p></a>`},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := newSet(t, test.own)
			if err != nil {
				t.Fatal(err)
			}
			if got := write(t, s, View{Name: "hello", Title: "T", Data: greeting{"Bob"}}).Body.String(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	s, err := newSet(t, "{{define \"bye\"}}<p>So long</p>{{end}}\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := write(t, s, View{Name: "bye", Title: "T"}).Body.String(); !strings.Contains(got, "<p>So long</p>") || !strings.Contains(got, "<h1>T</h1>") {
		t.Errorf("a page alone was not replaced within the layout:\n%s", got)
	}
}

func TestNew_errors(t *testing.T) {
	for name, test := range map[string]struct{ own, want string }{
		"syntax":             {"a\nb {{.Title", "page.html:2: unclosed action"},
		"unknown name":       {"a\n\n{{.Titel}}", "page.html:3:2"},
		"unknown in a page":  {"{{define \"hello\"}}\n{{.Nome}}{{end}}", "page.html:2:2"},
		"unknown function":   {"{{titel .}}", `function "titel" not defined`},
		"ambiguous escaping": {`<a {{if .Site}}title="{{end}}">`, "page.html"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := newSet(t, test.own); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("New: %v, want %q", err, test.want)
			}
		})
	}
	for _, file := range []string{filepath.Join(t.TempDir(), "none"), t.TempDir(), os.DevNull} {
		if _, err := New(hello, samples, "", file); err == nil {
			t.Errorf("New takes %s", file)
		}
	}
}

func TestWanted(t *testing.T) {
	const chrome = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
	for accept, want := range map[string]bool{
		chrome: true, "": false, "*/*": false, "application/json": false, "text/html": true, "TEXT/HTML ; Q=0.1": true,
		"text/html;q=0": false, "application/json, text/html": true, "application/json, text/html;q=0.9": false,
		"application/json;q=0.5,text/html": true, "text/*": false, "text/html;q=x": false, "text/html;q=NaN": false,
		"text/html;level=1;q=0.4, application/json;q=0.5": false, ",;,=;q": false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept", accept)
		if got := Wanted(r); got != want {
			t.Errorf("Wanted(%q) = %t", accept, got)
		}
	}
}

func FuzzWanted(f *testing.F) {
	f.Add("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
	f.Add("application/json;q=1e-9, text/html;q=0.000")
	f.Add("text/html;;q==;q=,\x00")
	f.Fuzz(func(t *testing.T, accept string) {
		r := &http.Request{Header: http.Header{"Accept": {accept}}}
		if lower := strings.ToLower(accept); Wanted(r) && !strings.Contains(lower, "text/html") && !strings.Contains(lower, "application/xhtml+xml") {
			t.Errorf("a page is wanted by %q", accept)
		}
		both := &http.Request{Header: http.Header{"Accept": {accept, "application/json"}}}
		if q := quality(r, "text/html"); q < 0 || q > 1 || !WantsJSON(both) {
			t.Errorf("%q: quality %v, JSON %t", accept, q, WantsJSON(both))
		}
	})
}

func BenchmarkSet_Write(b *testing.B) {
	s, err := New(hello, samples, "Site", "")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Write(httptest.NewRecorder(), View{Name: "hello", Title: "T", Data: greeting{"Bob"}}); err != nil {
			b.Fatal(err)
		}
	}
}

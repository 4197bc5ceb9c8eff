// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidclogin

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/serverkey"
)

func newSealer(t testing.TB) *Sealer {
	t.Helper()
	return NewSealer(serverkey.New(&certmagic.FileStorage{Path: t.TempDir()}))
}

func newJar(t testing.TB) *Jar {
	t.Helper()
	return &Jar{Sealer: newSealer(t), Place: "login\x00/auth/", Now: time.Now}
}

// kept returns a request with the cookies that an answer set.
func kept(t testing.TB, w *httptest.ResponseRecorder) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, cookie := range w.Result().Cookies() {
		if cookie.MaxAge > 0 {
			r.AddCookie(cookie)
		}
	}
	return r
}

func TestSealer(t *testing.T) {
	s := newSealer(t)
	text := []byte("who, where and when")
	sealed, err := s.Seal(t.Context(), "a", text)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := s.Seal(t.Context(), "a", text); bytes.Equal(again, sealed) || bytes.Contains(sealed, text[:5]) {
		t.Error("what is sealed can be compared, or read")
	}
	if got, err := s.Open(t.Context(), "a", sealed); err != nil || !bytes.Equal(got, text) {
		t.Errorf("Open: %q, %v", got, err)
	}
	if _, err := s.Open(t.Context(), "b", sealed); err == nil {
		t.Error("it opens for another purpose")
	}
	if _, err := newSealer(t).Open(t.Context(), "a", sealed); err == nil {
		t.Error("another server opens it")
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := s.Open(t.Context(), "a", changed); err == nil {
			t.Errorf("it opens with byte %d changed", i)
		}
		if _, err := s.Open(t.Context(), "a", sealed[:i]); err == nil {
			t.Errorf("the first %d bytes open", i)
		}
	}
	down := NewSealer(serverkey.New(&certmagic.FileStorage{Path: "/dev/null/x"}))
	if _, err := down.Seal(t.Context(), "a", text); !isUnavailable(err) {
		t.Errorf("without a key: %v", err)
	}
	if _, err := down.Open(t.Context(), "a", sealed); !isUnavailable(err) {
		t.Errorf("without a key: %v", err)
	}
}

func isUnavailable(err error) bool {
	_, ok := errors.AsType[*auth.Unavailable](err)
	return ok
}

func TestJar(t *testing.T) {
	j := newJar(t)
	for _, secure := range []bool{true, false} {
		w := httptest.NewRecorder()
		a := NewAttempt(j.Now(), "https://example.com/callback", "/wiki")
		if err := j.Put(w, httptest.NewRequest(http.MethodGet, "/", nil), secure, "corp", a); err != nil {
			t.Fatal(err)
		}
		r := kept(t, w)
		got, err := j.Find(r, secure, "corp", a.State)
		if err != nil || got.Verifier != a.Verifier || got.Nonce != a.Nonce || got.Next != "/wiki" || got.RedirectURI != a.RedirectURI {
			t.Errorf("Find: %+v, %v", got, err)
		}
		other := *j
		other.Place = "logout\x00/auth/"
		late := *j
		late.Now = func() time.Time { return time.Now().Add(AttemptAge) }
		for name, find := range map[string]func() (*Attempt, error){
			"another provider": func() (*Attempt, error) { return j.Find(r, secure, "other", a.State) },
			"another state":    func() (*Attempt, error) { return j.Find(r, secure, "corp", randomText()) },
			"a short state":    func() (*Attempt, error) { return j.Find(r, secure, "corp", a.State[1:]) },
			"another place":    func() (*Attempt, error) { return other.Find(r, secure, "corp", a.State) },
			"ten minutes":      func() (*Attempt, error) { return late.Find(r, secure, "corp", a.State) },
			"another scheme":   func() (*Attempt, error) { return j.Find(r, !secure, "corp", a.State) },
		} {
			if got, err := find(); !errors.Is(err, ErrNoAttempt) {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
		w = httptest.NewRecorder()
		j.Forget(w, r, secure, a.State)
		if line := w.Header().Get("Set-Cookie"); !strings.Contains(line, "Max-Age=0") || strings.HasPrefix(line, "__Host-") != secure {
			t.Errorf("Forget: %s", line)
		}
	}
}

// FuzzJar gives browsers cookies and states of their own making: none of them is
// a login that was begun here.
func FuzzJar(f *testing.F) {
	j := newJar(f)
	w := httptest.NewRecorder()
	a := NewAttempt(j.Now(), "https://example.com/callback", "/wiki")
	if err := j.Put(w, httptest.NewRequest(http.MethodGet, "/", nil), true, "corp", a); err != nil {
		f.Fatal(err)
	}
	name, good, _ := strings.Cut(strings.Split(w.Header().Get("Set-Cookie"), ";")[0], "=")
	f.Add(good+"x", a.State, "")
	f.Add("", a.State, name+"="+good[:20])
	f.Add(base64.RawURLEncoding.EncodeToString(make([]byte, 60)), a.State, "__Host-oidc-"+strings.Repeat("A", 16)+"=x")
	f.Add(good, strings.Repeat("\x00", 43), "; =;;__Host-oidc-=")
	f.Fuzz(func(t *testing.T, value, state, more string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Cookie"] = []string{name + "=" + value, more}
		got, err := j.Find(r, true, "corp", state)
		if err == nil && (got.State != a.State || state != a.State || !strings.Contains(r.Header["Cookie"][0]+";"+more, good)) {
			t.Errorf("Find(%q, %q) = %+v", value, state, got)
		}
		answer := httptest.NewRecorder()
		if err := j.Put(answer, r, true, "corp", a); err != nil {
			t.Fatal(err)
		}
		for _, cookie := range answer.Result().Cookies() {
			if !strings.HasPrefix(cookie.Name, "__Host-oidc-") {
				t.Errorf("the cookie %q is changed", cookie.Name)
			}
		}
	})
}

// BenchmarkJar is what a login costs that nobody finishes.
func BenchmarkJar(b *testing.B) {
	j := newJar(b)
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		if err := j.Put(w, httptest.NewRequest(http.MethodGet, "/", nil), true, "corp", NewAttempt(j.Now(), "https://example.com/callback", "/wiki")); err != nil {
			b.Fatal(err)
		}
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/serverkey"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/memory"
)

// names stands for the users of a configuration.
type names []string

func (n names) Configured(name string) bool { return slices.Contains(n, name) }
func (n names) Active(name string) bool     { return !strings.HasPrefix(name, "inactive") }
func (n names) Names() []string             { return n }

// tagHasher makes hashes that tests can search for.
type tagHasher struct{ err error }

func (h tagHasher) Hash(_ context.Context, password string) (string, error) {
	sum := sha256.Sum256([]byte(password))
	return "hash:" + hex.EncodeToString(sum[:]), h.err
}

// fixture is an API over a store in memory, with a clock that stands.
type fixture struct {
	t     *testing.T
	m     *Manager
	now   time.Time
	logs  *observer.ObservedLogs
	store tokenstore.Store
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	store := memory.New()
	t.Cleanup(func() { _ = store.Close() })
	core, logs := observer.New(zapcore.DebugLevel)
	f := &fixture{t: t, now: time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC), logs: logs, store: store}
	f.m = &Manager{
		Store: store, Place: "memory", Directory: names{"configured"}, Hasher: tagHasher{},
		Keys: serverkey.New(&certmagic.FileStorage{Path: t.TempDir()}),
		Log:  zap.New(core), Now: func() time.Time { return f.now },
	}
	return f
}

type reply struct {
	status int
	header http.Header
	body   string
}

// send makes a request with a JSON body, unless the body is empty.
func (f *fixture) send(method, path, body string, header ...string) reply {
	f.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(f.t.Context(), method, Prefix+path, reader)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler(f.m).ServeHTTP(w, r)
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		f.t.Errorf("%s %s: Cache-Control = %q, want no-store", method, path, got)
	}
	return reply{w.Code, w.Header(), w.Body.String()}
}

// must makes a request that has to succeed, and decodes the answer.
func must[T any](f *fixture, method, path, body string, header ...string) T {
	f.t.Helper()
	got := f.send(method, path, body, header...)
	var value T
	if got.status >= 300 {
		f.t.Fatalf("%s %s = %d %s", method, path, got.status, got.body)
	}
	if got.status != http.StatusNoContent {
		if err := json.Unmarshal([]byte(got.body), &value); err != nil {
			f.t.Fatalf("%s %s = %s: %v", method, path, got.body, err)
		}
	}
	return value
}

// fail makes a request that has to be refused, with a text that contains want.
func (f *fixture) fail(status int, want, method, path, body string, header ...string) {
	f.t.Helper()
	got := f.send(method, path, body, header...)
	var answer struct{ Error string }
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil {
		f.t.Errorf("%s %s = %d %q, which is no JSON", method, path, got.status, got.body)
	}
	if got.status != status || !strings.Contains(answer.Error, want) {
		f.t.Errorf("%s %s %.80s = %d %q, want %d and %q", method, path, body, got.status, answer.Error, status, want)
	}
	if status == http.StatusServiceUnavailable && got.header.Get("Retry-After") == "" {
		f.t.Errorf("%s %s: no Retry-After", method, path)
	}
}

// accepts reports whether a secret authenticates.
func (f *fixture) accepts(secret string) bool {
	f.t.Helper()
	sum := sha256.Sum256([]byte(secret))
	_, _, err := f.store.Lookup(f.t.Context(), sum[:], f.now)
	return err == nil
}

// actions are what the audit log says was done.
func (f *fixture) actions() []string {
	var actions []string
	for _, entry := range f.logs.FilterMessage("changed by an operator").All() {
		actions = append(actions, entry.ContextMap()["action"].(string))
	}
	return actions
}

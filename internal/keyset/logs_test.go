// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package keyset_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

// A file is looked at each second, which is nothing to tell.
func TestLogs_file(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, []byte(edKey), 0o600); err != nil {
		t.Fatal(err)
	}
	// One that is young is read again each time: it may have changed unseen.
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zapcore.DebugLevel)
	set, err := keyset.Acquire(keyset.Config{File: path}, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = set.Release() })
	set.Start()
	eventually(t, "the file to be looked at again", func() bool { return set.Describe().Succeeded > 1 })
	if n := logs.Len(); n != 1 {
		t.Errorf("%d lines: %v", n, logs.All())
	}
}

// What an operator has to know is in the log once, in that of the configuration
// that runs, and without secrets.
func TestLogs(t *testing.T) {
	t.Parallel()
	idp := idptest.New(t)
	idp.AddJWK(change(t, rsaKey, `{"kid":"given-away","d":"canary"}`))
	idp.AddJWK(change(t, rsaKey, `{"kid":"weak","n":"AQAB"}`))
	idp.AddJWK(`{"kty":"oct","kid":"secret","k":"canary"}`)
	idp.AddJWK(change(t, rsaKey, `{"kid":"encrypts","use":"enc","d":"canary"}`))
	cfg := keyset.Config{JWKSURL: idp.JWKSURL() + "?key=canary", MinInterval: 1, Outbound: local}
	before, beforeLogs := observer.New(zapcore.InfoLevel)
	old, err := keyset.Acquire(cfg, zap.New(before))
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zapcore.InfoLevel)
	set, err := keyset.Acquire(cfg, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = set.Release() })
	if err := old.Release(); err != nil {
		t.Fatal(err)
	}
	count := func(level zapcore.Level, text string) (n int) {
		for _, entry := range logs.All() {
			if entry.Level == level && strings.Contains(entry.Message, text) && entry.ContextMap()["source"] == idp.JWKSURL() {
				n++
			}
		}
		return n
	}
	for range 3 {
		_, _ = set.Find(t.Context(), "RS256", "unknown")
	}
	if n := count(zapcore.ErrorLevel, "gives its signing key away"); n != 1 {
		t.Errorf("%d lines of the key that was given away", n)
	}
	if n := count(zapcore.WarnLevel, "a key is not used"); n != 2 {
		t.Errorf("%d lines of keys that are not used", n)
	}
	idp.Fail(idptest.HTML)
	for range 3 {
		_, _ = set.Find(t.Context(), "RS256", "unknown")
	}
	if n := count(zapcore.WarnLevel, "the last good answer stands"); n != 1 {
		t.Errorf("%d lines of the fault", n)
	}
	idp.Heal()
	eventually(t, "the line of the end", func() bool { return count(zapcore.InfoLevel, "fetched keys again") == 1 })
	if n := beforeLogs.Len(); n != 0 {
		t.Errorf("%d lines in the log of a configuration that ended", n)
	}
	for _, entry := range logs.All() {
		for name, value := range entry.ContextMap() {
			if text, _ := value.(string); strings.Contains(text, "canary") {
				t.Errorf("%s: %s", name, text)
			}
		}
	}
	status := set.Describe()
	if status.Source != idp.JWKSURL() || status.URL != idp.JWKSURL() || len(status.Left) != 3 || strings.Contains(strings.Join(status.Left, ""), "canary") {
		t.Errorf("%+v", status)
	}
}

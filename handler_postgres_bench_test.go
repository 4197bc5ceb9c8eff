// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package restauth

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/postgrestest"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	_ "github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/postgres"
)

// BenchmarkHandler_postgresMiss is a request whose token is not remembered, with a
// PostgreSQL at a Unix socket. The cache holds far fewer tokens than there are.
func BenchmarkHandler_postgresMiss(b *testing.B) {
	const tokens = 20_000
	dsn := postgrestest.New(b).Database(b)
	persist := false
	err := caddy.Run(&caddy.Config{
		Admin:   &caddy.AdminConfig{Disabled: true, Config: &caddy.ConfigSettings{Persist: &persist}},
		Logging: &caddy.Logging{Logs: map[string]*caddy.CustomLog{"default": {BaseLog: caddy.BaseLog{Level: "ERROR"}}}},
		AppsRaw: caddy.ModuleMap{"rest_auth": json.RawMessage(`{"cache_entries": 1, "store": {"driver": "postgres", "dsn": "` + dsn + `"}}`)},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			b.Error(err)
		}
	})
	ctx := caddy.ActiveContext()
	loaded, err := ctx.LoadModuleByID("http.handlers.rest_auth", json.RawMessage(`{
		"authenticators": [{"authenticator": "token"}], "permissions": [{"permission": "authenticated"}]
	}`))
	if err != nil {
		b.Fatal(err)
	}
	handler := loaded.(*Handler)
	app, err := appFromContext(ctx)
	if err != nil {
		b.Fatal(err)
	}
	name := func(i int) string { return fmt.Sprintf("%040d", i) }
	if err := app.TokenStore().(tokenstore.Transactor).InTx(b.Context(), func(s tokenstore.Store) error {
		user, err := s.PutUser(b.Context(), tokenstore.User{Name: "alice", Active: true, Groups: []string{"readers"}})
		for i := 0; i < tokens && err == nil; i++ {
			digest := sha256.Sum256([]byte(name(i)))
			err = s.Create(b.Context(), tokenstore.Credential{
				ID: tokenstore.NewCredentialID(), Kind: tokenstore.KindToken, Digest: digest[:], UserKey: user.Key, Created: time.Now(),
			}, 0, false)
		}
		return err
	}); err != nil {
		b.Fatal(err)
	}
	next := caddyhttp.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusOK)
		return nil
	})
	w := &benchWriter{header: make(http.Header)}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		plain := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/", nil)
		plain.Header.Set("Authorization", "Token "+name(i*7919%tokens))
		i++
		clear(w.header)
		if err := handler.ServeHTTP(w, prepared(plain), next); err != nil || w.status != http.StatusOK {
			b.Fatalf("ServeHTTP = %v with status %d", err, w.status)
		}
	}
}

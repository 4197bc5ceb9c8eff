// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package thirdparty

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/auth/authtest"
)

func parse(t *testing.T, config string) *APIKeyHeader {
	t.Helper()
	a := new(APIKeyHeader)
	if err := a.UnmarshalCaddyfile(caddyfile.NewTestDispenser(config)); err != nil {
		t.Fatal(err)
	}
	if err := a.Provision(caddy.Context{}); err != nil {
		t.Fatal(err)
	}
	return a
}

func digestOf(key string) string {
	digest := sha256.Sum256([]byte(key))
	return hex.EncodeToString(digest[:])
}

func with(keys ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, key := range keys {
		r.Header.Add("X-API-Key", key)
	}
	return r
}

func TestAPIKeyHeader(t *testing.T) {
	a := parse(t, "api_key_header {\n key alice "+digestOf("opensesame")+"\n key bob "+digestOf("b")+"\n}")
	invalid := &auth.Failure{Detail: "Invalid API key."}
	authtest.Run(t, a, []authtest.Case{
		{Name: "alice", Request: with("opensesame"), Identity: &auth.Identity{ID: "alice", Key: "api_key_header|alice"}},
		{Name: "bob", Request: with("b"), Identity: &auth.Identity{ID: "bob"}},
		{Name: "other letter case", Request: with("B"), Err: invalid},
		{Name: "digest", Request: with(digestOf("b")), Err: invalid},
		{Name: "empty", Request: with(""), Err: invalid},
		{Name: "two keys", Request: with("b", "b"), Err: invalid},
		{Name: "none", Request: with(), Err: auth.ErrNoCredentials},
	})
}

func TestAPIKeyHeader_UserSource(t *testing.T) {
	for config, want := range map[string]auth.Source{
		"api_key_header":                           {Name: "api_key_header"},
		"api_key_header {\n user_prefix off\n}":    {Name: "api_key_header", Told: true},
		"api_key_header X {\n user_prefix key:\n}": {Name: "api_key_header", Prefix: "key:", Told: true},
	} {
		if got := parse(t, config).UserSource(); got != want {
			t.Errorf("%q: UserSource = %+v, want %+v", config, got, want)
		}
	}
}

func TestAPIKeyHeader_errors(t *testing.T) {
	for _, config := range []string{
		"api_key_header a b",
		"api_key_header {\n key alice\n}",
		"api_key_header {\n key alice x y\n}",
		"api_key_header {\n key alice x\n key bob x\n}",
		"api_key_header {\n user_prefix\n}",
		"api_key_header {\n keys alice x\n}",
	} {
		if err := new(APIKeyHeader).UnmarshalCaddyfile(caddyfile.NewTestDispenser(config)); err == nil {
			t.Errorf("%q is no error", config)
		}
	}
	for digest, user := range map[string]string{
		"":                             "alice",
		"opensesame":                   "alice",
		strings.ToUpper(digestOf("a")): "alice",
		digestOf("a")[:32]:             "alice",
		digestOf("b"):                  "",
	} {
		a := &APIKeyHeader{Keys: map[string]string{digest: user}}
		if err := a.Provision(caddy.Context{}); err == nil || strings.Contains(err.Error(), "opensesame") {
			t.Errorf("key %q of %q: %v", digest, user, err)
		}
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
)

// caddyfile takes the address of the site; the key is "opensesame".
const caddyfile = `
{
	admin off
	persist_config off
	auto_https off
	storage file_system %q
	rest_auth {
		store memory
	}
}
http://%s {
	rest_auth {
		authenticate api_key_header {
			key alice d9fb92e3bbe65be1f1aad4a82eef4567f7a1ebe2cd110c8049b9698be7a70c88
		}
		header_up -X-API-Key
	}
	respond "Hello, {http.auth.user.id}{http.request.header.X-API-Key}"
}
`

// TestServe asks a Caddy with both modules over the wire. It is the only test
// of this package that runs Caddy, which is one per process.
func TestServe(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt(fmt.Appendf(nil, caddyfile, t.TempDir(), address), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := caddy.Load(config, true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
	})
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for key, want := range map[string]struct {
		status int
		body   string
	}{
		"opensesame": {http.StatusOK, "Hello, alice"},
		"guess":      {http.StatusForbidden, `{"detail":"Invalid API key."}`},
		"":           {http.StatusForbidden, `{"detail":"Authentication credentials were not provided."}`},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if key != "" {
			request.Header.Set("X-API-Key", key)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != want.status || string(body) != want.body {
			t.Errorf("key %q: %d %s, %v, want %d %s", key, response.StatusCode, body, err, want.status, want.body)
		}
	}
}

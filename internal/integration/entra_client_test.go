// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/entratest"
)

// serveEntraExample runs examples/entra.Caddyfile as it is, with an Entra ID of
// the test in place of Microsoft's.
func serveEntraExample(t *testing.T, idp *entratest.Server) (url string) {
	t.Helper()
	t.Setenv("TENANT_ID", entratest.Contoso)
	t.Setenv("API_ID", entratest.Orders)
	text := readText(t, filepath.Join(repository, "examples/entra.Caddyfile"))
	config, err := adapt(text)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var root map[string]any
	if err := json.Unmarshal(isolate(t, config, dir), &root); err != nil {
		t.Fatal(err)
	}
	site, upstream, admin := freeAddress(t), freeAddress(t), freeAddress(t)
	root["admin"] = map[string]any{"listen": admin, "config": map[string]any{"persist": false}}
	object(object(root, "apps"), "rest_auth")["store"] = map[string]any{"driver": "memory"}
	if config, err = json.Marshal(root); err != nil {
		t.Fatal(err)
	}
	config = bytes.ReplaceAll(config, []byte(`":8080"`), []byte(`"`+site+`"`))
	config = bytes.ReplaceAll(config, []byte(`"localhost:9000"`), []byte(`"`+upstream+`"`))
	config = bytes.ReplaceAll(config, []byte(`"authenticator":"entra"`),
		[]byte(`"authenticator":"entra","authority":"`+idp.URL+`","ca_file":"`+idp.CAFile+`","allow_internal":["loopback"]`))
	if err := caddy.Load(config, true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Errorf("stopping Caddy: %v", err)
		}
	})
	return "http://" + strings.Replace(site, "127.0.0.1", "localhost", 1) + "/orders"
}

// TestEntraClientCredentials is a daemon from its secret to the API's answer: as
// a script, and with Microsoft's own library.
func TestEntraClientCredentials(t *testing.T) {
	node, peers := nodePeers(t)
	shell := debian(t, "sh", "dash")
	debian(t, "curl", "curl")
	idp := entratest.New(t)
	url := serveEntraExample(t, idp)

	dir := t.TempDir()
	secret := filepath.Join(dir, "secret.txt")
	if err := os.WriteFile(secret, []byte(entratest.Secret), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(peers, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	library := filepath.Join(dir, "client.mjs")
	if err := os.WriteFile(library, []byte(readText(t, filepath.Join(repository, "examples/entra/client.mjs"))), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(audience string, program ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), program[0], program[1:]...)
		cmd.Env = append(os.Environ(), "TENANT_ID="+entratest.Contoso, "CLIENT_ID="+entratest.Daemon, "CLIENT_SECRET="+entratest.Secret,
			"AUTHORITY="+idp.URL, "AUDIENCE="+audience, "CURL_CA_BUNDLE="+idp.CAFile, "NODE_EXTRA_CA_CERTS="+idp.CAFile)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	script := filepath.Join(repository, "examples/entra/client.sh")
	for version, audience := range map[string]string{"1.0": entratest.OrdersURI, "2.0": "api://" + entratest.Orders} {
		idp.Lock()
		idp.TokenVersion, idp.Roles = version, []string{"Orders.Reader"}
		idp.Unlock()
		const want = "GET /orders by  of " + entratest.Daemon
		if out, err := run(audience, shell, script, secret, url); err != nil || out != want {
			t.Errorf("client.sh, v%s: %q, %v", version, out, err)
		}
		if out, err := run(audience, node, library, url); err != nil || strings.TrimSpace(out) != "200 "+want {
			t.Errorf("client.mjs, v%s: %q, %v", version, out, err)
		}
		idp.Lock()
		idp.Roles = []string{"Orders.Other"}
		idp.Unlock()
		if out, err := run(audience, node, library, url); err != nil || !strings.HasPrefix(out, `403 {"detail":"Ask for the scope`) {
			t.Errorf("with another role, v%s: %q, %v", version, out, err)
		}
		idp.Lock()
		idp.Roles = nil
		idp.Unlock()
		if out, err := run(audience, node, library, url); err != nil || !strings.HasPrefix(out, `401 {"detail":"Invalid token."}`) {
			t.Errorf("without a role, v%s: %q, %v", version, out, err)
		}
	}
}

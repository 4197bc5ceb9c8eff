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

// peer runs one of the programs in peers, whose modules are npm's, and returns
// what it prints.
func peer(t *testing.T, script, input string) string {
	t.Helper()
	node := debian(t, "node", "nodejs")
	dir := filepath.Join(repository, "internal/integration/peers")
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		missing(t, "node_modules", "what internal/integration/peers/package.json names, by `npm ci`")
	}
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

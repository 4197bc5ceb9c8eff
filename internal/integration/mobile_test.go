// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"os/exec"
	"strings"
	"testing"
)

// TestExampleMobile drives examples/knox.Caddyfile by the client beside it.
func TestExampleMobile(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node", "nodejs")
	}
	t.Chdir("../..")
	s := serveExample(t, "examples/knox.Caddyfile")
	s.seed()
	script := exec.CommandContext(t.Context(), node, "examples/mobile/client.mjs", "http://localhost:"+port(strings.TrimPrefix(s.URL, "http://")), "alice")
	script.Stdin = strings.NewReader("pw\n")
	out, err := script.CombinedOutput()
	const want = `without a token: 401
login: 400 {"non_field_errors":["Unable to log in with provided credentials."]}
logged in as alice for 30 days
GET /orders by alice
I am alice
after the logout: {"detail":"Invalid token."}
the tablet: 200
six devices: 401 200 200 200 200 200
after logging out everywhere: 401
`
	if err != nil || string(out) != want {
		t.Errorf("the client ended with %v and said\n%s\nwant\n%s", err, out, want)
	}
}

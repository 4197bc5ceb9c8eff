// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
)

// FuzzCaddyfile adapts what people could write in the block of the directive
// and of the option. A Caddyfile comes from the operator, but also from tools
// that put names and texts of others into it: it adapts to JSON or is an error.
func FuzzCaddyfile(f *testing.F) {
	goldens, err := filepath.Glob("internal/integration/caddyfile_adapt/*.caddyfiletest")
	if err != nil || len(goldens) == 0 {
		f.Fatalf("%d goldens: %v", len(goldens), err)
	}
	for i, golden := range goldens {
		// Each seed takes some of the time that there is.
		if i%8 != 0 {
			continue
		}
		text, err := os.ReadFile(golden)
		if err != nil {
			f.Fatal(err)
		}
		for _, block := range blocksOf(string(text)) {
			f.Add(block)
		}
	}
	adapter := caddyconfig.GetAdapter("caddyfile")
	f.Fuzz(func(t *testing.T, block string) {
		if strings.Contains(block, "import") {
			t.Skip("reads files")
		}
		for _, caddyfile := range []string{
			":8080 {\n\trest_auth {\n" + block + "\n\t}\n}\n",
			"{\n\trest_auth {\n" + block + "\n\t}\n}\n",
			":8080 {\n\trest_auth_endpoints {\n" + block + "\n\t}\n}\n",
			":8080 {\n\trest_auth_endpoints {\n\t\ttokens /tokens/ {\n" + block + "\n\t\t}\n\t}\n}\n",
			":8080 {\n\trest_auth {\n\t\trequire any {\n" + block + "\n\t\t}\n\t}\n}\n",
		} {
			adapted, _, err := adapter.Adapt([]byte(caddyfile), nil)
			if err == nil && !json.Valid(adapted) {
				t.Errorf("%q adapts to %q", caddyfile, adapted)
			}
		}
	})
}

// blocksOf returns what stands in our blocks of a golden, which are
// indented by one tab.
func blocksOf(golden string) []string {
	caddyfile, _, _ := strings.Cut(golden, "\n----------\n")
	var blocks []string
	for _, directive := range []string{"rest_auth", "rest_auth_endpoints"} {
		for _, rest := range strings.Split(caddyfile, "\t"+directive+" {\n")[1:] {
			block, _, _ := strings.Cut(rest, "\n\t}")
			blocks = append(blocks, block)
		}
	}
	return blocks
}

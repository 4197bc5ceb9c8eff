// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const modulePath = "github.com/caddy-rest-auth/caddy-rest-auth"

// layers says which packages of ours a package may import, test files aside. A
// name ending in /... stands for all below it. docs/ARCHITECTURE.md has the
// same table with its reasons.
var layers = []struct {
	pkg  string
	ours []string
	// third says which other modules may be imported; nil allows any.
	third []string
}{
	{"auth", nil, []string{}},
	{"auth/authtest", []string{"auth"}, []string{}},
	{"permissions", []string{"auth"}, []string{"github.com/caddyserver/caddy"}},
	{"tokenstore", nil, []string{"github.com/caddyserver/caddy"}},
	{"tokenstore/storetest", []string{"tokenstore"}, []string{}},
	{"tokenstore/memory", []string{"tokenstore", "internal/hitlog"}, []string{"github.com/caddyserver/caddy"}},
	{"tokenstore/sqlite", []string{"tokenstore", "internal/sqlstore", "internal/hitlog"}, nil},
	{"tokenstore/postgres", []string{"tokenstore", "internal/sqlstore"}, nil},
	{"internal/sqlstore", []string{"tokenstore"}, nil},
	{"internal/hitlog", []string{"tokenstore"}, []string{}},
	{"internal/peertest", nil, []string{}},
	{"internal/postgrestest", nil, []string{"github.com/jackc/pgx"}},
	{"internal/password/...", []string{"internal/password/..."}, []string{"golang.org/x/crypto", "golang.org/x/sync"}},
	{"internal/credcache", []string{"auth", "tokenstore"}, []string{}},
	{"internal/livestore", []string{"auth", "tokenstore"}, nil},
	{"internal/loginthrottle", []string{"auth", "tokenstore"}, nil},
	{"internal/users", []string{"auth", "tokenstore", "internal/password", "internal/loginthrottle"}, nil},
	{"internal/throttle", []string{"auth"}, []string{"github.com/caddyserver/caddy"}},
	{"internal/cookie", nil, nil},
	{"internal/csrf", []string{"auth", "internal/cookie"}, nil},
	{"internal/session", []string{"auth", "tokenstore", "internal/cookie", "internal/csrf", "internal/users"}, nil},
	{"internal/headername", nil, []string{}},
	{"internal/htpasswd", []string{"internal/password", "internal/users"}, []string{"go.uber.org/zap"}},
	{"internal/manage", []string{"internal/signing", "auth", "tokenstore", "internal/issue", "internal/serverkey", "internal/users", "internal/session", "internal/loginthrottle", "internal/password", "internal/django", "internal/durin", "internal/knox", "internal/introspection", "internal/keyset", "internal/discovery", "internal/revocation", "internal/throttle"}, nil},
	{"internal/django", nil, []string{}},
	{"internal/durin", nil, []string{}},
	{"internal/selftest", []string{"auth"}, nil},
	{"internal/serverkey", nil, []string{"github.com/caddyserver"}},
	{"internal/page", nil, []string{}},
	{"internal/issue", []string{"auth", "tokenstore", "internal/serverkey"}, []string{"github.com/caddyserver/caddy", "go.uber.org/zap"}},
	{"internal/knox", nil, []string{}},
	{"internal/drf", nil, []string{}},
	{"internal/tokenapi", []string{"auth", "tokenstore", "endpoints", "internal/drf", "internal/issue", "internal/users"}, []string{"github.com/caddyserver/caddy"}},
	{"internal/background", nil, []string{"github.com/caddyserver/caddy"}},
	{"internal/outbound", nil, nil},
	{"internal/discovery", []string{"internal/outbound"}, nil},
	{"internal/keyset", []string{"internal/outbound", "internal/discovery"}, nil},
	{"internal/idptest", nil, nil},
	{"internal/jose", []string{"internal/keyset"}, nil},
	{"internal/bearer", []string{"auth"}, []string{"github.com/caddyserver/caddy"}},
	{"internal/federation", []string{"auth", "tokenstore", "internal/users"}, nil},
	{"internal/revocation", []string{"tokenstore", "internal/livestore"}, nil},
	{"internal/possession", []string{"auth", "tokenstore", "internal/bearer", "internal/cookie", "internal/jose", "internal/keyset"}, nil},
	{"internal/accesstoken", []string{"auth", "tokenstore", "internal/background", "internal/bearer", "internal/discovery", "internal/federation", "internal/jose", "internal/keyset", "internal/outbound", "internal/possession", "internal/revocation", "internal/users"}, nil},
	{"internal/introspection", []string{"auth", "internal/discovery", "internal/jose", "internal/outbound"}, nil},
	{"internal/oidclogin", []string{"auth", "internal/background", "internal/cookie", "internal/discovery", "internal/federation", "internal/jose", "internal/keyset", "internal/outbound", "internal/serverkey"}, nil},
	{"internal/signing", []string{"internal/jose", "internal/keyset"}, nil},
	{"internal/entra", []string{"auth", "internal/discovery", "internal/jose", "internal/keyset", "internal/outbound"}, nil},
	{"internal/entratest", nil, []string{}},
	{"internal/simplejwt", []string{"auth", "tokenstore", "internal/background", "internal/bearer", "internal/cookie", "internal/issue", "internal/jose", "internal/keyset", "internal/outbound", "internal/revocation", "internal/signing", "internal/users"}, nil},
	{"endpoints", []string{"auth"}, []string{"github.com/caddyserver/caddy"}},
	{"endpoints/...", []string{"auth", "endpoints", "tokenstore", "internal/..."}, nil},
	{"authenticators", []string{"auth", "tokenstore", "internal/..."}, nil},
	{"", []string{"auth", "authenticators", "endpoints/...", "permissions", "tokenstore/...", "internal/..."}, nil},
	{"cmd/caddy", []string{"", "tokenstore/postgres"}, nil},
	{"internal/integration", []string{"..."}, nil},
	{"internal/fleet", []string{"..."}, nil},
	{"internal/benchmark", []string{"..."}, nil},
	{"examples/...", []string{"", "auth", "examples/..."}, nil},
}

// rootImporters are the only packages that may import the root.
var rootImporters = []string{"cmd/caddy", "internal/integration", "internal/fleet", "internal/benchmark", "examples/..."}

// TestLayering compares what every package imports with the table: arrows
// point down, siblings do not know each other, and package auth can be used by
// a third party without bringing anything else.
func TestLayering(t *testing.T) {
	for _, pkg := range listPackages(t) {
		name := strings.TrimPrefix(strings.TrimPrefix(pkg.ImportPath, modulePath), "/")
		row := slices.IndexFunc(layers, func(l struct {
			pkg   string
			ours  []string
			third []string
		},
		) bool {
			return covers(l.pkg, name)
		})
		if row < 0 {
			t.Errorf("package %q is not in the table", name)
			continue
		}
		layer := layers[row]
		for _, imported := range pkg.Imports {
			own, ours := strings.CutPrefix(imported, modulePath)
			own = strings.TrimPrefix(own, "/")
			switch {
			case ours && own == "" && !coveredBy(rootImporters, name):
				t.Errorf("package %q imports the root", name)
			case ours && !coveredBy(layer.ours, own):
				t.Errorf("package %q imports %q", name, own)
			case !ours && strings.Contains(imported, ".") && layer.third != nil && !anyPrefix(layer.third, imported):
				t.Errorf("package %q imports %s", name, imported)
			}
		}
	}
}

// TestContractDependencies looks at everything that auth brings along, not only
// at what it imports itself.
func TestContractDependencies(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "./auth", "./auth/authtest").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dep := range strings.FieldsSeq(string(out)) {
		first, _, _ := strings.Cut(dep, "/")
		if strings.Contains(first, ".") && dep != modulePath+"/auth" && dep != modulePath+"/auth/authtest" {
			t.Errorf("package auth brings %s", dep)
		}
	}
}

type listedPackage struct {
	ImportPath string
	Imports    []string
}

func listPackages(t *testing.T) []listedPackage {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var pkgs []listedPackage
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg listedPackage
		if err := decoder.Decode(&pkg); err == io.EOF {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, pkg)
	}
}

func covers(pattern, name string) bool {
	if pattern == "..." {
		return true
	}
	if parent, all := strings.CutSuffix(pattern, "/..."); all {
		return name == parent || strings.HasPrefix(name, parent+"/")
	}
	return pattern == name
}

func coveredBy(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return covers(pattern, name) })
}

func anyPrefix(prefixes []string, name string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

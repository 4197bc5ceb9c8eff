// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// TestDocumentedModules wants a page for each module, on the map, in the
// example, and with every field of the configuration on it.
func TestDocumentedModules(t *testing.T) {
	docs := filepath.Join(repository, "docs")
	guide := readText(t, filepath.Join(docs, "README.md"))
	example := readText(t, filepath.Join(repository, "Caddyfile.example"))
	for namespace, folder := range map[string]string{
		"rest_auth.authenticators": "authenticators", "rest_auth.endpoints": "endpoints", "rest_auth.token_stores": "stores",
	} {
		ours := 0
		for _, module := range caddy.GetModules(namespace) {
			instance := module.New()
			of := reflect.TypeOf(instance).Elem()
			// Those of the tests and of the third party's example have none.
			if strings.Contains(of.PkgPath(), "/integration") || strings.Contains(of.PkgPath(), "/examples/") {
				continue
			}
			ours++
			name := module.ID.Name()
			t.Run(folder+"/"+name, func(t *testing.T) {
				page := readText(t, filepath.Join(docs, folder, name+".md"))
				if !strings.Contains(guide, folder+"/"+name+".md") {
					t.Error("docs/README.md does not lead to its page")
				}
				if !strings.Contains(example, name) {
					t.Error("Caddyfile.example does not have it")
				}
				if folder == "endpoints" && (name == "session" || name == "oidc") {
					page += readText(t, filepath.Join(docs, "authenticators", "session.md"))
				}
				for _, field := range jsonFields(of) {
					if !strings.Contains(page, "`"+field+"`") && !strings.Contains(page, `"`+field+`"`) && !strings.Contains(page, "\t"+field) {
						t.Errorf("its page does not have %s", field)
					}
				}
			})
		}
		if ours < 3 {
			t.Errorf("%s has %d modules", namespace, ours)
		}
	}
}

// jsonFields returns the names of the fields of a module's configuration.
func jsonFields(of reflect.Type) (names []string) {
	for i := range of.NumField() {
		field := of.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Anonymous && field.Type.Kind() == reflect.Struct:
			names = append(names, jsonFields(field.Type)...)
		case field.IsExported() && name != "" && name != "-":
			names = append(names, name)
		}
	}
	return names
}

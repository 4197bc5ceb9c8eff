// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// isolate returns a configuration that leaves the machine alone: it stores and
// logs nothing outside of dir, and asks for no certificates.
func isolate(t *testing.T, config []byte, dir string) []byte {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal(config, &root); err != nil {
		t.Fatalf("the configuration is not a JSON object: %v", err)
	}
	root["storage"] = map[string]any{"module": "file_system", "root": filepath.Join(dir, "storage")}
	logs := object(object(root, "logging"), "logs")
	object(logs, "default")
	for name := range logs {
		object(logs, name)["writer"] = map[string]any{"output": "discard"}
	}
	if apps, ok := root["apps"].(map[string]any); ok {
		servers, _ := object(apps, "http")["servers"].(map[string]any)
		for name := range servers {
			object(servers, name)["automatic_https"] = map[string]any{"disable": true}
		}
	}
	isolated, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return isolated
}

// object returns the object at a name, which it makes if there is none.
func object(parent map[string]any, name string) map[string]any {
	child, ok := parent[name].(map[string]any)
	if !ok {
		child = make(map[string]any)
		parent[name] = child
	}
	return child
}

// validate provisions a configuration as `caddy validate` does.
func validate(t *testing.T, config []byte) error {
	t.Helper()
	var parsed caddy.Config
	if err := caddy.StrictUnmarshalJSON(caddy.RemoveMetaFields(isolate(t, config, t.TempDir())), &parsed); err != nil {
		return err
	}
	return caddy.Validate(&parsed)
}

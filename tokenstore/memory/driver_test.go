// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func TestDriver_UnmarshalCaddyfile(t *testing.T) {
	tests := map[string]struct {
		input, want, err string
	}{
		"bare":           {input: "memory", want: `{}`},
		"named":          {input: "memory demo", want: `{"name":"demo"}`},
		"empty block":    {input: "memory demo {\n}", want: `{"name":"demo"}`},
		"two names":      {input: "memory demo two", err: "wrong argument count"},
		"unknown option": {input: "memory {\n size 5\n}", err: "unrecognized subdirective 'size'"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var d Driver
			err := d.UnmarshalCaddyfile(caddyfile.NewTestDispenser(tt.input))
			if tt.err != "" {
				if err == nil || !strings.Contains(strings.ToLower(err.Error()), tt.err) {
					t.Fatalf("UnmarshalCaddyfile = %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatalf("UnmarshalCaddyfile = %v, want no error", err)
			}
			if got, err := json.Marshal(d); err != nil || string(got) != tt.want {
				t.Errorf("JSON = %s, %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestDriver_stores(t *testing.T) {
	d := &Driver{Name: "demo"}
	if got := d.Identifier(); got != "memory:demo" {
		t.Errorf("Identifier = %q, want memory:demo", got)
	}
	if _, err := d.OpenExisting(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenExisting = %v, want fs.ErrNotExist", err)
	}
	store, err := d.Open(t.Context())
	if err != nil {
		t.Fatalf("Open = %v, want a store", err)
	}
	if err := store.Close(); err != nil {
		t.Errorf("Close = %v, want no error", err)
	}
}

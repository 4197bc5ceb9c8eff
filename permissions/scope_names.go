// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import "github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

// ScopeNames are the names of reading and writing in scopes: the settings
// READ_SCOPE and WRITE_SCOPE of Django OAuth Toolkit.
type ScopeNames struct {
	// The name that the methods GET, HEAD and OPTIONS need. Default: `read`.
	ReadScope string `json:"read_scope,omitempty"`

	// The name that all other methods need. Default: `write`.
	WriteScope string `json:"write_scope,omitempty"`
}

// names returns the two names with defaults and placeholders resolved.
func (n *ScopeNames) names() (read, write string, err error) {
	names := []string{n.ReadScope, n.WriteScope}
	for i, name := range []string{"read", "write"} {
		if names[i] == "" {
			names[i] = name
		}
	}
	err = expand(names)
	return names[0], names[1], err
}

// parseOption parses the current line of a block if it is one of the two
// options, and reports whether it was.
func (n *ScopeNames) parseOption(d *caddyfile.Dispenser) (bool, error) {
	switch option := d.Val(); option {
	case "read_scope":
		return true, parseText(d, option, &n.ReadScope)
	case "write_scope":
		return true, parseText(d, option, &n.WriteScope)
	default:
		return false, nil
	}
}

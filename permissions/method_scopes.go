// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

func init() {
	caddy.RegisterModule(new(MethodScopes))
}

// MethodScopes allows requests whose credential was granted the scopes that the
// method needs: Django OAuth Toolkit's TokenMatchesOASRequirements, which takes
// them from an OpenAPI document. A method that is not listed is refused, HEAD
// and OPTIONS too.
type MethodScopes struct {
	// For each method, in capitals, a list of alternatives, each of which is a
	// list of scopes: all scopes of one alternative are needed, as in
	// `{"POST": [["write", "books"], ["admin"]]}`. At least one method must be
	// listed, and nothing in it may be empty; placeholders in scopes are
	// expanded.
	Methods map[string][][]string `json:"methods,omitempty"`

	Refusal
}

// CaddyModule returns the Caddy module information.
func (*MethodScopes) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  namespace + ".method_scopes",
		New: func() caddy.Module { return new(MethodScopes) },
	}
}

// Provision expands the placeholders.
func (p *MethodScopes) Provision(ctx caddy.Context) error {
	for method, alternatives := range p.Methods {
		for _, scopes := range alternatives {
			if err := expand(scopes); err != nil {
				return fmt.Errorf("method %s: %w", method, err)
			}
		}
	}
	return p.Refusal.Provision(ctx)
}

// Validate refuses what is empty, and methods that no request can have.
func (p *MethodScopes) Validate() error {
	if len(p.Methods) == 0 {
		return errors.New("method_scopes needs at least one of methods")
	}
	for method, alternatives := range p.Methods {
		if !isMethod(method) {
			return fmt.Errorf("method '%s' is not a word in capitals", method)
		}
		if len(alternatives) == 0 {
			return fmt.Errorf("method %s needs at least one alternative", method)
		}
		for _, scopes := range alternatives {
			if len(scopes) == 0 {
				return fmt.Errorf("method %s has an alternative without scopes", method)
			}
		}
	}
	return nil
}

// Allow reports whether the credential was granted all scopes of one
// alternative of the method.
func (p *MethodScopes) Allow(r *http.Request, id *auth.Identity) (bool, error) {
	for _, scopes := range p.Methods[r.Method] {
		if hasScopes(id, scopes) {
			return true, nil
		}
	}
	return false, nil
}

// Explain says which scopes the method needs: those of its first alternative.
func (p *MethodScopes) Explain(r *http.Request, _ *auth.Identity) *auth.Denial {
	if alternatives := p.Methods[r.Method]; len(alternatives) > 0 {
		return p.lacking(alternatives[0])
	}
	return p.Refusal.Explain(nil, nil)
}

// isMethod reports whether the word is a method in capitals. Methods are
// compared exactly, so that another spelling would silently refuse.
func isMethod(word string) bool {
	for i := range len(word) {
		if c := word[i]; (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return word != ""
}

// UnmarshalCaddyfile sets up the permission from Caddyfile tokens. A method may
// have several lines, which are alternatives too. Syntax:
//
//	require method_scopes {
//	    <METHOD> <scope...> [| <scope...>]...
//	    message  <text>
//	    code     <code>
//	    body     <json object>
//	}
func (p *MethodScopes) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if d.NextArg() {
		return d.ArgErr()
	}
	err := p.parseBlockWith(d, func() (bool, error) {
		method := d.Val()
		if !isMethod(method) {
			return false, nil
		}
		alternatives, err := parseAlternatives(d, method)
		if err != nil {
			return true, err
		}
		if p.Methods == nil {
			p.Methods = make(map[string][][]string)
		}
		p.Methods[method] = append(p.Methods[method], alternatives...)
		return true, nil
	})
	if err != nil {
		return err
	}
	if len(p.Methods) == 0 {
		return d.Err("'method_scopes' needs at least one method in its block")
	}
	return nil
}

// parseAlternatives parses the scopes on the rest of a line. A vertical bar
// separates alternatives, with blanks around it or without.
func parseAlternatives(d *caddyfile.Dispenser, method string) ([][]string, error) {
	if d.CountRemainingArgs() == 0 {
		return nil, d.ArgErr()
	}
	line := strings.Join(d.RemainingArgs(), " ")
	var alternatives [][]string
	for alternative := range strings.SplitSeq(line, "|") {
		scopes := strings.Fields(alternative)
		if len(scopes) == 0 {
			return nil, d.Errf("method %s has an alternative without scopes", method)
		}
		alternatives = append(alternatives, scopes)
	}
	return alternatives, noBlock(d, method)
}

// Interface guards
var (
	_ auth.Permission       = (*MethodScopes)(nil)
	_ auth.Explainer        = (*MethodScopes)(nil)
	_ caddy.Provisioner     = (*MethodScopes)(nil)
	_ caddy.Validator       = (*MethodScopes)(nil)
	_ caddyfile.Unmarshaler = (*MethodScopes)(nil)
)

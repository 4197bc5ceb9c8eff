// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

func init() {
	caddy.RegisterModule(new(Match))
}

// Match allows the requests that Caddy's request matchers match, CEL
// expressions included. The placeholders of the identity under decision, such
// as `{http.auth.user.groups}`, may be used in them.
//
// Matchers know nothing of credentials: a match allows anonymous requests too.
// Require `authenticated` beside it. A matcher that fails refuses the request.
type Match struct {
	// The sets of matchers. A request is allowed if all matchers of one set
	// match, as in a route. At least one set is needed, none of them empty.
	MatcherSetsRaw caddyhttp.RawMatcherSets `json:"match,omitempty" caddy:"namespace=http.matchers"`

	Refusal

	sets caddyhttp.MatcherSets
}

// CaddyModule returns the Caddy module information.
func (*Match) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  namespace + ".match",
		New: func() caddy.Module { return new(Match) },
	}
}

// Provision loads the matchers.
func (p *Match) Provision(ctx caddy.Context) error {
	if err := p.Refusal.Provision(ctx); err != nil {
		return err
	}
	if len(p.MatcherSetsRaw) == 0 {
		return errors.New("it needs at least one matcher")
	}
	for i, set := range p.MatcherSetsRaw {
		// In a route, an empty set matches everything.
		if len(set) == 0 {
			return fmt.Errorf("loading matchers: set %d is empty", i)
		}
		for name, raw := range set {
			if isEmptyMatcher(name, raw) {
				return fmt.Errorf("loading matchers: set %d: '%s' is empty and would match every request", i, name)
			}
		}
	}
	modules, err := ctx.LoadModule(p, "MatcherSetsRaw")
	if err != nil {
		return fmt.Errorf("loading matchers: %w", err)
	}
	p.sets = nil
	if err := p.sets.FromInterface(modules); err != nil {
		return fmt.Errorf("loading matchers: %w", err)
	}
	return nil
}

// isEmptyMatcher reports whether the matcher is one of Caddy's that match every
// request as long as nothing is in them.
func isEmptyMatcher(name string, raw json.RawMessage) bool {
	switch name {
	case "header", "header_regexp", "not", "path_regexp", "query", "vars":
		var object map[string]json.RawMessage
		var list []json.RawMessage
		return json.Unmarshal(raw, &object) == nil && len(object) == 0 ||
			json.Unmarshal(raw, &list) == nil && len(list) == 0
	}
	return false
}

// Allow reports whether one of the sets matches the request.
func (p *Match) Allow(r *http.Request, _ *auth.Identity) (bool, error) {
	if len(p.sets) == 0 {
		return false, nil
	}
	matched, err := p.sets.AnyMatchWithError(r)
	if err != nil {
		return false, fmt.Errorf("matching: %w", err)
	}
	return matched, nil
}

// UnmarshalCaddyfile sets up the permission from Caddyfile tokens. All matchers
// must match. A matcher on the line of `match` has no block of its own. Syntax:
//
//	require match <matcher> [<arguments...>] {
//	    message <text>
//	    code    <code>
//	    body    <json object>
//	}
//
//	require match {
//	    <matcher> [<arguments...>] [{ … }]
//	    …
//	    message <text>
//	    code    <code>
//	    body    <json object>
//	}
func (p *Match) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	arguments := d.CountRemainingArgs()
	tokens, err := p.takeOptions(d)
	if err != nil {
		return err
	}
	if arguments > 0 && len(tokens) > 1+arguments {
		return d.Err("a matcher on the line of 'match' has no block; a block of 'match' takes it, one matcher a line")
	}
	matchers := caddyfile.NewDispenser(tokens)
	matchers.Next()
	set, err := caddyhttp.ParseCaddyfileNestedMatcherSet(matchers)
	if err != nil {
		return err
	}
	if len(set) == 0 {
		return d.Err("'match' needs at least one matcher")
	}
	p.MatcherSetsRaw = caddyhttp.RawMatcherSets{set}
	return nil
}

// Interface guards
var (
	_ auth.Permission       = (*Match)(nil)
	_ auth.Explainer        = (*Match)(nil)
	_ caddy.Provisioner     = (*Match)(nil)
	_ caddyfile.Unmarshaler = (*Match)(nil)
)

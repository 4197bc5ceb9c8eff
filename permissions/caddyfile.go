// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"encoding/json"
	"errors"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// ParseCaddyfile parses one permission, whose name is the dispenser's current
// token, and returns it as JSON with the inline key "permission". It consumes
// the rest of the line, and the block if one opens there. Syntax, after
// `require` or on a line of its own in a block of any, all or not:
//
//	<permission> [<arguments...>] {
//	    message <text>
//	    code    <code>
//	    body    <json object>
//	    …
//	}
//
// Modules of third parties are parsed by their own UnmarshalCaddyfile.
func ParseCaddyfile(d *caddyfile.Dispenser) (json.RawMessage, error) {
	name := d.Val()
	id := namespace + "." + name
	if _, err := caddy.GetModule(id); err != nil {
		return nil, d.Errf("unknown permission '%s'", name)
	}
	if opensEmptyBlock(d) {
		return nil, d.Errf("empty block after '%s'", name)
	}
	permission, err := caddyfile.UnmarshalModule(d, id)
	if err != nil {
		return nil, err
	}
	var warnings []caddyconfig.Warning
	object := caddyconfig.JSONModuleObject(permission, inlineKey, name, &warnings)
	if len(warnings) > 0 {
		return nil, d.Errf("encoding permission '%s': %w", name, errors.New(warnings[0].Message))
	}
	return object, nil
}

// opensEmptyBlock reports whether the line ends with a block without lines. A
// guest cannot tell: Dispenser.NextSegment leaves such braces out.
func opensEmptyBlock(d *caddyfile.Dispenser) bool {
	consumed := d.CountRemainingArgs()
	for range consumed {
		d.NextArg()
	}
	defer func() {
		for range consumed {
			d.Prev()
		}
	}()
	if d.NextLine() {
		consumed++
		return false
	}
	// What is left of the line is nothing, or the brace that opens a block.
	if !d.Next() {
		return false
	}
	consumed++
	if !d.Next() {
		return false
	}
	consumed++
	return d.Val() == "}" && !d.Token().Quoted()
}

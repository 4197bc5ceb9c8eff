// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() {
	httpcaddyfile.RegisterHandlerDirective("rest_auth_endpoints", parseEndpoints)
	// Before every rewrite, so that no try_files can hide a login, and before
	// rest_auth, so that a login needs no exception.
	httpcaddyfile.RegisterDirectiveOrder("rest_auth_endpoints", httpcaddyfile.Before, "rewrite")
}

// parseEndpoints sets up the handler. Syntax:
//
//	rest_auth_endpoints [<matcher>] {
//	    origin     <origin>
//	    <endpoint> <path> [<args...>] {
//	        # lines of the endpoint, and
//	        authenticate <name> [<args...>] { … } | off
//	        require      <permission> [<args...>] { … }
//	        throttle     <scope> <rate>
//	        cors         <origin...>
//	        # and the other lines of rest_auth, but for header_up
//	    }
//	}
func parseEndpoints(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	h.Next() // the directive's name
	if h.NextArg() {
		return nil, h.ArgErr()
	}
	e := new(Endpoints)
	for h.NextBlock(0) {
		if h.Val() == "origin" {
			if err := parseWord(h.Dispenser, &e.Origin); err != nil {
				return nil, err
			}
			if !strings.Contains(e.Origin, "{") {
				if err := checkOrigin(e.Origin); err != nil {
					return nil, h.Errf("origin: %v", err)
				}
			}
			continue
		}
		mount, err := parseMount(h.Dispenser)
		if err != nil {
			return nil, err
		}
		e.Mounts = append(e.Mounts, mount)
	}
	if len(e.Mounts) == 0 {
		return nil, h.Err("rest_auth_endpoints has no endpoint, as `authtoken /api-token-auth/`")
	}
	return e, nil
}

// parseMount parses one endpoint with its path. Lines of the settings are the
// mount's; the endpoint parses all others itself, as if they stood alone.
func parseMount(d *caddyfile.Dispenser) (*Mount, error) {
	own := []caddyfile.Token{d.Token()}
	name := d.Val()
	if setting, _ := new(Settings).parseLine(nextOf(own)); setting {
		return nil, d.Errf("%s stands in the block of an endpoint", name)
	}
	if err := checkGuest(d, "rest_auth.endpoints.", "endpoint", name); err != nil {
		return nil, err
	}
	args := d.RemainingArgs()
	if len(args) == 0 {
		return nil, d.Errf("%s takes the path that it is served at", name)
	}
	mount := &Mount{Path: args[0]}
	if !strings.Contains(mount.Path, "{") {
		if err := checkMountPath(mount.Path); err != nil {
			return nil, d.Errf("%s: %v", name, err)
		}
	}
	for _, arg := range args[1:] {
		own = append(own, wordLike(own[0], arg, 0))
	}
	block, last := false, own[0]
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if d.Val() == "header_up" {
			return nil, d.Err("header_up: an endpoint has no upstream")
		}
		last = d.Token()
		known, err := mount.parseLine(d)
		if err != nil {
			return nil, err
		}
		if known {
			continue
		}
		if !block {
			own, block = append(own, wordLike(own[0], "{", 0)), true
		}
		line := d.NextSegment()
		own = append(own, line...)
		last = line[len(line)-1]
	}
	if block {
		// The last word itself may be quoted, and a quoted brace closes nothing.
		own = append(own, wordLike(own[0], "}", last.Line-own[0].Line+1))
	}
	raw, err := parseGuest(nextOf(own), "rest_auth.endpoints.", "endpoint", name)
	mount.APIRaw = raw
	return mount, err
}

// nextOf returns a dispenser of tokens whose first was read.
func nextOf(tokens []caddyfile.Token) *caddyfile.Dispenser {
	d := caddyfile.NewDispenser(tokens)
	d.Next()
	return d
}

// wordLike returns a word some lines below a token.
func wordLike(token caddyfile.Token, word string, below int) caddyfile.Token {
	token = token.Clone()
	token.Text = word
	token.Line += below
	return token
}

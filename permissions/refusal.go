// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// Refusal is what every permission can say about its refusals. It reaches
// clients that are authenticated; anonymous ones are asked for credentials.
type Refusal struct {
	// The text of the refusal, sent as `{"detail": "…"}`.
	// Default: "You do not have permission to perform this action."
	Message string `json:"message,omitempty"`

	// The code of the refusal, for `{http.auth.error.code}`, the access log and
	// the metrics; it is not sent. Default: `permission_denied`.
	Code string `json:"code,omitempty"`

	// A JSON object to send in place of `{"detail": "…"}`. As in Django REST
	// framework, all values in it are sent as strings: 1 as "1", true as "True",
	// null as "None". The message then only feeds `{http.auth.error.detail}`.
	// Default: none.
	Body json.RawMessage `json:"body,omitempty"`

	denial *auth.Denial
}

// Provision prepares the refusal.
func (f *Refusal) Provision(caddy.Context) error {
	f.denial = nil
	if f.Message == "" && f.Code == "" && len(f.Body) == 0 {
		return nil
	}
	denial := &auth.Denial{Code: f.Code, Detail: f.Message}
	if len(f.Body) > 0 {
		body, err := stringLeaves(f.Body)
		if err != nil {
			return fmt.Errorf("reading body: %w", err)
		}
		denial.Body = body
	}
	f.denial = denial
	return nil
}

// Explain returns the configured refusal, or nil if there is none.
func (f *Refusal) Explain(*http.Request, *auth.Identity) *auth.Denial {
	if f.denial == nil {
		return nil
	}
	// A copy, since a caller may fill in what is empty.
	denial := *f.denial
	return &denial
}

// lacking returns the refusal of a credential that would have needed the scopes.
func (f *Refusal) lacking(scopes []string) *auth.Denial {
	return withScopes(f.Explain(nil, nil), scopes)
}

// withScopes returns a refusal with the scopes, or nil if there is nothing to say.
func withScopes(denial *auth.Denial, scopes []string) *auth.Denial {
	if len(scopes) == 0 {
		return denial
	}
	if denial == nil {
		denial = new(auth.Denial)
	}
	denial.Scopes = scopes
	return denial
}

// says reports whether a refusal has more than scopes: something of its own to
// tell the client.
func says(denial *auth.Denial) bool {
	return denial != nil && (denial.Code != "" || denial.Detail != "" || denial.Body != nil)
}

// parseOption parses the current line of a block if it is one of the options
// that all permissions have, and reports whether it was.
func (f *Refusal) parseOption(d *caddyfile.Dispenser) (bool, error) {
	if d.Token().Quoted() {
		return false, nil
	}
	switch option := d.Val(); option {
	case "message":
		return true, parseText(d, option, &f.Message)
	case "code":
		return true, parseText(d, option, &f.Code)
	case "body":
		if f.Body != nil {
			return true, d.Errf("'%s' is given twice", option)
		}
		var text string
		if err := parseText(d, option, &text); err != nil {
			return true, err
		}
		// The Caddyfile adapter passes JSON through float64. Strings survive.
		body, err := stringLeaves([]byte(text))
		if err != nil {
			return true, d.Errf("reading body: %w", err)
		}
		f.Body = body
		return true, nil
	default:
		return false, nil
	}
}

// parseBlock parses a block in which no other options are known.
func (f *Refusal) parseBlock(d *caddyfile.Dispenser) error {
	return f.parseBlockWith(d, nil)
}

// parseBlockWith parses a block. The lines that are no option of the refusal's
// go to option, which reports whether it knows them.
func (f *Refusal) parseBlockWith(d *caddyfile.Dispenser, option func() (bool, error)) error {
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		known, err := f.parseOption(d)
		if err == nil && !known && option != nil {
			known, err = option()
		}
		if err != nil {
			return err
		}
		if !known {
			return d.Errf("unrecognized subdirective '%s'", d.Val())
		}
	}
	return nil
}

// takeOptions parses the options in the segment that begins at the current
// token, and returns its other tokens. A block with nothing else in it is left
// out.
func (f *Refusal) takeOptions(d *caddyfile.Dispenser) ([]caddyfile.Token, error) {
	others := []caddyfile.Token{d.Token()}
	for d.NextArg() {
		others = append(others, d.Token())
	}
	head := len(others)
	var opening caddyfile.Token
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if opening.Text == "" {
			d.Prev()
			opening = d.Token()
			d.Next()
		}
		known, err := f.parseOption(d)
		if err != nil {
			return nil, err
		}
		if known {
			continue
		}
		if opensEmptyBlock(d) {
			return nil, d.Errf("empty block after '%s'", d.Val())
		}
		if len(others) == head {
			others = append(others, opening)
		}
		others = append(others, d.NextSegment()...)
	}
	if len(others) > head {
		others = append(others, d.Token())
	}
	return others, nil
}

// parseWord parses a permission that is one word, with an optional block.
func (f *Refusal) parseWord(d *caddyfile.Dispenser) error {
	d.Next()
	if d.NextArg() {
		return d.ArgErr()
	}
	return f.parseBlock(d)
}

// parseText parses an option with exactly one argument.
func parseText(d *caddyfile.Dispenser, option string, text *string) error {
	if *text != "" {
		return d.Errf("'%s' is given twice", option)
	}
	if !d.AllArgs(text) {
		return d.ArgErr()
	}
	if *text == "" {
		return d.Errf("'%s' is empty", option)
	}
	return noBlock(d, option)
}

// noBlock returns an error if a block opens on the current line, which begins
// with option.
func noBlock(d *caddyfile.Dispenser, option string) error {
	if opensEmptyBlock(d) || d.NextBlock(d.Nesting()) {
		return d.Errf("unexpected block after '%s'", option)
	}
	return nil
}

// Interface guards
var (
	_ caddy.Provisioner = (*Refusal)(nil)
	_ auth.Explainer    = (*Refusal)(nil)
)

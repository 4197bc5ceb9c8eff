// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// Operands are the permissions that any and all combine.
type Operands struct {
	// The permissions, in the order in which they are asked. At least one is
	// needed.
	PermissionsRaw []json.RawMessage `json:"permissions,omitempty" caddy:"namespace=rest_auth.permissions inline_key=permission"`

	permissions []auth.Permission
	responders  []auth.Responder
}

// Provision loads the permissions.
func (o *Operands) Provision(ctx caddy.Context) error {
	if len(o.PermissionsRaw) == 0 {
		return errors.New("it needs at least one permission")
	}
	modules, err := ctx.LoadModule(o, "PermissionsRaw")
	if err != nil {
		return fmt.Errorf("loading permissions: %w", err)
	}
	o.permissions, o.responders = nil, nil
	for i, module := range modules.([]any) {
		permission, ok := module.(auth.Permission)
		if !ok {
			return fmt.Errorf("loading permissions: position %d: %T is not a permission", i, module)
		}
		o.permissions = append(o.permissions, permission)
		if responder, ok := module.(auth.Responder); ok {
			o.responders = append(o.responders, responder)
		}
	}
	return nil
}

// Parts returns the permissions in the order in which they are asked.
func (o *Operands) Parts() []auth.Permission { return slices.Clone(o.permissions) }

// WrapResponse lets those of the permissions that have a part in the response
// play it, as if each stood on its own.
func (o *Operands) WrapResponse(w http.ResponseWriter, r *http.Request, id *auth.Identity) http.ResponseWriter {
	for _, responder := range o.responders {
		w = responder.WrapResponse(w, r, id)
	}
	return w
}

// parse parses the operands of a composition and the options of its refusal.
func (o *Operands) parse(d *caddyfile.Dispenser, refusal *Refusal) error {
	d.Next()
	name := d.Val()
	inline := false
	for d.NextArg() {
		inline = true
		operand, err := parseInline(d.Token(), name)
		if err != nil {
			return err
		}
		o.PermissionsRaw = append(o.PermissionsRaw, operand)
	}
	err := refusal.parseBlockWith(d, func() (bool, error) {
		if inline {
			return true, d.Errf("unexpected '%s': the permissions of '%s' stand on its line or in its block, not in both", d.Val(), name)
		}
		operand, err := ParseCaddyfile(d)
		if err != nil {
			return true, err
		}
		o.PermissionsRaw = append(o.PermissionsRaw, operand)
		return true, nil
	})
	if err != nil {
		return err
	}
	if len(o.PermissionsRaw) == 0 {
		return d.Errf("'%s' needs at least one permission", name)
	}
	return nil
}

// parseInline parses a permission that is a word on the line of a composition.
func parseInline(word caddyfile.Token, composition string) (json.RawMessage, error) {
	d := caddyfile.NewDispenser([]caddyfile.Token{word})
	d.Next()
	operand, err := ParseCaddyfile(d)
	if err != nil {
		return nil, fmt.Errorf("%w: each word after '%s' is a permission without arguments; a block takes others, one a line", err, composition)
	}
	return operand, nil
}

// explain returns what the permission has to say about its refusal.
func explain(permission auth.Permission, r *http.Request, id *auth.Identity) *auth.Denial {
	if explainer, ok := permission.(auth.Explainer); ok {
		return explainer.Explain(r, id)
	}
	return nil
}

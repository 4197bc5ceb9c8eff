// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

func init() {
	caddy.RegisterModule(new(Model))
}

// Model allows requests whose user holds the permission that the method needs
// on a Django model: DjangoModelPermissions. For the model `blog.post` these are
//
// Method | Permission
// -------|-----------
// GET, HEAD, OPTIONS | none, but the user must be known
// POST | `blog.add_post`
// PUT, PATCH | `blog.change_post`
// DELETE | `blog.delete_post`
//
// Other methods are refused. A superuser holds every permission. Permissions are
// a user's own and those of its groups in the store.
type Model struct {
	// The model, written app_label.model_name as in Django's permissions, the
	// model in lower case. Required; placeholders are expanded.
	Model string `json:"model,omitempty"`

	// Whether everybody may read, users or not, as with
	// DjangoModelPermissionsOrAnonReadOnly. Default: false.
	AnonymousRead bool `json:"anonymous_read,omitempty"`

	// Whether GET and HEAD need the permission to view, as `blog.view_post`, that
	// Django has since version 2.1 and the permission class does not ask for.
	// Default: false.
	View bool `json:"view,omitempty"`

	Refusal

	needed map[string]string // permission by method; empty if none is needed
}

// CaddyModule returns the Caddy module information.
func (*Model) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  namespace + ".model",
		New: func() caddy.Module { return new(Model) },
	}
}

// Provision works out which permission each method needs.
func (p *Model) Provision(ctx caddy.Context) error {
	if p.Model == "" {
		return errors.New("model needs a model")
	}
	names := []string{p.Model}
	if err := expand(names); err != nil {
		return err
	}
	p.Model = names[0]
	app, model, err := parseModel(p.Model)
	if err != nil {
		return err
	}
	name := func(action string) string { return app + "." + action + "_" + model }
	p.needed = map[string]string{
		http.MethodGet:     "",
		http.MethodHead:    "",
		http.MethodOptions: "",
		http.MethodPost:    name("add"),
		http.MethodPut:     name("change"),
		http.MethodPatch:   name("change"),
		http.MethodDelete:  name("delete"),
	}
	if p.View {
		p.needed[http.MethodGet] = name("view")
		p.needed[http.MethodHead] = name("view")
	}
	return p.Refusal.Provision(ctx)
}

// Validate refuses options that contradict each other.
func (p *Model) Validate() error {
	if p.AnonymousRead && p.View {
		return errors.New("anonymous_read and view contradict each other: nobody anonymous holds a permission")
	}
	return nil
}

// Allow reports whether the user holds the permission that the method needs.
func (p *Model) Allow(r *http.Request, id *auth.Identity) (bool, error) {
	permission, known := p.needed[r.Method]
	switch {
	case !known:
		return false, nil
	case permission == "" && p.AnonymousRead:
		return true, nil
	case !isUser(id):
		return false, nil
	}
	return permission == "" || id.HasPermission(permission), nil
}

// parseModel returns the parts of `app_label.model_name`. Both are identifiers
// of Python; the names of permissions have the model's in lower case.
func parseModel(s string) (app, model string, err error) {
	app, model, dotted := strings.Cut(s, ".")
	if !dotted || !isIdentifier(app) || !isIdentifier(model) {
		return "", "", fmt.Errorf("model '%s': expected app_label.model_name, as blog.post", s)
	}
	if lower := strings.ToLower(model); lower != model {
		return "", "", fmt.Errorf("model '%s': permissions have the name of the model in lower case: write %s.%s", s, app, lower)
	}
	return app, model, nil
}

func isIdentifier(word string) bool {
	for i, r := range word {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return word != ""
}

// UnmarshalCaddyfile sets up the permission from Caddyfile tokens. Syntax:
//
//	require model <app.model> [anonymous_read|view] {
//	    message <text>
//	    code    <code>
//	    body    <json object>
//	}
func (p *Model) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if !d.NextArg() {
		return d.ArgErr()
	}
	p.Model = d.Val()
	if _, _, err := parseModel(p.Model); err != nil && !strings.Contains(p.Model, "{") {
		return d.Err(err.Error())
	}
	if d.NextArg() {
		switch d.Val() {
		case "anonymous_read":
			p.AnonymousRead = true
		case "view":
			p.View = true
		default:
			return d.Errf("unknown word '%s' after the model, expected anonymous_read or view", d.Val())
		}
		if d.NextArg() {
			return d.ArgErr()
		}
	}
	return p.parseBlock(d)
}

// Interface guards
var (
	_ auth.Permission       = (*Model)(nil)
	_ auth.Explainer        = (*Model)(nil)
	_ caddy.Provisioner     = (*Model)(nil)
	_ caddy.Validator       = (*Model)(nil)
	_ caddyfile.Unmarshaler = (*Model)(nil)
)

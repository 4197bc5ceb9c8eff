// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package tokens is the endpoint by which people make and revoke access tokens
// of their own, for programs that act for them.
package tokens

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/page"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func init() {
	caddy.RegisterModule(new(Endpoint))
}

// Defaults and bounds.
const (
	defaultLimit = 100
	defaultGrace = 24 * time.Hour
	maxGrace     = 30 * 24 * time.Hour
	maxPrefix    = 32
	maxScope     = 256
)

// Endpoint lets users manage their own access tokens: create with a label,
// scopes and an end, list, rotate, revoke one or all. The secret is
// shown once. A token can be used with `authenticate token`.
//
// By default, callers prove who they are by a session or a password, never by a
// token: a token that leaked could otherwise make itself successors. Where the
// mount has an `authenticate token` line, a token can grant the scopes that it
// has and no others, and nothing that outlives it.
type Endpoint struct {
	// What every secret begins with, by which secret scanners and people
	// recognise it: letters, digits, _ and -. Default: cra_.
	Prefix string `json:"prefix,omitempty"`

	// The scopes that may be granted. Default: none, so that tokens have none.
	Scopes []string `json:"scopes,omitempty"`

	// How long a token lives whose creator does not say. Default: it does not
	// end, or max_ttl if there is one.
	DefaultTTL caddy.Duration `json:"default_ttl,omitempty"`

	// How long a token can live at most. Default: no bound.
	MaxTTL caddy.Duration `json:"max_ttl,omitempty"`

	// How many live tokens of this kind one user may have, at most; twice as many
	// while some that were rotated are in their grace. Default: 100.
	LimitPerUser int `json:"limit_per_user,omitempty"`

	// How long a token that was rotated is still accepted, unless the caller
	// says otherwise, 30 days at most; 0 ends it at once. Default: 24h.
	Grace *caddy.Duration `json:"grace,omitempty"`

	// The site's name, above the heading of each page. Default: none.
	Title string `json:"title,omitempty"`

	// A file with a template of the site's own for the pages.
	// Default: the built-in look.
	Template string `json:"template,omitempty"`

	issuer   *issue.Issuer
	sessions *session.Manager
	pages    *page.Set
	openapi  []byte
	at       endpoints.Mount
	logger   *zap.Logger
	now      func() time.Time
}

// CaddyModule returns the Caddy module information.
func (*Endpoint) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.endpoints.tokens",
		New: func() caddy.Module { return new(Endpoint) },
	}
}

// Provision sets the defaults and finds the store, which need not answer yet.
func (e *Endpoint) Provision(ctx caddy.Context) (err error) {
	e.logger = ctx.Logger()
	e.now = time.Now
	if err := e.resolve(); err != nil {
		return err
	}
	if e.issuer, err = issue.FromContext(ctx); err != nil {
		return err
	}
	settings := new(session.Settings)
	if e.sessions, err = session.FromContext(ctx, settings); err != nil {
		return err
	}
	e.openapi = openapiFor(settings)
	e.pages, err = page.New(pages, samples, e.Title, e.Template)
	return err
}

func (e *Endpoint) resolve() error {
	replacer := caddy.NewReplacer()
	for i := range e.Scopes {
		scope, err := replacer.ReplaceOrErr(e.Scopes[i], true, true)
		if err != nil {
			return fmt.Errorf("resolving the scopes: %w", err)
		}
		if !isScope(scope) {
			return fmt.Errorf("scope %q: expected up to %d printable ASCII characters without blanks, quotes and backslashes", scope, maxScope)
		}
		e.Scopes[i] = scope
	}
	slices.Sort(e.Scopes)
	e.Scopes = slices.Compact(e.Scopes)
	for _, field := range []*string{&e.Title, &e.Template} {
		value, err := replacer.ReplaceOrErr(*field, true, true)
		if err != nil {
			return err
		}
		*field = value
	}
	prefix, err := replacer.ReplaceOrErr(e.Prefix, true, true)
	if err != nil {
		return fmt.Errorf("resolving the prefix: %w", err)
	}
	if e.Prefix = prefix; prefix == "" {
		e.Prefix = issue.DefaultPrefix
	}
	const fit = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
	if len(e.Prefix) > maxPrefix || strings.Trim(e.Prefix, fit) != "" {
		return fmt.Errorf("prefix %q: expected up to %d letters, digits, _ and -", e.Prefix, maxPrefix)
	}
	if e.LimitPerUser == 0 {
		e.LimitPerUser = defaultLimit
	}
	if e.Grace == nil {
		grace := caddy.Duration(defaultGrace)
		e.Grace = &grace
	}
	switch {
	case e.LimitPerUser < 0:
		return errors.New("limit_per_user is negative")
	case e.DefaultTTL < 0 || e.MaxTTL < 0:
		return errors.New("a lifetime is negative")
	case isBrief(e.DefaultTTL) || isBrief(e.MaxTTL) || isBrief(*e.Grace):
		return errors.New("a lifetime or the grace is shorter than a second")
	case e.MaxTTL > 0 && e.DefaultTTL > e.MaxTTL:
		return errors.New("default_ttl is longer than max_ttl")
	case *e.Grace < 0 || time.Duration(*e.Grace) > maxGrace:
		return fmt.Errorf("grace: expected 0 to %s", maxGrace)
	}
	if e.DefaultTTL == 0 {
		e.DefaultTTL = e.MaxTTL
	}
	return nil
}

// isBrief finds a number that was meant to be seconds: in JSON it is nanoseconds.
func isBrief(d caddy.Duration) bool {
	return d > 0 && time.Duration(d) < time.Second
}

// Mount remembers where the pages and the description are.
func (e *Endpoint) Mount(at endpoints.Mount) error {
	e.at = at
	return nil
}

// Routes are the collection, one token, what is done to it, and the description.
func (e *Endpoint) Routes() []endpoints.Route {
	own := endpoints.Access{
		Authenticators: []json.RawMessage{[]byte(`{"authenticator":"session"}`), []byte(`{"authenticator":"basic"}`)},
		Permissions:    []json.RawMessage{[]byte(`{"permission":"authenticated"}`)},
	}
	return []endpoints.Route{
		{
			Path: "", Name: "Tokens", Access: own, Pages: true,
			Actions: map[string]endpoints.Action{
				http.MethodGet:    e.forPeople(e.list, e.listPage),
				http.MethodPost:   e.forPeople(e.create, e.createPage),
				http.MethodDelete: e.revokeAll,
			},
		},
		{
			Path: "{handle}/", Name: "Token", Access: own,
			Actions: map[string]endpoints.Action{http.MethodGet: e.show, http.MethodDelete: e.revoke},
		},
		{
			Path: "{handle}/rotate/", Name: "Rotate Token", Access: own, Pages: true,
			Actions: map[string]endpoints.Action{http.MethodPost: e.forPeople(e.rotate, e.rotatePage)},
		},
		// HTML forms know no DELETE.
		{
			Path: "{handle}/revoke/", Name: "Revoke Token", Access: own, Pages: true,
			Actions: map[string]endpoints.Action{http.MethodPost: e.forPeople(e.revoke, e.revokePage)},
		},
		{
			Path: "revoke/", Name: "Revoke All Tokens", Access: own, Pages: true,
			Actions: map[string]endpoints.Action{http.MethodPost: e.forPeople(e.revokeAll, e.revokeAllPage)},
		},
		{
			Path: "openapi.json", Name: "Description", Access: endpoints.Access{Fixed: true},
			Actions: map[string]endpoints.Action{http.MethodGet: e.document},
		},
	}
}

// kind is what this API manages, those of the command line included.
const kind = tokenstore.KindToken

// isScope reports whether a text is a scope-token of RFC 6749 section 3.3.
func isScope(s string) bool {
	if s == "" || len(s) > maxScope {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' {
			return false
		}
	}
	return true
}

// Interface guards
var (
	_ endpoints.Endpoint = (*Endpoint)(nil)
	_ endpoints.Mounter  = (*Endpoint)(nil)
	_ caddy.Provisioner  = (*Endpoint)(nil)
)

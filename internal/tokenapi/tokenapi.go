// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package tokenapi is what the token APIs of django-rest-knox and
// django-rest-durin have in common: when a token ends and how that is written,
// what is told of its user, who may be issued one, and their options.
package tokenapi

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
)

// Authenticated is the permission that most routes ask for.
var Authenticated = json.RawMessage(`{"permission":"authenticated"}`)

// Own returns the access of routes that take the tokens of their own API alone,
// whatever the mount says.
func Own(kind, keyword string) endpoints.Access {
	access := Bearer(kind, keyword)
	access.Fixed = true
	return access
}

// Bearer returns the access of routes that take the tokens of their own API
// unless the mount says otherwise.
func Bearer(kind, keyword string) endpoints.Access {
	token, err := json.Marshal(struct {
		Authenticator string   `json:"authenticator"`
		Keyword       string   `json:"keyword"`
		Kinds         []string `json:"kinds"`
	}{"token", keyword, []string{kind}})
	if err != nil { // texts are always JSON
		panic(err)
	}
	return endpoints.Access{
		Authenticators: []json.RawMessage{token},
		Permissions:    []json.RawMessage{Authenticated},
	}
}

// Open returns the access of routes that ask nobody who they are, whatever the
// mount says, as a login whose credentials are in the body.
func Open() endpoints.Access { return endpoints.Access{Fixed: true} }

// CheckHolder returns an *auth.Denial unless a token can be issued to the user:
// only the users of the store and of the configuration are known when it is used.
func CheckHolder(id *auth.Identity) error {
	if id.HasUser() && (id.Source == users.SourceStore || id.Source == users.SourceConfig) {
		return nil
	}
	return &auth.Denial{Code: auth.CodePermissionDenied, Detail: "Tokens are issued to the users of this site alone."}
}

// Texts are options whose placeholders are expanded, by name.
type Texts map[string]*string

// Resolve expands the placeholders, which must not be unknown or empty.
func (t Texts) Resolve() error {
	for name, option := range t {
		resolved, err := caddy.NewReplacer().ReplaceOrErr(*option, true, true)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		*option = resolved
	}
	return nil
}

// Blank empties those that have placeholders, of which nothing is known yet.
func (t Texts) Blank() {
	for _, option := range t {
		if strings.Contains(*option, "{") {
			*option = ""
		}
	}
}

// CheckWord refuses what cannot be one word of an Authorization header.
func CheckWord(name, word string) error {
	for _, c := range []byte(word) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return fmt.Errorf("%s: %q is not one word of letters, digits and !#$%%&'*+-.^_`|~", name, word)
		}
	}
	return nil
}

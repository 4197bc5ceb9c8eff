// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"golang.org/x/net/http/httpguts"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// explainedIdentity is whom the request was made by. Claims are left out: they
// are the user's, and can be long.
type explainedIdentity struct {
	ID          string   `json:"id,omitempty"`
	Key         string   `json:"key,omitempty"`
	Source      string   `json:"source,omitempty"`
	Name        string   `json:"name,omitempty"`
	Email       string   `json:"email,omitempty"`
	Staff       bool     `json:"staff,omitempty"`
	Superuser   bool     `json:"superuser,omitempty"`
	Groups      []string `json:"groups,omitempty"`
	Permissions []string `json:"permissions,omitempty"`
	Scopes      []string `json:"scopes,omitempty"`
	Method      string   `json:"method,omitempty"`
	Credential  string   `json:"credential,omitempty"`
	Client      string   `json:"client,omitempty"`
	Expires     string   `json:"expires,omitempty"`
}

func explainIdentity(id *auth.Identity) *explainedIdentity {
	return &explainedIdentity{
		ID: id.ID, Key: id.Key, Source: id.Source, Name: id.Name, Email: id.Email, Staff: id.Staff, Superuser: id.Superuser,
		Groups: slices.Clone(id.Groups), Permissions: slices.Clone(id.Permissions), Scopes: slices.Clone(id.Scopes),
		Method: id.Method, Credential: id.Credential, Client: id.Client, Expires: when(&id.Expires),
	}
}

// explainedHeaders is what becomes of the client's headers.
type explainedHeaders struct {
	// Headers of the client under names that are the handler's.
	Stripped []string     `json:"stripped,omitempty"`
	Set      []headerLine `json:"set,omitempty"`
	Deleted  []string     `json:"deleted,omitempty"`
}

// mine returns the names of the request's headers that are the handler's own.
func (h *headerRules) mine(r *http.Request) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if h.ours(name) {
			names = append(names, name)
		}
	}
	return names
}

var (
	anyPlaceholder = regexp.MustCompile(`\{[^{}]*\}`)
	ownPlaceholder = regexp.MustCompile(`^\{http\.auth\.[a-z_.]+\}$`)
)

// headersSet returns what header_up made of the request. A value is shown if
// it says who the user is; any other may be a key that the upstream asks for,
// and so may a claim.
func (e *explainer) headersSet(h *Handler, r *http.Request) []headerLine {
	replacer, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return nil
	}
	var lines []headerLine
	for _, line := range h.headers.set {
		value := replacer.ReplaceAll(line.Value, "")
		switch {
		case value == "" || !httpguts.ValidHeaderFieldValue(value):
			value = "(not sent)"
		case !saysWho(line.Value):
			value = masked(value)
		}
		lines = append(lines, headerLine{line.Name, value})
	}
	return lines
}

// saysWho reports whether a value is made of our placeholders, and of nothing
// else that could be secret.
func saysWho(value string) bool {
	placeholders := anyPlaceholder.FindAllString(value, -1)
	for _, placeholder := range placeholders {
		if !ownPlaceholder.MatchString(placeholder) || strings.Contains(placeholder, ".claims.") {
			return false
		}
	}
	return len(placeholders) > 0 && len(anyPlaceholder.ReplaceAllString(value, "")) < minSecret
}

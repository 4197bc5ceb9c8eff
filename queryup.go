// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// parameters returns the parameters of the query that authenticators read their
// credentials from.
func (p *policy) parameters() (names []string) {
	for i := range p.links {
		if reader, ok := p.links[i].Authenticator.(auth.QueryReader); ok {
			if name := reader.InputQuery(); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// stripQuery removes the parameters from the request, and from what FastCGI
// takes for the original one: upstreams write queries into logs and links.
func stripQuery(r *http.Request, names []string) {
	if len(names) == 0 {
		return
	}
	if r.URL.RawQuery != "" {
		if stripped := withoutParameters(r.URL.RawQuery, names); stripped != r.URL.RawQuery {
			r.URL.RawQuery = stripped
			r.RequestURI = r.URL.RequestURI()
		}
	}
	original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request)
	if ok && original.URL != nil && original.URL != r.URL {
		original.URL.RawQuery = withoutParameters(original.URL.RawQuery, names)
	}
}

// withoutParameters leaves all other parameters as they are written.
func withoutParameters(query string, names []string) string {
	if query == "" {
		return ""
	}
	parts := strings.Split(query, "&")
	kept := slices.DeleteFunc(parts, func(part string) bool {
		name, _, _ := strings.Cut(part, "=")
		unescaped, err := url.QueryUnescape(name)
		return err == nil && slices.Contains(names, unescaped)
	})
	return strings.Join(kept, "&")
}

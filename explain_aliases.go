// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// dropAliases removes the headers that Caddy removes from every request,
// because CGI could take them for others, and returns their names.
func dropAliases(server *caddyhttp.Server, header http.Header) []string {
	var dropped []string
	for name, values := range header {
		underscore, dot := strings.Contains(name, "_"), strings.Contains(name, ".")
		var keep bool
		switch {
		case underscore && dot:
			keep = expects(server.ExpectedUnderscoreHeaders, name, "", false) || expects(server.ExpectedDotHeaders, name, "", false)
		case underscore:
			keep = expects(server.ExpectedUnderscoreHeaders, name, "", true)
		case dot:
			keep = expects(server.ExpectedDotHeaders, name, "", true)
		default:
			keep = !expects(server.ExpectedUnderscoreHeaders, name, "_", true) && !expects(server.ExpectedDotHeaders, name, ".", true)
		}
		if (underscore || dot) && len(values) > 1 {
			keep = false
		}
		if !keep {
			delete(header, name)
			dropped = append(dropped, name)
		}
	}
	slices.Sort(dropped)
	return dropped
}

// expects reports whether a header is in a server's list, in which the
// separator, if one is given, is read as a hyphen.
func expects(list []string, name, separator string, globs bool) bool {
	for _, entry := range list {
		prefix, glob := strings.CutSuffix(entry, "*")
		if separator != "" {
			prefix = strings.ReplaceAll(prefix, separator, "-")
		}
		prefix = http.CanonicalHeaderKey(prefix)
		if name == prefix && !glob || glob && globs && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

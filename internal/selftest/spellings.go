// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"slices"
	"strings"
)

// separators are the bytes that net/http accepts in a field name beside letters
// and digits. Some program behind a proxy reads each of them as a hyphen, or
// drops it: CGI writes "_" for "-", PHP "_" for ".", WSGI servers differ.
const separators = "-_.!#$%&'*+^`|~"

// Spellings returns names that a program behind a proxy may take for the header
// name, beginning with the name itself: other cases, and every other byte that
// a field name may have for each hyphen.
func Spellings(name string) []string {
	found := []string{name}
	add := func(spelling string) {
		if !slices.Contains(found, spelling) {
			found = append(found, spelling)
		}
	}
	add(strings.ToLower(name))
	add(strings.ToUpper(name))
	add(alternate(name))
	separator := func(c rune) bool { return strings.ContainsRune(separators, c) }
	if !strings.ContainsFunc(name, separator) {
		return found
	}
	for _, c := range separators {
		replaced := strings.Map(func(r rune) rune {
			if separator(r) {
				return c
			}
			return r
		}, name)
		add(replaced)
		add(strings.ToLower(replaced))
	}
	// Only one hyphen: filters that look for "_" anywhere are not the only ones.
	for _, at := range []int{strings.LastIndexFunc(name, separator), strings.IndexFunc(name, separator)} {
		add(name[:at] + "_" + name[at+1:])
		add(name[:at] + "." + name[at+1:])
	}
	add(strings.ToUpper(strings.ReplaceAll(name, "-", "_")))
	return found
}

// alternate writes letters in lower and upper case by turns.
func alternate(name string) string {
	upper := true
	return strings.Map(func(r rune) rune {
		upper = !upper
		if upper {
			return []rune(strings.ToUpper(string(r)))[0]
		}
		return []rune(strings.ToLower(string(r)))[0]
	}, name)
}

// fold returns what all spellings of a name have in common. It is written
// again here: what tests the comparison of names does not use it.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		}
		return '-'
	}, name)
}

// commonNames are headers that programs behind proxies are known to believe.
var commonNames = []string{
	"Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups",
	"X-Remote-User", "X-Remote-Group", "X-Remote-Groups", "X-Remote-Email", "X-Remote-Extra-Scopes",
	"X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Preferred-Username", "X-Forwarded-Access-Token",
	"X-Auth-Request-User", "X-Auth-Request-Email", "X-Auth-Request-Groups", "X-Auth-Request-Preferred-Username",
	"X-Auth-User", "X-Auth-Username", "X-Authenticated-User", "X-Authenticated-Userid", "X-Authenticated-Groups",
	"X-WEBAUTH-USER", "X-Webauth-Email", "X-User", "X-User-Id", "X-Username", "X-Email", "X-Roles",
	"X-Token-Subject", "X-Token-User-Name", "X-Token-User-Email", "X-Token-User-Roles",
	"X-Authentik-Username", "X-Authentik-Groups", "X-Goog-Authenticated-User-Email", "X-Ms-Client-Principal-Name", "X-Ssl-Client-S-Dn",
}

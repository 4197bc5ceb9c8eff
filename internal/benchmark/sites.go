// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"strings"
)

// surroundings are what sites refer to.
type surroundings struct {
	stores     map[int]string // files, by how many tokens they hold
	upstream   string         // address of what reverse_proxy asks
	authorizer string         // address of what forward_auth asks
	bcrypt     string         // benchPassword, as basic_auth wants it
	issuer     *issuer        // of JSON Web Tokens
}

// What answers the requests that were let through.
const answers = "\trespond ok"

func proxies(s *surroundings) string { return "\treverse_proxy " + s.upstream }

// caddyBasicAuth is Caddy's own basic_auth with so many accounts. It remembers
// passwords that it has verified, so the cost of bcrypt does not matter.
func caddyBasicAuth(accounts int) func(*surroundings) string {
	return func(s *surroundings) string {
		var b strings.Builder
		b.WriteString("\tbasic_auth {\n")
		for i := range accounts {
			fmt.Fprintf(&b, "\t\t%s %s\n", userName(i), s.bcrypt)
		}
		b.WriteString("\t}\n" + answers)
		return b.String()
	}
}

// caddyForwardAuth asks another Caddy about every request.
func caddyForwardAuth(s *surroundings) string {
	return "\tforward_auth " + s.authorizer + " {\n\t\turi /\n\t}\n" + answers
}

// guarded is ours, with these lines, before `respond`.
func guarded(lines ...string) func(*surroundings) string {
	return func(*surroundings) string { return restAuth(lines) + answers }
}

// guardedProxy is ours, with these lines, before `reverse_proxy`.
func guardedProxy(lines ...string) func(*surroundings) string {
	return func(s *surroundings) string { return restAuth(lines) + proxies(s) }
}

func restAuth(lines []string) string {
	return "\trest_auth {\n\t\t" + strings.Join(lines, "\n\t\t") + "\n\t}\n"
}

// options are the global options for a store of so many tokens, 0 for none.
func (s *surroundings) options(stored int, lines string) string {
	if stored == 0 {
		return ""
	}
	return fmt.Sprintf("\trest_auth {\n\t\tstore sqlite %s\n\t\t%s\n\t}", s.stores[stored], lines)
}

func userName(n int) string { return fmt.Sprintf("user%06d", n) }

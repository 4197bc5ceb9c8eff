// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package permissions holds the modules of the namespace
// rest_auth.permissions: each decides whether an identity may make a request.
// They follow the permission classes of Django REST framework and of Django
// OAuth Toolkit, and combine with any, all and not.
//
// Every permission fails closed: its zero value denies, an error is never
// turned into an allowance, and nobody anonymous is a user, a member of a
// group, a client or the holder of a scope.
package permissions

import (
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

const (
	namespace = "rest_auth.permissions"
	inlineKey = "permission"
)

// isSafe reports whether the method is one of Django REST framework's
// SAFE_METHODS. TRACE is not, and neither is a name in another letter case:
// RFC 9110 section 9.1 compares methods exactly.
func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// isUser reports whether a user made the request. A client that authenticates
// for itself is none, as in Django OAuth Toolkit.
func isUser(id *auth.Identity) bool { return id.Authenticated() && id.HasUser() }

// hasScopes reports whether the credential was granted all of the scopes. No
// scopes at all is what a permission that was never provisioned asks for.
func hasScopes(id *auth.Identity, scopes []string) bool {
	if !id.Authenticated() || len(scopes) == 0 {
		return false
	}
	for _, scope := range scopes {
		if !id.HasScope(scope) {
			return false
		}
	}
	return true
}

// expand replaces the placeholders in words that were configured. One that is
// unknown or empty is an error, since it would otherwise name nobody or, worse,
// somebody.
func expand(words []string) error {
	replacer := caddy.NewReplacer()
	for i, word := range words {
		expanded, err := replacer.ReplaceOrErr(word, true, true)
		if err != nil {
			return fmt.Errorf("expanding '%s': %w", word, err)
		}
		if expanded == "" {
			return fmt.Errorf("word %d is empty", i)
		}
		words[i] = expanded
	}
	return nil
}

// setOf returns the words as a set, so that long lists cost no more than short
// ones.
func setOf(words []string) map[string]struct{} {
	set := make(map[string]struct{}, len(words))
	for _, word := range words {
		set[word] = struct{}{}
	}
	return set
}

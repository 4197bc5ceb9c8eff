// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
)

// newSecret makes the secret of a token, and the digest that is stored of it.
func newSecret() (secret string, digest []byte) {
	secret = issue.Scannable(issue.DefaultPrefix)
	return secret, issue.Digest(secret)
}

// LooksSecret reports whether a text that should be a handle may be a secret.
func LooksSecret(text string) bool {
	return strings.HasPrefix(text, issue.DefaultPrefix) || issue.IsScannable(text) || len(text) > maxHandle
}

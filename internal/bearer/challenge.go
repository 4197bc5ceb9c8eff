// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package bearer

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// A Challenger asks for access tokens, as RFC 6750 section 3 says:
//
//	Bearer realm="api"
//	Bearer realm="api", error="invalid_token", error_description="The access token has expired."
//
// A request without a token is not told of an error.
type Challenger struct {
	// The realm of the challenge.
	// Default: that of the rest_auth handler, which is "api" unless configured.
	Realm string `json:"realm,omitempty"`

	// The URL of the protected resource's metadata (RFC 9728), by which clients
	// find out where to get a token, as
	// https://api.example.com/.well-known/oauth-protected-resource. The endpoint
	// `protected_resource` serves it. Default: none.
	ResourceMetadata string `json:"resource_metadata,omitempty"`

	// Scopes that the challenge tells clients to ask for. Default: none.
	ChallengeScopes []string `json:"challenge_scopes,omitempty"`

	// Scheme is the word that the challenge begins with. Default: Bearer.
	Scheme string `json:"-"`

	// DPoPAlgs are the algorithms that a challenge of the scheme DPoP names. Such
	// a challenge is made where Scheme is DPoP and where a proof was refused.
	DPoPAlgs []string `json:"-"`

	handlerRealm string
}

// Resolve replaces placeholders and reports what a challenge cannot say.
func (c *Challenger) Resolve() error {
	replacer := caddy.NewReplacer()
	var err error
	if c.Realm, err = replacer.ReplaceOrErr(c.Realm, true, true); err != nil {
		return fmt.Errorf("realm: %w", err)
	}
	if !isQuotable(c.Realm) {
		return errors.New("realm: contains control characters")
	}
	if c.ResourceMetadata, err = replacer.ReplaceOrErr(c.ResourceMetadata, true, true); err != nil {
		return fmt.Errorf("resource_metadata: %w", err)
	}
	if c.ResourceMetadata != "" {
		u, err := url.Parse(c.ResourceMetadata)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Fragment != "" || !isVisible(c.ResourceMetadata) {
			return fmt.Errorf("resource_metadata: '%s' is not a URL, as https://api.example.com/.well-known/oauth-protected-resource",
				c.ResourceMetadata)
		}
	}
	if c.ChallengeScopes, err = ResolveScopes(c.ChallengeScopes); err != nil {
		return fmt.Errorf("challenge_scope: %w", err)
	}
	return nil
}

// ResolveScopes returns scopes of a configuration with their placeholders replaced,
// in a list of their own.
func ResolveScopes(scopes []string) ([]string, error) {
	replacer := caddy.NewReplacer()
	scopes = slices.Clone(scopes)
	for i := range scopes {
		scope, err := replacer.ReplaceOrErr(scopes[i], true, true)
		if err != nil {
			return nil, err
		}
		if !IsScope(scope) {
			return nil, fmt.Errorf("'%s' is not a scope", scope)
		}
		scopes[i] = scope
	}
	return scopes, nil
}

// SetRealm sets the realm of the challenge, unless one was configured.
func (c *Challenger) SetRealm(realm string) {
	if isQuotable(realm) {
		c.handlerRealm = realm
	}
}

// Challenge returns the challenge for a request that was refused, whose cause is
// what auth.Challenger says.
func (c *Challenger) Challenge(cause error) string {
	failure, bad := errors.AsType[*auth.Failure](cause)
	if !bad {
		return c.write("", "", c.ChallengeScopes)
	}
	code := failure.Code
	switch code {
	case CodeInvalidRequest, CodeInvalidDPoPProof, CodeUseDPoPNonce:
	default:
		code = CodeInvalidToken
	}
	return c.write(code, description(failure), c.ChallengeScopes)
}

// InsufficientScope returns the challenge of a token that is good but does not
// have these scopes, for a 403.
func (c *Challenger) InsufficientScope(scopes []string) string {
	return c.write(CodeInsufficientScope, descriptionScope, scopes)
}

func (c *Challenger) write(code, description string, scopes []string) string {
	scheme := c.Scheme
	if code == CodeInvalidDPoPProof || code == CodeUseDPoPNonce {
		scheme = DPoP
	}
	if scheme == "" {
		scheme = Bearer
	}
	var b strings.Builder
	b.WriteString(scheme)
	b.WriteString(` realm="`)
	b.WriteString(quoter.Replace(c.realm()))
	b.WriteByte('"')
	if code != "" {
		b.WriteString(`, error="` + code + `"`)
		if text := describable(description); text != "" {
			b.WriteString(`, error_description="` + text + `"`)
		}
	}
	if text := joinScopes(scopes); text != "" {
		b.WriteString(`, scope="` + text + `"`)
	}
	if c.ResourceMetadata != "" {
		b.WriteString(`, resource_metadata="` + quoter.Replace(c.ResourceMetadata) + `"`)
	}
	if scheme == DPoP && len(c.DPoPAlgs) > 0 {
		b.WriteString(`, algs="` + joinScopes(c.DPoPAlgs) + `"`)
	}
	return b.String()
}

func (c *Challenger) realm() string {
	switch {
	case c.Realm != "":
		return c.Realm
	case c.handlerRealm != "":
		return c.handlerRealm
	}
	return "api"
}

// quoter writes a quoted-string of RFC 9110 section 5.6.4.
var quoter = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// describable leaves out what RFC 6750 section 3 does not allow in a
// description: %x20-21 / %x23-5B / %x5D-7E.
func describable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, text)
}

// joinScopes leaves out what is no scope, since it would become another one.
func joinScopes(scopes []string) string {
	var b strings.Builder
	for _, scope := range scopes {
		if !IsScope(scope) {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(scope)
	}
	return b.String()
}

// IsScope reports whether s is a scope-token of RFC 6749 section 3.3.
func IsScope(s string) bool {
	return isVisible(s) && !strings.ContainsAny(s, `"\`)
}

// isVisible reports whether s is one word of visible ASCII.
func isVisible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

// isQuotable reports whether s can be written as a quoted-string: a control
// character could end the header line.
func isQuotable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

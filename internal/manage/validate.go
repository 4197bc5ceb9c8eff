// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Bounds of what an operator may write.
const (
	maxName       = 150 // characters of a user's or group's name, as Django's
	maxEmail      = 254
	maxFullName   = 300
	maxPermission = 255
	maxLabel      = 200
	maxScope      = 255
	maxClient     = 255
	maxHandle     = 36      // a handle is 16 characters, an imported one may be a UUID
	minPassword   = 8       // characters
	maxPassword   = 4 << 10 // bytes
)

// checkUserName returns the form of the name that is stored.
func checkUserName(name string) (string, error) {
	name = users.Canonical(name)
	if err := checkText("name", name, 1, maxName); err != nil {
		return "", err
	}
	if strings.Contains(name, ":") {
		return "", invalid("name", "must not contain ':', which ends the name in HTTP Basic authentication")
	}
	return name, nil
}

func checkEmail(email string) error {
	if err := checkText("email", email, 0, maxEmail); err != nil || email == "" {
		return err
	}
	local, domain, _ := strings.Cut(email, "@")
	if local == "" || domain == "" || strings.Contains(domain, "@") || strings.ContainsFunc(email, unicode.IsSpace) {
		return invalid("email", "must be one address, as alice@example.com")
	}
	return nil
}

func checkPassword(password string) error {
	if len(password) > maxPassword {
		return invalid("password", "must not be longer than %d bytes", maxPassword)
	}
	if utf8.RuneCountInString(password) < minPassword {
		return invalid("password", "must have %d characters or more", minPassword)
	}
	return nil
}

// checkGroups returns the names sorted and once each. A comma in a group made
// here would read as two groups in a header that lists them.
func checkGroups(field string, groups []string) ([]string, error) {
	for _, name := range groups {
		if err := checkText(field, name, 1, maxName); err != nil {
			return nil, err
		}
		if strings.Contains(name, ",") {
			return nil, invalid(field, "a name must not contain ',', which separates groups in headers")
		}
	}
	return sortedSet(groups), nil
}

func checkPermissions(permissions []string) ([]string, error) {
	for _, p := range permissions {
		if err := checkText("permissions", p, 1, maxPermission); err != nil {
			return nil, err
		}
		if strings.ContainsFunc(p, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
			return nil, invalid("permissions", "'%s' must not contain spaces or commas; write one as app.codename", p)
		}
	}
	return sortedSet(permissions), nil
}

// checkScopes holds scopes to scope-token of RFC 6749 section 3.3.
func checkScopes(scopes []string) ([]string, error) {
	for _, s := range scopes {
		if s == "" || len(s) > maxScope {
			return nil, invalid("scopes", "a scope must have 1 to %d characters", maxScope)
		}
		for _, c := range []byte(s) {
			if c <= ' ' || c == '"' || c == '\\' || c >= 0x7f {
				return nil, invalid("scopes", "a scope is made of printable ASCII without spaces, quotes and backslashes")
			}
		}
	}
	return sortedSet(scopes), nil
}

func checkKind(kind string) error {
	if !tokenstore.IsRequestKind(kind) {
		return invalid("kind", "must be one of %s", strings.Join(tokenstore.RequestKinds(), ", "))
	}
	return nil
}

// checkText bounds a text in characters, and refuses what would not be seen
// or would move the cursor of whoever reads it: control and format characters,
// line and paragraph separators, and spaces at the ends.
func checkText(field, text string, least, most int) error {
	n := utf8.RuneCountInString(text)
	if !utf8.ValidString(text) {
		return invalid(field, "must be UTF-8")
	}
	if n < least {
		return invalid(field, "must not be empty")
	}
	if n > most {
		return invalid(field, "must not be longer than %d characters", most)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }) {
		return invalid(field, "must not contain control characters")
	}
	if strings.TrimSpace(text) != text {
		return invalid(field, "must not begin or end with a space")
	}
	return nil
}

func sortedSet(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
)

const (
	// maxRemoteName is the length in characters of the longest name that is
	// looked up, that of an e-mail address. What may be removed comes on top.
	maxRemoteName = 254
	maxRemoteText = 1024 // bytes

	// apacheNobody is what mod_headers of Apache writes for a variable that is
	// not set.
	apacheNobody = "(null)"
)

var (
	errRemoteText  = errors.New("the name is not clean text")
	errRemoteList  = errors.New("the name contains a comma, which may separate two")
	errRemoteLong  = errors.New("the name is too long")
	errRemoteForm  = errors.New("the name would be read as another one in Unicode form NFKC")
	errRemoteEmpty = errors.New("nothing is left of the name")
)

// clean returns the login name in what was said of the user, nothing if it says
// nobody, and an error if two programs could read two names in it.
func (u *RemoteUser) clean(said string, list bool) (string, error) {
	name := strings.Trim(said, " \t")
	if name == "" || name == apacheNobody {
		return "", nil
	}
	switch {
	case len(said) > maxRemoteText:
		return "", errRemoteLong
	case !utf8.ValidString(said) || strings.ContainsFunc(said, unseen) || strings.TrimSpace(said) != said:
		return "", errRemoteText
	case list && strings.Contains(said, ","):
		return "", errRemoteList
	}
	// Composed and decomposed letters are one text. What only NFKC makes alike
	// may be two users to whoever vouches for them.
	name = u.strip(norm.NFC.String(name))
	switch {
	case strings.TrimSpace(name) != name || name == "":
		return "", errRemoteEmpty
	case name != users.Canonical(name):
		return "", errRemoteForm
	case utf8.RuneCountInString(name) > maxRemoteName:
		return "", errRemoteLong
	}
	return name, nil
}

// strip removes the domains and realms that are configured.
func (u *RemoteUser) strip(name string) string {
	if domain, rest, ok := strings.Cut(name, `\`); ok && containsFold(u.StripDomains, domain) {
		name = rest
	}
	if at := strings.LastIndexByte(name, '@'); at >= 0 && containsFold(u.StripRealms, name[at+1:]) {
		name = name[:at]
	}
	if u.Lowercase {
		// The one letter that ToLower would make another letter's twin.
		name = strings.ReplaceAll(name, "\u0130", "i\u0307")
		name = norm.NFC.String(strings.ToLower(name))
	}
	return name
}

// unseen reports whether a character moves the cursor of whoever reads it, or
// is not seen at all.
func unseen(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

func containsFold(words []string, word string) bool {
	for _, w := range words {
		if len(w) == len(word) && strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package federation

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// Mapping says which claims tell what about a user. A claim is named as it is
// written in the token, and dots lead into objects: `realm_access.roles`.
type Mapping struct {
	// The claim that is the login name: a text, or a whole number. A token
	// without it is refused. Whoever may choose the value chooses who they are
	// here, so it should be one that the issuer gives once and for all.
	// A claim `email` is refused if the claim `email_verified` is there and not
	// true.
	// Default: sub, and for a token whose subject is its own client, as
	// RFC 9068 section 2.2 writes those of client credentials, no user.
	UserClaim string `json:"user_claim,omitempty"`

	// The claim that is the full name. Default: name.
	NameClaim string `json:"name_claim,omitempty"`

	// The claim that is the e-mail address, which is left out if the claim
	// `email_verified` is there and not true. Default: email.
	EmailClaim string `json:"email_claim,omitempty"`

	// The claims whose values are groups: texts, or lists of texts.
	// Default: none.
	GroupClaim []string `json:"group_claim,omitempty"`

	// The claims whose values are permissions, written app.codename: texts,
	// or lists of texts. Default: none.
	PermissionClaim []string `json:"permission_claim,omitempty"`

	// The claim that makes a user staff. Default: none.
	StaffClaim *Flag `json:"staff_claim,omitempty"`

	// The claim that makes a user a superuser, who holds all permissions.
	// Default: none.
	SuperuserClaim *Flag `json:"superuser_claim,omitempty"`

	// The claims whose values are scopes: texts of words between blanks, or
	// lists of texts. Default: scope and scp.
	ScopeClaim []string `json:"scope_claim,omitempty"`
}

// Flag is a claim that says yes.
type Flag struct {
	// The claim.
	Claim string `json:"claim"`

	// Its values that say yes, of which it is one or, if it is a list, has one.
	// Default: it has to be true.
	Values []string `json:"values,omitempty"`
}

// Claims that say which client a token was issued to: those of RFC 9068,
// OpenID Connect, Entra ID and Okta.
var clientClaims = []string{"client_id", "azp", "appid", "cid"}

// claimEmail is the claim of OpenID Connect that email_verified speaks of.
const claimEmail = "email"

var defaultScopeClaim = []string{"scope", "scp"}

// Check reports a mistake in the mapping.
func (m *Mapping) Check() error {
	for word, flag := range map[string]*Flag{"staff_claim": m.StaffClaim, "superuser_claim": m.SuperuserClaim} {
		if flag != nil && flag.Claim == "" {
			return fmt.Errorf("%s: the claim has no name", word)
		}
	}
	for word, names := range map[string][]string{
		"group_claim": m.GroupClaim, "permission_claim": m.PermissionClaim, "scope_claim": m.ScopeClaim,
	} {
		if slices.Contains(names, "") {
			return fmt.Errorf("%s: a claim has no name", word)
		}
	}
	return nil
}

// Inherit takes what the mapping does not say from another one.
func (m *Mapping) Inherit(from *Mapping) {
	m.UserClaim = or(m.UserClaim, from.UserClaim)
	m.NameClaim = or(m.NameClaim, from.NameClaim)
	m.EmailClaim = or(m.EmailClaim, from.EmailClaim)
	m.GroupClaim = orList(m.GroupClaim, from.GroupClaim)
	m.PermissionClaim = orList(m.PermissionClaim, from.PermissionClaim)
	m.StaffClaim = or(m.StaffClaim, from.StaffClaim)
	m.SuperuserClaim = or(m.SuperuserClaim, from.SuperuserClaim)
	m.ScopeClaim = orList(m.ScopeClaim, from.ScopeClaim)
}

// Identity returns whom claims that were verified speak of: a new identity
// without Key and Source, which Accounts gives it. Claims that cannot be used
// are an *auth.Failure.
func (m *Mapping) Identity(claims json.RawMessage) (*auth.Identity, error) {
	get, err := Object(claims)
	if err != nil {
		return nil, &auth.Failure{Code: "invalid_token", Detail: invalidToken, Err: err}
	}
	return m.IdentityOf(claims, get)
}

// IdentityOf is Identity for claims that were decoded already.
func (m *Mapping) IdentityOf(claims json.RawMessage, get Lookup) (*auth.Identity, error) {
	id := &auth.Identity{Claims: claims, Name: get.text(or(m.NameClaim, "name"))}
	for _, name := range clientClaims {
		if id.Client = get.text(name); id.Client != "" {
			break
		}
	}
	id.Credential = get.text("jti")
	if !get.unverified() {
		id.Email = get.text(or(m.EmailClaim, claimEmail))
	}
	if err := m.user(id, get); err != nil {
		return nil, err
	}
	for _, lists := range []struct {
		into   *[]string
		claims []string
		words  bool
	}{
		{&id.Groups, m.GroupClaim, false},
		{&id.Permissions, m.PermissionClaim, false},
		{&id.Scopes, orList(m.ScopeClaim, defaultScopeClaim), true},
	} {
		for _, claim := range lists.claims {
			texts, problem := get.list(claim, lists.words)
			if problem != "" {
				return nil, badClaim(claim, problem)
			}
			*lists.into = union(*lists.into, texts)
		}
	}
	var err error
	if id.Staff, err = m.StaffClaim.holds(get); err == nil {
		id.Superuser, err = m.SuperuserClaim.holds(get)
	}
	if err != nil {
		return nil, err
	}
	return id, nil
}

// unverified reports whether the issuer says that it has not verified the address.
func (get Lookup) unverified() bool {
	verified := get.claim("email_verified")
	return verified != nil && !isTrue(verified)
}

// user fills in the login name.
func (m *Mapping) user(id *auth.Identity, get Lookup) error {
	claim := or(m.UserClaim, "sub")
	name, problem := get.identifier(claim)
	switch {
	case problem != "":
		return badClaim(claim, problem)
	case m.UserClaim == "" && id.Client != "" && (name == "" || name == id.Client):
		return nil // the client speaks for itself
	case name == "":
		return badClaim(claim, "is missing")
	case claim == claimEmail && get.unverified():
		return badClaim(claim, "is an address that the issuer has not verified")
	}
	id.ID = name
	return nil
}

// holds reports whether the claims say yes.
func (f *Flag) holds(get Lookup) (bool, error) {
	if f == nil {
		return false, nil
	}
	if len(f.Values) == 0 {
		switch value := get.claim(f.Claim); value {
		case nil, false, "false":
			return false, nil
		case true, "true":
			return true, nil
		}
		return false, badClaim(f.Claim, "is neither true nor false")
	}
	// A text is one value: words of it might be chosen by the user.
	texts, problem := get.list(f.Claim, false)
	if problem != "" {
		return false, badClaim(f.Claim, problem)
	}
	return slices.ContainsFunc(texts, func(text string) bool { return slices.Contains(f.Values, text) }), nil
}

// union returns the texts of both lists, each of them once and none empty.
func union(list, more []string) []string {
	for _, text := range more {
		if text != "" && !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return list
}

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

func orList(list, otherwise []string) []string {
	if len(list) == 0 {
		return otherwise
	}
	return list
}

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }

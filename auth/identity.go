// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// An Identity says who made a request, and by which credentials. It must not
// be changed once an authenticator has returned it, since caches share it.
type Identity struct {
	// ID is the login name: what `require user` compares, what upstreams and
	// the access log see. Empty for credentials that stand for no user.
	ID string

	// Key names the user for ever: it is never reused, and unique over all
	// sources. Its forms are store:<ulid>, config:<name>, <issuer>|<subject>,
	// htpasswd:<file>|<name>, entra:<tenant>|<object> and provider:<name>|<id>.
	Key string

	// Source says where the user is kept: store, config, or an issuer.
	Source string

	// Name is the full name for people to read; Email the address.
	Name, Email string

	// Staff and Superuser are Django's is_staff and is_superuser.
	Staff, Superuser bool

	// Groups and Permissions describe the user, Scopes the credential.
	Groups, Permissions, Scopes []string

	// Method is the authenticator that answered, as "token".
	Method string

	// Credential is the public handle of the credential, Client the client
	// that it was issued to, and Family what is revoked together with it.
	Credential, Client, Family string

	// Expires is when the credential ends; zero if it does not.
	Expires time.Time

	// Claims is the JSON object that an issuer signed, if there is one.
	Claims json.RawMessage

	// Proof says what the credentials were verified against, as the version
	// of a password, for the authenticator's own Recheck. It is no secret.
	Proof string
}

// Anonymous is the identity of a request that nobody answered for.
var Anonymous = &Identity{}

// Authenticated reports whether an authenticator answered for the request.
func (id *Identity) Authenticated() bool { return id != nil && id.Method != "" }

// HasUser reports whether the identity is a user's. Client credentials
// authenticate without one.
func (id *Identity) HasUser() bool { return id != nil && id.ID != "" }

// InGroup reports whether the user is a member of the group.
func (id *Identity) InGroup(name string) bool { return slices.Contains(id.Groups, name) }

// HasScope reports whether the credential was granted the scope.
func (id *Identity) HasScope(name string) bool { return slices.Contains(id.Scopes, name) }

// HasPermission reports whether the user holds the permission, written
// app.codename. An active superuser holds all of them, as in Django.
func (id *Identity) HasPermission(name string) bool {
	return id.Superuser || slices.Contains(id.Permissions, name)
}

// Claim returns the claim at a path of names separated by dots, and reports
// whether it is there. A name may contain dots itself, as in
// kubernetes.io.namespace: where several names fit, the longest counts. Values
// are those of encoding/json, but for whole numbers, which are int64 where they
// fit: identifiers above 2^53 keep every digit.
func (id *Identity) Claim(path string) (any, bool) {
	if len(id.Claims) == 0 {
		return nil, false
	}
	raw := id.Claims
	for {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return nil, false
		}
		name := path
		value, found := object[name]
		for !found {
			dot := strings.LastIndexByte(name, '.')
			if dot < 0 {
				return nil, false
			}
			name = name[:dot]
			value, found = object[name]
		}
		if len(name) == len(path) {
			return decodeClaim(value)
		}
		raw = value
		path = path[len(name)+1:]
	}
}

func decodeClaim(raw json.RawMessage) (any, bool) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var claim any
	if decoder.Decode(&claim) != nil {
		return nil, false
	}
	return exact(claim), true
}

// exact replaces the texts of numbers by numbers.
func exact(claim any) any {
	switch claim := claim.(type) {
	case json.Number:
		if whole, err := claim.Int64(); err == nil {
			return whole
		}
		number, _ := claim.Float64()
		return number
	case []any:
		for i := range claim {
			claim[i] = exact(claim[i])
		}
	case map[string]any:
		for name := range claim {
			claim[name] = exact(claim[name])
		}
	}
	return claim
}

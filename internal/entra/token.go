// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package entra

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
)

// Why a token is not accepted. Each is the sender's fault.
var (
	ErrIssuer  = errors.New("the token is of another issuer")
	ErrTenant  = errors.New("the token is of a tenant that is not accepted")
	ErrVersion = errors.New("the token is of a version that is not accepted")
	ErrBinding = errors.New("the key is bound to another issuer")

	errTenantClaim  = errors.New("claim 'tid' is not the tenant of the issuer")
	errVersionClaim = errors.New("claim 'ver' is not the version of the issuer")
	errObject       = errors.New("claim 'oid' is not the ID of an object")
	errClient       = errors.New("neither 'azp' nor 'appid' names the client: not an access token")
	errClaim        = errors.New("a claim of Entra ID has the wrong type")
)

// A Token is an access token of Entra ID.
type Token struct {
	*jose.Token

	Issuer  string
	Tenant  string // tid
	Object  string // oid: of the user, or of the service principal of an app
	Version Version
	Client  string // the app that the token was issued to
	ID      string // jti, or uti; empty if there is none

	// AppOnly is a token of an app that acts for itself, without a user.
	AppOnly bool

	// Guest is a user whose home is another tenant, or no tenant at all.
	Guest bool

	// Granted tells that the token was granted something: a scope, or a role.
	Granted bool

	// Overage tells that the user has more groups than the token has room for.
	Overage bool

	Expires time.Time
}

// newToken reads what is particular to Entra ID. Nothing is verified yet.
func newToken(t *jose.Token, tenant string, version Version) (*Token, error) {
	token := &Token{Token: t, Tenant: tenant, Version: version}
	r := claimReader{t: t}
	// Whoever compares tid alone, or iss alone, must read the same tenant.
	if r.text("tid") != tenant {
		return nil, r.or(errTenantClaim)
	}
	if r.text("ver") != string(version) {
		return nil, r.or(errVersionClaim)
	}
	token.Issuer = r.text("iss")
	if token.Object = r.text("oid"); !IsID(token.Object) {
		return nil, r.or(errObject)
	}
	// An ID token has the type of an access token, and the audience of one where
	// an app calls its own API. It was issued to its audience, and names no client.
	azp, appid := r.text("azp"), r.text("appid")
	if token.Client = azp; azp == "" {
		token.Client = appid
	}
	if token.Client == "" {
		return nil, r.or(errClient)
	}
	if token.ID = r.text("jti"); token.ID == "" {
		token.ID = r.text("uti")
	}
	scope, kind := r.text("scp"), r.text("idtyp")
	token.AppOnly = kind == "app" || kind == "" && scope == ""
	token.Granted = scope != "" || r.filled("roles")
	token.Guest = !token.AppOnly && r.guest(token)
	token.Overage = r.overage()
	if r.err != nil {
		return nil, r.err
	}
	return token, nil
}

// claimReader reads claims until one has the wrong type.
type claimReader struct {
	t   *jose.Token
	err error
}

func (r *claimReader) text(name string) string {
	value, _, err := r.t.String(name)
	if err != nil && r.err == nil {
		r.err = errClaim
	}
	return value
}

func (r *claimReader) or(err error) error {
	if r.err != nil {
		return r.err
	}
	return err
}

// filled reports whether a claim is a list that has something in it.
func (r *claimReader) filled(name string) bool {
	list, err := r.t.Strings(name)
	if err != nil && r.err == nil {
		r.err = errClaim
	}
	return len(list) > 0
}

// guest reports whether a user is one. The optional claim acct says so where
// the app asks for it, and a guest of another organization, or without one, was
// authenticated by another provider than the tenant, which idp then names. The
// login name of a guest has #EXT# in it.
func (r *claimReader) guest(t *Token) bool {
	if r.t.Has("acct") {
		var account json.Number
		if json.Unmarshal(r.t.Raw("acct"), &account) != nil {
			r.err = r.or(errClaim)
		}
		return account != "0"
	}
	if idp := r.text("idp"); idp != "" && !strings.Contains(idp, "/"+t.Tenant+"/") {
		return true
	}
	for _, name := range []string{"upn", "unique_name", "preferred_username"} {
		if strings.Contains(r.text(name), "#EXT#@") {
			return true
		}
	}
	return false
}

// overage reports whether groups were left out, in either of two ways to say so.
func (r *claimReader) overage() bool {
	if raw := r.t.Raw("_claim_names"); raw != nil {
		var names map[string]json.RawMessage
		if json.Unmarshal(raw, &names) != nil {
			r.err = r.or(errClaim)
		}
		if _, left := names["groups"]; left {
			return true
		}
	}
	return r.t.Has("hasgroups") && string(r.t.Raw("hasgroups")) != "false"
}

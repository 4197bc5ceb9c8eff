// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/entra"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/federation"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/possession"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
)

// Claims of Entra ID.
const (
	claimObject = "oid"
	claimGroups = "groups"
)

// Causes of refusals.
var (
	errEntraRevoked = errors.New("the token is revoked")
	errEntraGuest   = errors.New("the user is a guest")
	errEntraApp     = errors.New("the token is of an app that acts for itself")
	errEntraGranted = errors.New("the token has neither a scope nor a role")
	errEntraOverage = errors.New("the user has more groups than the token has room for, and graph is not asked")
)

// identity returns who a token that was verified speaks of.
func (e *Entra) identity(ctx context.Context, t *entra.Token, compact string) (*auth.Identity, error) {
	var family string
	if t.ID != "" {
		family = revocation.JWT(t.Issuer, t.ID)
		revoked, err := e.revoked.Revoked(ctx, family)
		switch {
		case err != nil:
			return nil, &auth.Unavailable{Err: err}
		case revoked:
			return nil, errEntraRevoked
		}
	}
	if err := e.admit(t); err != nil {
		return nil, err
	}
	lookup, err := e.claims(ctx, t, compact)
	if err != nil {
		return nil, err
	}
	mapping, accounts := e.roles(t)
	mapped, err := mapping.IdentityOf(t.Payload, lookup)
	if err != nil {
		return nil, err
	}
	mapped.Method = "entra"
	mapped.Credential, mapped.Family = t.ID, family
	mapped.Client = t.Client
	if e.EmailClaim == "" && e.directory.Several() && string(truth(t.Raw("xms_edov"))) != "true" {
		mapped.Email = "" // whoever administers a tenant writes what they like
	}
	mapped.Expires = t.Expires
	if t.Has("cnf") {
		mapped.Proof = possession.Marker
	}
	switch {
	case t.AppOnly && e.AppUserClaim == "" && e.Compat != compatDjango:
		mapped.ID = ""
	case mapping.UserClaim == claimObject && e.directory.Several():
		// Tenants do not choose the IDs of their objects, but nothing says that
		// an ID is not used in two of them.
		mapped.ID += "." + t.Tenant
	}
	id, err := accounts.Identity(ctx, mapped, "entra:"+t.Tenant, t.Object)
	if err != nil {
		return nil, err
	}
	if e.Compat == compatDjango {
		return e.djangoIdentity(ctx, id, mapped)
	}
	return id, nil
}

// admit refuses tokens of those who are not meant.
func (e *Entra) admit(t *entra.Token) error {
	switch {
	case t.Guest && !*e.AllowGuests:
		return errEntraGuest
	case t.AppOnly && e.Apps == appsOff:
		return errEntraApp
	case !t.AppOnly && e.Compat == compatDjango:
		return nil
	// Every app of a tenant gets tokens for every API of it, unless the API asks
	// for more: only a scope or a role says that somebody meant it.
	case !t.Granted && (!t.AppOnly || e.Apps != appsAny):
		return errEntraGranted
	}
	return nil
}

// roles returns how the claims of a token are read, and whose accounts it is
// looked for among.
func (e *Entra) roles(t *entra.Token) (federation.Mapping, *federation.Accounts) {
	mapping := e.Mapping
	switch {
	case t.AppOnly && e.AppUserClaim != "":
		mapping.UserClaim = e.AppUserClaim
	case t.AppOnly && e.Compat != compatDjango:
		mapping.UserClaim = claimObject
	case t.Guest && e.GuestUserClaim != "" && !t.Has(mapping.UserClaim):
		mapping.UserClaim = e.GuestUserClaim
		return mapping, e.forGuests
	}
	return mapping, &e.Accounts
}

// provisionGuests prepares to link guests by the claim that is their name.
func (e *Entra) provisionGuests() {
	accounts := e.Accounts
	if accounts.Linked() && accounts.Link == e.UserClaim {
		accounts.Link = e.GuestUserClaim
	}
	e.forGuests = &accounts
}

// claims returns the claims of a token, completed by the groups that it had no
// room for, and with flags as they are meant.
func (e *Entra) claims(ctx context.Context, t *entra.Token, compact string) (federation.Lookup, error) {
	replaced := make(map[string]json.RawMessage)
	if t.Overage && e.readsGroups() {
		groups, err := e.overage(ctx, t, compact)
		if err != nil {
			return nil, err
		}
		if replaced[claimGroups], err = json.Marshal(groups); err != nil {
			return nil, fmt.Errorf("encoding groups: %w", err)
		}
	}
	for _, flag := range []*federation.Flag{e.StaffClaim, e.SuperuserClaim} {
		if flag == nil || len(flag.Values) > 0 {
			continue
		}
		if raw := t.Raw(flag.Claim); raw != nil {
			replaced[flag.Claim] = truth(raw)
		}
	}
	if len(replaced) == 0 {
		return t.Raw, nil
	}
	return func(name string) json.RawMessage {
		if raw, ok := replaced[name]; ok {
			return raw
		}
		return t.Raw(name)
	}, nil
}

func (e *Entra) overage(ctx context.Context, t *entra.Token, compact string) ([]string, error) {
	switch {
	case e.graph != nil:
		return e.graph.Groups(ctx, t, compact)
	case e.Overage == overageIgnore:
		return nil, nil
	}
	return nil, errEntraOverage
}

// truth returns what a claim says that is to be true or false: directories that
// are synchronized from elsewhere have only texts and numbers for it.
func truth(raw json.RawMessage) json.RawMessage {
	word := strings.ToLower(strings.Trim(string(raw), `"`))
	switch word {
	case "y", "yes", "t", "true", "on", "1":
		return json.RawMessage("true")
	}
	return json.RawMessage("false")
}

func flagClaim(flag *federation.Flag) string {
	if flag == nil {
		return ""
	}
	return flag.Claim
}

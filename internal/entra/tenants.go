// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package entra

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Directory is the tenants whose tokens are accepted.
type Directory struct {
	// Shared is Common or Organizations if the metadata of all tenants are read
	// in one place, and empty if those of each tenant are.
	Shared string

	// Tenants are those that are accepted; Any accepts all.
	Tenants []string
	Any     bool
}

// Accepts reports whether the tokens of a tenant are accepted.
func (d *Directory) Accepts(tenant string) bool {
	return d.Any || slices.Contains(d.Tenants, tenant)
}

// Several reports whether users of more than one tenant are accepted.
func (d *Directory) Several() bool { return d.Any || len(d.Tenants) > 1 }

// Source names the place whose metadata have the keys of a tenant.
func (d *Directory) Source(tenant string) string {
	if d.Shared != "" {
		return d.Shared
	}
	return tenant
}

// Sources are all that Source returns.
func (d *Directory) Sources() []string {
	if d.Shared != "" {
		return []string{d.Shared}
	}
	return d.Tenants
}

// anyTenant accepts every tenant, where that is meant.
const anyTenant = "any"

// NewDirectory returns the directory of an authenticator's arguments, which
// are tenants or one word for many, and of its allow-list.
func NewDirectory(args, allowed []string) (*Directory, error) {
	switch {
	case len(args) == 0:
		return nil, errors.New("no tenant: say the directory (tenant) ID")
	case len(args) == 1 && (args[0] == Common || args[0] == Organizations):
		d := &Directory{Shared: args[0]}
		switch {
		case len(allowed) == 0:
			return nil, fmt.Errorf("'%s' accepts the users of every tenant there is: say which by allowed_tenants, or `allowed_tenants any`", args[0])
		case len(allowed) == 1 && allowed[0] == anyTenant:
			d.Any = true
			return d, nil
		}
		var err error
		d.Tenants, err = tenantIDs(allowed)
		return d, err
	case len(allowed) > 0:
		return nil, errors.New("allowed_tenants is for 'common' and 'organizations': here the tenants are said already")
	}
	tenants, err := tenantIDs(args)
	return &Directory{Tenants: tenants}, err
}

func tenantIDs(words []string) ([]string, error) {
	ids := make([]string, 0, len(words))
	for _, word := range words {
		id := strings.ToLower(word)
		switch {
		case !IsID(id):
			return nil, fmt.Errorf("tenant '%s': not a directory (tenant) ID, as aaaabbbb-0000-cccc-1111-dddd2222eeee; names of domains change", word)
		case slices.Contains(ids, id):
			return nil, fmt.Errorf("tenant '%s' is given twice", word)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// Audiences returns what the audience of a token may be: what was configured,
// and beside the ID of an app its ID URI and the other way round, since v1.0
// tokens carry the one and v2.0 tokens the other.
func Audiences(configured []string) []string {
	var all []string
	add := func(audience string) {
		if !slices.Contains(all, audience) {
			all = append(all, audience)
		}
	}
	for _, audience := range configured {
		add(audience)
		id := strings.TrimPrefix(audience, "api://")
		if IsID(id) {
			add(id)
			add("api://" + id)
		}
	}
	return all
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package entra knows Microsoft Entra ID: its clouds and tenants, what its
// access tokens say, and how a user's groups are asked of Microsoft Graph.
package entra

import (
	"fmt"
	"slices"
	"strings"
)

// A Cloud is where Entra ID answers, and how it calls itself. URLs are without
// a slash at the end.
type Cloud struct {
	Authority string // where metadata, keys and tokens are; begins the issuer of v2.0 tokens
	STS       string // begins the issuer of v1.0 tokens
	Graph     string // Microsoft Graph
}

// clouds are those that Microsoft runs. The government's cloud calls itself by
// the public one's name in v1.0 tokens; its department of defense has another
// Graph, which the option endpoint names.
var clouds = map[string]Cloud{
	"public": {"https://login.microsoftonline.com", "https://sts.windows.net", "https://graph.microsoft.com"},
	"usgov":  {"https://login.microsoftonline.us", "https://sts.windows.net", "https://graph.microsoft.us"},
	"china":  {"https://login.partner.microsoftonline.cn", "https://sts.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"},
}

// CloudNamed returns the cloud of that name; the empty one is public.
func CloudNamed(name string) (Cloud, error) {
	if name == "" {
		name = "public"
	}
	cloud, ok := clouds[name]
	if !ok {
		return Cloud{}, fmt.Errorf("cloud '%s': not one of public, usgov and china", name)
	}
	return cloud, nil
}

// A Version is that of an access token, which the registration of the API
// chooses and not the endpoint that the client asked.
type Version string

// Versions.
const (
	V1 Version = "1.0"
	V2 Version = "2.0"
)

// Versions are all of them.
var Versions = []Version{V1, V2}

// Words that stand for many tenants.
const (
	Common        = "common"        // every tenant, and personal accounts
	Organizations = "organizations" // every tenant but that of personal accounts
)

// Issuer returns who issues the tokens of a version for a tenant.
func (c Cloud) Issuer(version Version, tenant string) string {
	if version == V1 {
		return c.STS + "/" + tenant + "/"
	}
	return c.Authority + "/" + tenant + "/v2.0"
}

// ParseIssuer returns the tenant and the version that an issuer of this cloud
// names, and reports whether it is one.
func (c Cloud) ParseIssuer(issuer string) (tenant string, version Version, ok bool) {
	for _, version := range Versions {
		begin, end, _ := strings.Cut(c.Issuer(version, "\x00"), "\x00")
		tenant, found := strings.CutPrefix(issuer, begin)
		if !found {
			continue
		}
		if tenant, found = strings.CutSuffix(tenant, end); found && IsID(tenant) {
			return tenant, version, true
		}
	}
	return "", "", false
}

// MetadataURL returns where the metadata of a tenant, or of Common or
// Organizations, are. An app that maps claims has keys of its own, which are
// found by its ID.
func (c Cloud) MetadataURL(version Version, tenant, app string) string {
	url := c.Authority + "/" + tenant
	if version == V2 {
		url += "/v2.0"
	}
	url += "/.well-known/openid-configuration"
	if app != "" {
		url += "?appid=" + app
	}
	return url
}

// TenantTemplate stands for the tenant in the issuer that Common and
// Organizations publish, and in those that keys are bound to.
const TenantTemplate = "{tenantid}"

// AcceptsKeyOf reports whether a key that is bound to an issuer may verify the
// tokens of a tenant. The keys of v1.0 tokens are bound to the issuer of v2.0
// tokens where they are bound at all. A key without an issuer is not bound.
func (c Cloud) AcceptsKeyOf(keyIssuer, tenant string) bool {
	if keyIssuer == "" {
		return true
	}
	issuer := strings.ReplaceAll(keyIssuer, TenantTemplate, tenant)
	return issuer == c.Issuer(V2, tenant) || issuer == c.Issuer(V1, tenant)
}

// IsID reports whether s is a GUID in lower case, as tenants, objects and apps
// are named by.
func IsID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if ('0' > c || c > '9') && ('a' > c || c > 'f') {
				return false
			}
		}
	}
	return true
}

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
		return nil, fmt.Errorf("no tenant: say the directory (tenant) ID")
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
		return nil, fmt.Errorf("allowed_tenants is for 'common' and 'organizations': here the tenants are said already")
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

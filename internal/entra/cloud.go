// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package entra knows Microsoft Entra ID: its clouds and tenants, what its
// access tokens say, and how a user's groups are asked of Microsoft Graph.
package entra

import (
	"fmt"
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

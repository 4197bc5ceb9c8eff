// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidclogin

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// Presets whose providers do something that others do not.
const (
	presetEntra   = "entra"
	presetGeneric = "generic"
	presetGitHub  = "github"
	presetGoogle  = "google"
)

// A preset is what is known of a provider.
type preset struct {
	label     string
	issuer    string // empty: the configuration has to say it
	scopes    []string
	userClaim string
}

var openID = []string{"openid", "profile", "email"}

var presets = map[string]preset{
	presetEntra:   {"Microsoft", "", openID, "preferred_username"},
	presetGeneric: {"", "", openID, "sub"},
	presetGitHub:  {"GitHub", "https://github.com", []string{"read:user", "user:email"}, "preferred_username"},
	"gitlab":      {"GitLab", "https://gitlab.com", openID, "preferred_username"},
	presetGoogle:  {"Google", "https://accounts.google.com", openID, "email"},
	"keycloak":    {"Keycloak", "", openID, "preferred_username"},
}

// entraHost is where the tenants of Entra ID are.
const entraHost = "https://login.microsoftonline.com"

// entraTemplate is what the issuer of a tenant is made of.
const entraTemplate = "{tenantid}"

// complete fills in what the preset knows.
func (p *Provider) complete() error {
	if p.Preset == "" {
		p.Preset = presetGeneric
		if _, known := presets[p.Name]; known {
			p.Preset = p.Name
		}
	}
	known, ok := presets[p.Preset]
	if !ok {
		return fmt.Errorf("unknown preset '%s', expected one of %v", p.Preset, slices.Sorted(maps.Keys(presets)))
	}
	if p.Preset == presetEntra && p.Issuer == "" && p.Tenant != "" {
		p.Issuer = entraHost + "/" + p.Tenant + "/v2.0"
	}
	if p.Preset == presetEntra && p.Tenant == "" {
		p.Tenant = tenantIn(p.Issuer)
	}
	p.Issuer = or(p.Issuer, known.issuer)
	if p.Preset == presetGitHub {
		p.Issuer = strings.TrimSuffix(p.Issuer, "/")
	}
	p.Label = or(p.Label, or(known.label, p.Name))
	if len(p.Scopes) == 0 {
		p.Scopes = slices.Clone(known.scopes)
	}
	p.UserClaim = or(p.UserClaim, known.userClaim)
	p.Link = or(p.Link, "subject")
	if p.atGoogle() && len(p.AllowedDomains) == 1 {
		if _, said := p.Params["hd"]; !said {
			p.Params["hd"] = p.AllowedDomains[0]
		}
	}
	return nil
}

// reserved are parameters of a login that nobody else may set.
var reserved = []string{
	"client_id", "client_secret", "code_challenge", "code_challenge_method", "nonce", "redirect_uri", "request", "request_uri", "response_mode",
	"response_type", "scope", "state", "prompt", "acr_values", "max_age",
}

// Check reports a mistake in complete options.
func (p *Provider) Check() error {
	switch {
	case !namePattern.MatchString(p.Name):
		return fmt.Errorf("name '%s': expected small letters, digits, - and _", p.Name)
	case p.ClientID == "":
		return errors.New("client_id is missing")
	case p.Issuer == "" && p.Preset == presetEntra:
		return errors.New("tenant is missing")
	case p.Issuer == "":
		return errors.New("issuer is missing")
	case p.MaxAge < 0:
		return errors.New("max_age is negative")
	case p.Preset != presetGitHub && !slices.Contains(p.Scopes, "openid"):
		return errors.New("scopes: 'openid' is missing, without which nobody is identified")
	case p.UserPrefix.UserPrefix != "":
		return errors.New("user_prefix: users who log in are those of the store, and have the names that they have there")
	}
	if err := outbound.CheckURL(p.Issuer, p.Settings); err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	for name := range p.Params {
		if name == "" || slices.Contains(reserved, name) {
			return fmt.Errorf("param '%s' is not set this way", name)
		}
	}
	if !slices.Contains([]string{"", "login", "consent", "select_account", "none"}, p.Prompt) {
		return fmt.Errorf("prompt: unknown word '%s', expected login, consent, select_account or none", p.Prompt)
	}
	if p.Preset == presetGitHub {
		for word, said := range map[string]bool{
			"acr_values": len(p.ACRValues) > 0, "discovery_url": p.DiscoveryURL != "", "max_age": p.MaxAge != 0, "userinfo": p.Userinfo, "client_key_file": p.ClientKeyFile != "",
		} {
			if said {
				return fmt.Errorf("%s: GitHub does not speak OpenID Connect", word)
			}
		}
	}
	if err := p.checkTenants(); err != nil {
		return err
	}
	if err := p.checkClientAuth(); err != nil {
		return err
	}
	if err := p.Mapping.Check(); err != nil {
		return err
	}
	return p.Settings.Check()
}

var tenantID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (p *Provider) checkTenants() error {
	switch {
	case p.Preset != presetEntra && (p.Tenant != "" || len(p.AllowedTenants) > 0):
		return errors.New("tenant: only Entra ID has tenants")
	case p.Preset != presetEntra:
		return nil
	case len(p.AllowedDomains) > 0:
		return errors.New("allowed_domains: Entra ID does not verify addresses; say `allowed_tenants`")
	case p.everyTenant() && len(p.AllowedTenants) == 0:
		return fmt.Errorf("tenant %s: say in `allowed_tenants` whose people may log in, or everybody may who has an account there", p.Tenant)
	case p.Link == "email":
		return errors.New("link: Entra ID does not verify addresses, and whoever may change theirs would be anybody: use `link subject`")
	case p.Link != "subject" && p.severalTenants():
		return fmt.Errorf("link: with several tenants, claim '%s' of one may be that of a user in another: use `link subject`", p.Link)
	}
	for _, tenant := range p.AllowedTenants {
		if !tenantID.MatchString(tenant) {
			return fmt.Errorf("allowed_tenants: '%s' is not the ID of a tenant", tenant)
		}
	}
	return nil
}

// everyTenant reports whether Entra ID lets people of all tenants log in.
func (p *Provider) everyTenant() bool {
	return slices.Contains([]string{"common", "organizations", "consumers"}, p.Tenant)
}

// atGoogle reports whether accounts are Google's, whatever the provider is called
// here.
func (p *Provider) atGoogle() bool {
	return p.Preset == presetGoogle || p.Issuer == presets[presetGoogle].issuer
}

// tenantIn returns the tenant that an issuer of Entra ID ends with, or the empty
// string.
func tenantIn(issuer string) string {
	authority, v2 := strings.CutSuffix(issuer, "/v2.0")
	if !v2 {
		return ""
	}
	return authority[strings.LastIndexByte(authority, '/')+1:]
}

// severalTenants reports whether people of more than one tenant may log in.
func (p *Provider) severalTenants() bool { return p.everyTenant() && len(p.AllowedTenants) > 1 }

// acceptIssuer returns which issuers the metadata may name beside the configured
// one. Tenants have domains, and tokens name their IDs.
func (p *Provider) acceptIssuer() func(string) bool {
	if p.Preset != presetEntra {
		return nil
	}
	authority, _, _ := strings.Cut(p.Issuer, "/"+p.Tenant+"/v2.0")
	return func(got string) bool {
		tenant, ours := strings.CutPrefix(got, authority+"/")
		tenant, v2 := strings.CutSuffix(tenant, "/v2.0")
		return ours && v2 && (tenantID.MatchString(tenant) || tenant == entraTemplate) || got == p.Issuer
	}
}

func or(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}

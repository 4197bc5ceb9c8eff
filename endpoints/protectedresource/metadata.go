// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package protectedresource

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/bearer"
)

// wellKnown is where the metadata of a resource without a path is.
const wellKnown = "/.well-known/oauth-protected-resource"

// Metadata are the members of the document, by the names of RFC 9728 section 2.
// What is not configured is left out.
type Metadata struct {
	// The resource, as clients know it: an https URL without query and fragment.
	// A URL of this host by http is accepted for development.
	// Default: the `origin` of the block, with what follows
	// /.well-known/oauth-protected-resource in the path of the mount.
	Resource string `json:"resource,omitempty"`

	// The issuers of access tokens for it. Default: none are named.
	AuthorizationServers []string `json:"authorization_servers,omitempty"`

	// The resource's own keys, for what it signs or what is encrypted to it.
	// Default: none.
	JWKSURI string `json:"jwks_uri,omitempty"`

	// Scopes that clients may ask for. Default: none are named.
	ScopesSupported []string `json:"scopes_supported,omitempty"`

	// How a token may be sent: header, query; an empty list for a resource whose
	// tokens are sent in no way of RFC 6750. Tokens in a body are not read.
	// Default: header.
	BearerMethodsSupported []string `json:"bearer_methods_supported,omitzero"`

	// The algorithms by which the resource signs its responses. Default: none.
	ResourceSigningAlgs []string `json:"resource_signing_alg_values_supported,omitempty"`

	// What people call the resource. Default: none.
	ResourceName string `json:"resource_name,omitempty"`

	// A page for developers. Default: none.
	ResourceDocumentation string `json:"resource_documentation,omitempty"`

	// A page on how clients may use the data. Default: none.
	ResourcePolicyURI string `json:"resource_policy_uri,omitempty"`

	// A page with the terms of service. Default: none.
	ResourceTOSURI string `json:"resource_tos_uri,omitempty"`

	// Whether tokens are bound to client certificates (RFC 8705). Default: false.
	TLSClientCertificateBound bool `json:"tls_client_certificate_bound_access_tokens,omitempty"`

	// The types of authorization_details (RFC 9396) that are understood.
	// Default: none are named.
	AuthorizationDetailsTypes []string `json:"authorization_details_types_supported,omitempty"`

	// The algorithms of DPoP proofs that are accepted. Default: none are named.
	DPoPSigningAlgs []string `json:"dpop_signing_alg_values_supported,omitempty"`

	// Whether every token has to be bound by DPoP. Default: false.
	DPoPBoundRequired bool `json:"dpop_bound_access_tokens_required,omitempty"`
}

// parseMethods reads the line of the ways to send a token.
func (m *Metadata) parseMethods(args []string) error {
	switch {
	case len(args) == 0:
		return errors.New("expected header or query, or none")
	case len(args) == 1 && args[0] == "none":
		m.BearerMethodsSupported = []string{}
	default:
		m.BearerMethodsSupported = args
	}
	return nil
}

// resolve replaces placeholders.
func (m *Metadata) resolve() error {
	replacer := caddy.NewReplacer()
	texts := map[string]*string{
		"resource": &m.Resource, "jwks_uri": &m.JWKSURI, "resource_name": &m.ResourceName,
		"resource_documentation": &m.ResourceDocumentation, "resource_policy_uri": &m.ResourcePolicyURI, "resource_tos_uri": &m.ResourceTOSURI,
	}
	for i := range m.AuthorizationServers {
		texts[fmt.Sprintf("authorization_servers, position %d", i)] = &m.AuthorizationServers[i]
	}
	for i := range m.ScopesSupported {
		texts[fmt.Sprintf("scopes_supported, position %d", i)] = &m.ScopesSupported[i]
	}
	for name, text := range texts {
		value, err := replacer.ReplaceOrErr(*text, true, true)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		*text = value
	}
	return nil
}

// complete sets the defaults and reports what RFC 9728 does not allow.
func (m *Metadata) complete(at endpoints.Mount) error {
	path := strings.TrimSuffix(at.Path, "/")
	if m.Resource == "" {
		suffix, ok := strings.CutPrefix(path, wellKnown)
		if at.Origin == "" || !ok {
			return errors.New("resource: say what clients know the resource as, as https://api.example.com")
		}
		m.Resource = at.Origin + suffix
	}
	resource, err := checkURL(m.Resource)
	if err != nil {
		return fmt.Errorf("resource: %w", err)
	}
	if resource.RawQuery != "" || resource.ForceQuery {
		return fmt.Errorf("resource: '%s' has a query, which no path can lead to", m.Resource)
	}
	if want := wellKnown + strings.TrimSuffix(resource.Path, "/"); path != want {
		return fmt.Errorf("clients look for the metadata of %s at %s: write `protected_resource %s`", m.Resource, want, want)
	}
	for _, issuer := range m.AuthorizationServers {
		if u, err := checkURL(issuer); err != nil {
			return fmt.Errorf("authorization_servers: %w", err)
		} else if u.RawQuery != "" {
			return fmt.Errorf("authorization_servers: '%s' has a query; an issuer has none", issuer)
		}
	}
	for name, text := range map[string]string{
		"jwks_uri": m.JWKSURI, "resource_documentation": m.ResourceDocumentation,
		"resource_policy_uri": m.ResourcePolicyURI, "resource_tos_uri": m.ResourceTOSURI,
	} {
		if text == "" {
			continue
		}
		if _, err := checkURL(text); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return m.checkWords()
}

func (m *Metadata) checkWords() error {
	for _, scope := range m.ScopesSupported {
		if !bearer.IsScope(scope) {
			return fmt.Errorf("scopes_supported: '%s' is not a scope", scope)
		}
	}
	if m.BearerMethodsSupported == nil {
		m.BearerMethodsSupported = []string{"header"}
	}
	for _, method := range m.BearerMethodsSupported {
		switch method {
		case "header", "query":
		case "body":
			return errors.New("bearer_methods_supported: tokens in a body are not read")
		default:
			return fmt.Errorf("bearer_methods_supported: '%s' is not header, query or none", method)
		}
	}
	if slices.Contains(m.ResourceSigningAlgs, "none") {
		return errors.New("resource_signing_alg_values_supported: 'none' is not allowed")
	}
	if slices.ContainsFunc(m.DPoPSigningAlgs, func(alg string) bool { return alg == "none" || strings.HasPrefix(alg, "HS") }) {
		return errors.New("dpop_signing_alg_values_supported: proofs have asymmetric signatures")
	}
	if m.DPoPBoundRequired && len(m.DPoPSigningAlgs) == 0 {
		return errors.New("dpop_bound_access_tokens_required: say dpop_signing_alg_values_supported, too")
	}
	return nil
}

// checkURL returns a URL that begins with https, or with http if it is of this
// host.
func checkURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || strings.HasSuffix(text, "#") ||
		u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return nil, fmt.Errorf("'%s' is not a URL, as https://api.example.com", text)
	}
	return u, nil
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback() || strings.EqualFold(host, "localhost")
}

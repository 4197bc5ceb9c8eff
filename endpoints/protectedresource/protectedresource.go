// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package protectedresource tells clients where to get a token for this site:
// OAuth 2.0 Protected Resource Metadata, RFC 9728.
package protectedresource

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/tokenapi"
)

func init() {
	caddy.RegisterModule(new(Endpoint))
}

// maxAge is how long caches may keep the document, in seconds: it changes with
// the configuration.
const maxAge = 300

// Endpoint serves the metadata of a protected resource, by which a client that
// was refused finds out who issues tokens for it:
//
//	GET .  200 {"resource": "https://api.example.com", "authorization_servers": […], …}
//
// The path is not the operator's to choose: RFC 9728 section 3.1 derives it from
// the resource, and another one is refused. An authenticator leads clients here by
// its `resource_metadata`.
//
// Anybody may read the document, scripts of any origin too. It says nothing but
// what is configured.
type Endpoint struct {
	Metadata

	document []byte
}

// CaddyModule returns the Caddy module information.
func (*Endpoint) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.endpoints.protected_resource",
		New: func() caddy.Module { return new(Endpoint) },
	}
}

// Provision resolves placeholders.
func (e *Endpoint) Provision(caddy.Context) error { return e.resolve() }

// Mount completes the metadata and refuses a path at which no client would look.
func (e *Endpoint) Mount(at endpoints.Mount) error {
	if err := e.complete(at); err != nil {
		return err
	}
	document, err := json.Marshal(e.Metadata)
	if err != nil {
		return fmt.Errorf("encoding the metadata: %w", err)
	}
	e.document = append(document, '\n')
	return nil
}

// Routes returns the mount itself. That it has pages means that the document is
// answered whatever the client says it accepts.
func (e *Endpoint) Routes() []endpoints.Route {
	return []endpoints.Route{{
		Name:    "Protected Resource Metadata",
		Actions: map[string]endpoints.Action{http.MethodGet: e.tell, http.MethodOptions: e.options},
		Access:  endpoints.Access{Fixed: true},
		Pages:   true,
	}}
}

func (e *Endpoint) tell(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(e.document)))
	header.Set("Cache-Control", "public, max-age="+strconv.Itoa(maxAge))
	header.Set("X-Content-Type-Options", "nosniff")
	share(header)
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		// A client that went away is nobody's error.
		_, _ = w.Write(e.document)
	}
	return nil
}

// options answers the preflight of a browser, whose clients send headers of their
// own protocols along.
func (e *Endpoint) options(w http.ResponseWriter, _ *http.Request, _ *auth.Identity) error {
	header := w.Header()
	share(header)
	header.Set("Access-Control-Allow-Methods", "GET, HEAD")
	header.Set("Access-Control-Allow-Headers", "*")
	header.Set("Access-Control-Max-Age", strconv.Itoa(maxAge))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// share lets scripts of every origin read the answer, whatever the mount's own
// `cors` line says of refusals.
func share(header http.Header) {
	header.Set("Access-Control-Allow-Origin", "*")
	header.Del("Access-Control-Allow-Credentials")
}

// UnmarshalCaddyfile sets up the endpoint from Caddyfile tokens. Syntax:
//
//	protected_resource <path> {
//	    resource                                   <url>
//	    authorization_servers                      <issuer...>
//	    jwks_uri                                   <url>
//	    scopes_supported                           <scope...>
//	    bearer_methods_supported                   header|query|none
//	    resource_signing_alg_values_supported      <alg...>
//	    resource_name                              <text>
//	    resource_documentation                     <url>
//	    resource_policy_uri                        <url>
//	    resource_tos_uri                           <url>
//	    tls_client_certificate_bound_access_tokens [on|off]
//	    authorization_details_types_supported      <type...>
//	    dpop_signing_alg_values_supported          <alg...>
//	    dpop_bound_access_tokens_required          [on|off]
//	}
func (e *Endpoint) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return tokenapi.Options{
		"resource":                                   &e.Resource,
		"authorization_servers":                      &e.AuthorizationServers,
		"jwks_uri":                                   &e.JWKSURI,
		"scopes_supported":                           &e.ScopesSupported,
		"bearer_methods_supported":                   e.parseMethods,
		"resource_signing_alg_values_supported":      &e.ResourceSigningAlgs,
		"resource_name":                              &e.ResourceName,
		"resource_documentation":                     &e.ResourceDocumentation,
		"resource_policy_uri":                        &e.ResourcePolicyURI,
		"resource_tos_uri":                           &e.ResourceTOSURI,
		"tls_client_certificate_bound_access_tokens": &e.TLSClientCertificateBound,
		"authorization_details_types_supported":      &e.AuthorizationDetailsTypes,
		"dpop_signing_alg_values_supported":          &e.DPoPSigningAlgs,
		"dpop_bound_access_tokens_required":          &e.DPoPBoundRequired,
	}.Parse(d)
}

// Interface guards
var (
	_ endpoints.Endpoint    = (*Endpoint)(nil)
	_ endpoints.Mounter     = (*Endpoint)(nil)
	_ caddy.Provisioner     = (*Endpoint)(nil)
	_ caddyfile.Unmarshaler = (*Endpoint)(nil)
)

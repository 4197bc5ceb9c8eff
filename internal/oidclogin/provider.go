// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package oidclogin logs people in at an identity provider: by the authorization
// code of OpenID Connect, with PKCE, state and nonce, or by that of OAuth 2.0 at
// GitHub. It knows providers and what browsers keep of a login under way, and
// nothing of pages and sessions, which are the endpoint's.
package oidclogin

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/background"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/discovery"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/federation"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// Provider is a place where people log in who then have a session here.
type Provider struct {
	// The name, which is part of URLs: small letters, digits, `-` and `_`. The
	// provider knows the URLs, so it is better not changed later.
	Name string `json:"name"`

	// What is known of the provider: `entra`, `github`, `gitlab`, `google`,
	// `keycloak` or `generic`. Default: the name, if it is one of these, or else
	// generic.
	Preset string `json:"preset,omitempty"`

	// What people read on the login page. Default: the preset's, or the name.
	Label string `json:"label,omitempty"`

	// The URL that names the provider, as in its tokens; of Keycloak that of the
	// realm. Default: the preset's, where there is but one.
	Issuer string `json:"issuer,omitempty"`

	// The document that says where the provider's endpoints are.
	// Default: `/.well-known/openid-configuration` below the issuer.
	DiscoveryURL string `json:"discovery_url,omitempty"`

	// The directory of Entra ID: its ID or domain, or `organizations` or
	// `common`, which need `allowed_tenants`.
	Tenant string `json:"tenant,omitempty"`

	// The directories of Entra ID, by their IDs, whose people may log in.
	// Default: that of `tenant`.
	AllowedTenants []string `json:"allowed_tenants,omitempty"`

	// What the provider calls this site.
	ClientID string `json:"client_id"`

	// The secret that it gave to this site, best as a placeholder.
	ClientSecret string `json:"client_secret,omitempty"`

	// A file with the secret. Space around it does not count.
	ClientSecretFile string `json:"client_secret_file,omitempty"`

	// A PEM file with the private key of this site, for `private_key_jwt`.
	ClientKeyFile string `json:"client_key_file,omitempty"`

	// The key's name, if the provider knows it by one.
	ClientKeyID string `json:"client_key_id,omitempty"`

	// How this site proves who it is: `basic`, `post`, `private_key_jwt` or
	// `none`. Default: private_key_jwt with a key, none without key and secret,
	// and otherwise basic, or post where the provider does not take that.
	ClientAuth string `json:"client_auth,omitempty"`

	// What is asked for. Default: openid, profile and email; at GitHub
	// read:user and user:email.
	Scopes []string `json:"scopes,omitempty"`

	// Whether the provider asks again who is there: `login`, `consent`,
	// `select_account` or `none`. Default: as it likes.
	Prompt string `json:"prompt,omitempty"`

	// The ways of logging in that will do. The provider has to say that it was
	// one of them. Default: any.
	ACRValues []string `json:"acr_values,omitempty"`

	// How long ago the login at the provider may be. Default: any time.
	MaxAge caddy.Duration `json:"max_age,omitempty"`

	// More parameters of the login's URL.
	Params map[string]string `json:"params,omitempty"`

	// Also asks the provider's userinfo endpoint, for claims that are not in the
	// ID token. Default: false.
	Userinfo bool `json:"userinfo,omitempty"`

	// The groups of which somebody has to be in one. Default: none are needed.
	AllowedGroups []string `json:"allowed_groups,omitempty"`

	// The domains that may log in: at Google those of organizations (`hd`),
	// elsewhere of e-mail addresses that the provider has verified.
	// Default: all.
	AllowedDomains []string `json:"allowed_domains,omitempty"`

	federation.Mapping
	federation.Accounts
	outbound.Settings

	// Adds users who log in for the first time. Default: true.
	Create *bool `json:"create,omitempty"`

	secret    string
	key       *jose.SigningKey
	metadata  *discovery.Provider
	keys      *keyset.Set
	client    *outbound.Client
	exchanges chan struct{} // one per exchange under way
	logger    *zap.Logger
	now       func() time.Time
}

// maxExchanges is how many logins at one provider are finished at once, and
// exchangePatience how long another one waits: whoever makes up codes has us ask
// the provider, and should not have us ask it without end. One takes
// finishPatience at most, however often the provider has to be asked.
const (
	maxExchanges     = 64
	exchangePatience = 10 * time.Second
	finishPatience   = 30 * time.Second
)

var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)

// Provision completes the options, and finds what is known of the provider so
// far, which is not asked yet.
func (p *Provider) Provision(ctx caddy.Context) error {
	p.logger = ctx.Logger()
	p.now = time.Now
	p.exchanges = make(chan struct{}, maxExchanges)
	if err := p.resolve(); err != nil {
		return err
	}
	if err := p.complete(); err != nil {
		return err
	}
	if err := p.Check(); err != nil {
		return err
	}
	if err := p.loadSecrets(); err != nil {
		return err
	}
	create := p.Create == nil || *p.Create
	p.Accounts.Create = &create
	if err := p.Accounts.Provision(ctx); err != nil {
		return err
	}
	var err error
	if p.client, err = outbound.New(p.Settings); err != nil {
		return err
	}
	if p.Preset == presetGitHub {
		return nil
	}
	config := discovery.Config{Issuer: p.Issuer, URL: p.DiscoveryURL, AcceptIssuer: p.acceptIssuer(), Outbound: p.Settings}
	if p.metadata, err = discovery.Acquire(config, p.logger); err != nil {
		return err
	}
	if p.keys, err = keyset.Acquire(keyset.Config{Issuer: p.Issuer, Discovery: &config, Outbound: p.Settings}, p.logger); err != nil {
		return err
	}
	starter, err := background.FromContext(ctx)
	if err != nil {
		return err
	}
	starter.OnStart(p.keys.Start)
	starter.OnStart(p.metadata.Start)
	return nil
}

// Cleanup gives back what other configurations may still use.
func (p *Provider) Cleanup() error {
	var errs []error
	if p.keys != nil {
		errs = append(errs, p.keys.Release())
	}
	if p.metadata != nil {
		errs = append(errs, p.metadata.Release())
	}
	if p.client != nil {
		p.client.Close()
	}
	return errors.Join(errs...)
}

// resolve replaces placeholders.
func (p *Provider) resolve() error {
	replacer := caddy.NewReplacer()
	p.AllowedTenants, p.Scopes, p.ACRValues = slices.Clone(p.AllowedTenants), slices.Clone(p.Scopes), slices.Clone(p.ACRValues)
	p.AllowedGroups, p.AllowedDomains = slices.Clone(p.AllowedGroups), slices.Clone(p.AllowedDomains)
	p.secret = p.ClientSecret
	fields := map[string][]*string{
		"name": {&p.Name}, "preset": {&p.Preset}, "label": {&p.Label}, "issuer": {&p.Issuer}, "discovery_url": {&p.DiscoveryURL},
		"tenant": {&p.Tenant}, "client_id": {&p.ClientID}, "client_secret": {&p.secret}, "client_secret_file": {&p.ClientSecretFile},
		"client_key_file": {&p.ClientKeyFile}, "client_key_id": {&p.ClientKeyID}, "client_auth": {&p.ClientAuth}, "prompt": {&p.Prompt},
	}
	for name, list := range map[string][]string{
		"allowed_tenants": p.AllowedTenants, "scopes": p.Scopes, "acr_values": p.ACRValues, "allowed_groups": p.AllowedGroups, "allowed_domains": p.AllowedDomains,
	} {
		for i := range list {
			fields[name] = append(fields[name], &list[i])
		}
	}
	for name, values := range fields {
		for _, field := range values {
			value, err := replacer.ReplaceOrErr(*field, true, true)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			*field = value
		}
	}
	params := make(map[string]string, len(p.Params))
	for name, value := range p.Params {
		value, err := replacer.ReplaceOrErr(value, true, true)
		if err != nil {
			return fmt.Errorf("param %s: %w", name, err)
		}
		params[name] = value
	}
	p.Params = params
	return p.Resolve()
}

func (p *Provider) loadSecrets() error {
	if p.ClientSecretFile != "" {
		text, err := outbound.ReadSecretFile(p.ClientSecretFile)
		if err != nil {
			return fmt.Errorf("client_secret_file: %w", err)
		}
		if p.secret = strings.TrimSpace(string(text)); p.secret == "" {
			return errors.New("client_secret_file: the file is empty")
		}
	}
	if p.ClientKeyFile == "" {
		return nil
	}
	text, err := outbound.ReadSecretFile(p.ClientKeyFile)
	if err != nil {
		return fmt.Errorf("client_key_file: %w", err)
	}
	if p.key, err = jose.ParseClientKey(text, p.ClientKeyID, ""); err != nil {
		return fmt.Errorf("client_key_file: %w", err)
	}
	return nil
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/background"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/bearer"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/entra"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/federation"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/possession"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func init() {
	caddy.RegisterModule(new(Entra))
}

// Entra accepts access tokens of Microsoft Entra ID (Azure AD), of v1.0 and of
// v2.0, in the Authorization header:
//
//	Authorization: Bearer eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsImtpZCI6…
//
// A user is the object of a tenant, never an address or a login name, which
// change and can be given to somebody else. A daemon that acts for itself is no
// user: it is known by its app and its app roles.
type Entra struct {
	// The directory (tenant) IDs whose tokens are accepted. One of the words
	// `common` and `organizations` stands for those in allowed_tenants, whose
	// keys are then found in one place. Required.
	Tenants []string `json:"tenants,omitempty"`

	// The tenants that are accepted where tenants is `common` or
	// `organizations`. The word `any` accepts every tenant there is: whoever
	// makes one can make users in it. Required there.
	AllowedTenants []string `json:"allowed_tenants,omitempty"`

	// The API that tokens have to be for: its application ID URI, as
	// api://orders, which v1.0 tokens carry, or its application (client) ID,
	// which v2.0 tokens do. The ID of an application and api:// with that ID
	// stand for each other. Required.
	Audience []string `json:"audience,omitempty"`

	// The versions of tokens that are accepted, "1.0" and "2.0". Which one an API
	// gets is said in its registration. Default: both.
	Versions []string `json:"versions,omitempty"`

	// The cloud that the tenants are in: public, usgov or china. Default: public.
	Cloud string `json:"cloud,omitempty"`

	// The base of the URLs of metadata, keys and tokens, and of the issuer of
	// v2.0 tokens, in place of the cloud's. Default: none.
	Authority string `json:"authority,omitempty"`

	// The application (client) ID of the API. It is needed where the API has
	// signing keys of its own, because it maps claims. Default: none.
	ClientID string `json:"client_id,omitempty"`

	// Whether users are accepted who are guests in the tenant. Default: false;
	// true with compat.
	AllowGuests *bool `json:"allow_guests,omitempty"`

	// Which apps are accepted that act for themselves: `roles` for those that
	// have an app role of the API, `any` for all, which in most tenants is every
	// app there is, `off` for none. Default: roles; any with compat.
	Apps string `json:"apps,omitempty"`

	// The claim that is the user ID of an app that acts for itself, as oid or
	// azp. Default: none; it has an app and no user.
	AppUserClaim string `json:"app_user_claim,omitempty"`

	// The claim that is the user ID of guests who do not have user_claim.
	// Default: none; they are refused.
	GuestUserClaim string `json:"guest_user_claim,omitempty"`

	// What becomes of users who have more groups than the token has room for,
	// where Graph is not asked: `refuse` them, or `ignore` all their groups,
	// which lets those in whom `require not group` is to keep out.
	// Default: refuse.
	Overage string `json:"overage,omitempty"`

	// Asks Microsoft Graph for the groups of users who have more of them than
	// the token has room for. Default: it is not asked.
	Graph *EntraGraph `json:"graph,omitempty"`

	// With compat and link, whether users have groups of the token that the
	// store does not know. Nothing is written. Default: false.
	MirrorGroups bool `json:"mirror_groups,omitempty"`

	// Whether unknown users are added to the store where they are linked to it.
	// Default: false; true with compat.
	Create *bool `json:"create,omitempty"`

	// How far the clock of Entra ID may be from ours, at most a minute.
	// Default: 30s; 0 with compat.
	Leeway *caddy.Duration `json:"leeway,omitempty"`

	// The longest life of a token that is accepted. Default: none.
	MaxLifetime caddy.Duration `json:"max_lifetime,omitempty"`

	// With the word django, what django-entra-auth and django-auth-adfs do:
	// their texts and challenge, users of the store by their upn, groups that are
	// those of the token. Every Bearer token is taken for one of Entra ID.
	// Default: none.
	Compat string `json:"compat,omitempty"`

	federation.Mapping
	federation.Accounts
	bearer.Challenger
	outbound.Settings

	sources    bearer.Sources
	directory  *entra.Directory
	cloud      entra.Cloud
	verifier   *entra.Verifier
	graph      *entra.Graph
	forGuests  *federation.Accounts
	store      tokenstore.Store
	revoked    *revocation.List
	possession *possession.Checker
	logger     *zap.Logger
}

// CaddyModule returns the Caddy module information.
func (*Entra) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.authenticators.entra",
		New: func() caddy.Module { return new(Entra) },
	}
}

// Provision checks the settings. Metadata and keys are fetched once the
// configuration runs.
func (e *Entra) Provision(ctx caddy.Context) error {
	e.logger = ctx.Logger()
	if err := e.resolve(); err != nil {
		return err
	}
	if err := e.complete(); err != nil {
		return err
	}
	if err := e.Accounts.Provision(ctx); err != nil {
		return err
	}
	e.provisionGuests()
	var err error
	if e.store, err = tokenstore.FromContext(ctx); err != nil {
		return fmt.Errorf("loading the store: %w", err)
	}
	if e.revoked, err = revocation.FromContext(ctx); err != nil {
		return fmt.Errorf("loading the revoked tokens: %w", err)
	}
	e.DPoPAlgs = possession.Algorithms
	if e.possession, err = possession.FromContext(ctx); err != nil {
		return err
	}
	starter, err := background.FromContext(ctx)
	if err != nil {
		return err
	}
	if e.verifier, err = entra.NewVerifier(e.verifierConfig(), e.logger); err != nil {
		return err
	}
	if e.Graph != nil {
		if e.graph, err = e.Graph.provision(e); err != nil {
			return fmt.Errorf("graph: %w", err)
		}
	}
	starter.OnStart(e.verifier.Start)
	return nil
}

// Cleanup gives back what other configurations may use too.
func (e *Entra) Cleanup() error {
	if e.graph != nil {
		e.graph.Close()
	}
	if e.verifier == nil {
		return nil
	}
	return e.verifier.Release()
}

// UserSource says that the users are those of the tenants, or of the store.
func (e *Entra) UserSource() auth.Source { return e.Source(sourceOf(e.directory)) }

func sourceOf(d *entra.Directory) string {
	if d.Any {
		return "entra:" + d.Shared
	}
	return "entra:" + strings.Join(d.Tenants, ",")
}

// Authenticate returns whom the token of the request speaks of.
func (e *Entra) Authenticate(r *http.Request) (*auth.Identity, error) {
	return e.authenticate(r, true)
}

// Recheck looks at the token, its user and its revocation again, and takes its
// signature as verified.
func (e *Entra) Recheck(r *http.Request, _ *auth.Identity) (*auth.Identity, error) {
	return e.authenticate(r, false)
}

func (e *Entra) authenticate(r *http.Request, signature bool) (*auth.Identity, error) {
	found, err := e.sources.Token(r)
	if err != nil {
		return nil, e.unreadable(err)
	}
	token, err := e.verifier.Read(found.Token)
	if err != nil {
		return nil, e.refuse(err)
	}
	if signature {
		if err := e.verifier.Verify(r.Context(), token); err != nil {
			return nil, e.refuse(err)
		}
	}
	id, err := e.identity(r.Context(), token, found.Token)
	if err == nil && isDPoP(found.Scheme) && !isBound(id) {
		// The Guard is not asked about tokens that are not bound.
		err = e.possession.Guard(r, id, found.Token, found.Scheme)
	}
	if err != nil {
		return nil, e.refuse(err)
	}
	return id, nil
}

// CacheKey returns the token, and how many generations of keys there were before:
// what was verified by a key that is gone is not remembered.
func (e *Entra) CacheKey(r *http.Request) (secret []byte, ok bool) {
	found, err := e.sources.Token(r)
	if err != nil || len(found.Token) > jose.MaxSize {
		return nil, false
	}
	return keyOf(found, e.verifier.Generation()), true
}

// Guard refuses a token that is bound to a key which the request does not prove
// to have.
func (e *Entra) Guard(r *http.Request, id *auth.Identity) error {
	if !isBound(id) {
		return nil
	}
	found, err := e.sources.Token(r)
	if err != nil {
		return e.unreadable(err)
	}
	if err := e.possession.Guard(r, id, found.Token, found.Scheme); err != nil {
		return e.refuse(err)
	}
	return nil
}

// Challenge asks for a token, as RFC 6750 does.
func (e *Entra) Challenge(_ *http.Request, cause error) string {
	if e.Compat == compatDjango {
		return e.djangoChallenge()
	}
	if refusal, ok := errors.AsType[*entra.RefusalError](cause); ok && refusal.Claims != "" {
		return e.claimsChallenge(refusal.Claims)
	}
	if foreign, ok := errors.AsType[*foreignTokenError](cause); ok {
		cause = foreign.failure
	}
	return e.Challenger.Challenge(cause)
}

// ChallengeScope tells a client which scopes its token would have needed.
func (e *Entra) ChallengeScope(_ *http.Request, _ *auth.Identity, scopes []string) string {
	if e.Compat == compatDjango {
		return ""
	}
	return e.InsufficientScope(scopes)
}

// Interface guards
var (
	_ auth.Authenticator   = (*Entra)(nil)
	_ auth.Challenger      = (*Entra)(nil)
	_ auth.ScopeChallenger = (*Entra)(nil)
	_ auth.RealmSetter     = (*Entra)(nil)
	_ auth.Cacheable       = (*Entra)(nil)
	_ auth.Rechecker       = (*Entra)(nil)
	_ auth.Guard           = (*Entra)(nil)
	_ auth.UserSource      = (*Entra)(nil)
	_ caddy.Provisioner    = (*Entra)(nil)
	_ caddy.CleanerUpper   = (*Entra)(nil)
)

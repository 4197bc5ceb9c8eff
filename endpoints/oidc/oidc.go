// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package oidc is the endpoint by which people log in at an identity provider and
// have a session here afterwards: by OpenID Connect, or at GitHub by OAuth 2.0.
package oidc

import (
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/cookie"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/oidclogin"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/page"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/serverkey"
	sessions "github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func init() {
	caddy.RegisterModule(new(Endpoint))
}

// Endpoint logs people in at identity providers.
//
// `login/` leads to the provider, or lists several, `callback/<provider>/` is
// where people come back and get a session, `logout/` ends it here and at the
// provider, and `backchannel-logout/<provider>/` is where a provider says that
// somebody has logged out there. `authenticate session` knows who has logged in.
type Endpoint struct {
	// What it says of cookies, lifetimes and origins, `authenticate session` has
	// to say too; better said once, in the app.
	sessions.Settings

	// The places to log in, in the order of the login page.
	Providers []*oidclogin.Provider `json:"providers,omitempty"`

	// Where people go who log in and were on no way elsewhere. Default: /.
	LoginRedirectURL string `json:"login_redirect_url,omitempty"`

	// Where people go who log out. Default: a page that says so.
	LogoutRedirectURL string `json:"logout_redirect_url,omitempty"`

	// Sends people on who are logged in and ask for the login page. Default: false;
	// they may log in as somebody else.
	RedirectAuthenticatedUser bool `json:"redirect_authenticated_user,omitempty"`

	// The site's name, above the heading of each page. Default: none.
	Title string `json:"title,omitempty"`

	// A file with a template of the site's own for the pages.
	// Default: the built-in look.
	Template string `json:"template,omitempty"`

	at       endpoints.Mount
	sessions *sessions.Manager
	users    *users.Directory
	store    tokenstore.Store
	sealer   *oidclogin.Sealer
	pages    *page.Set
	logger   *zap.Logger
}

// CaddyModule returns the Caddy module information.
func (*Endpoint) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.endpoints.oidc",
		New: func() caddy.Module { return new(Endpoint) },
	}
}

//go:embed pages.html
var pages string

// Provision loads the pages and completes the providers, which are not asked yet.
func (e *Endpoint) Provision(ctx caddy.Context) error {
	e.logger = ctx.Logger()
	if err := e.resolve(); err != nil {
		return err
	}
	if len(e.Providers) == 0 {
		return errors.New("no provider is given")
	}
	for i, p := range e.Providers {
		if p == nil {
			return fmt.Errorf("provider %d is null", i)
		}
		if err := p.Provision(ctx); err != nil {
			return fmt.Errorf("provider %s: %w", p.Name, err)
		}
		if slices.ContainsFunc(e.Providers[:i], func(other *oidclogin.Provider) bool { return other.Name == p.Name }) {
			return fmt.Errorf("provider %s is given twice", p.Name)
		}
	}
	var err error
	if e.sessions, err = sessions.FromContext(ctx, &e.Settings); err != nil {
		return err
	}
	if e.users, err = users.FromContext(ctx); err != nil {
		return fmt.Errorf("loading the users: %w", err)
	}
	if e.store, err = tokenstore.FromContext(ctx); err != nil {
		return fmt.Errorf("loading the store: %w", err)
	}
	e.sealer = oidclogin.NewSealer(serverkey.FromContext(ctx))
	e.pages, err = page.New(pages, samples, e.Title, e.Template, e.LogoutRedirectURL)
	return err
}

func (e *Endpoint) resolve() error {
	replacer := caddy.NewReplacer()
	for _, option := range []struct {
		name  string
		value *string
	}{
		{"login_redirect_url", &e.LoginRedirectURL},
		{"logout_redirect_url", &e.LogoutRedirectURL},
		{"title", &e.Title},
		{"template", &e.Template},
	} {
		value, err := replacer.ReplaceOrErr(*option.value, true, true)
		if err != nil {
			return fmt.Errorf("%s: %w", option.name, err)
		}
		*option.value = value
	}
	e.LoginRedirectURL = or(e.LoginRedirectURL, "/")
	if err := sessions.CheckTarget(e.LoginRedirectURL); err != nil {
		return fmt.Errorf("login_redirect_url: %w", err)
	}
	if err := sessions.CheckTarget(e.LogoutRedirectURL); err != nil {
		return fmt.Errorf("logout_redirect_url: %w", err)
	}
	return nil
}

// Cleanup gives back what the providers share with other configurations.
func (e *Endpoint) Cleanup() error {
	var errs []error
	for _, p := range e.Providers {
		if p != nil {
			errs = append(errs, p.Cleanup())
		}
	}
	return errors.Join(errs...)
}

// Mount tells where the pages are.
func (e *Endpoint) Mount(at endpoints.Mount) error {
	e.at = at
	if at.Origin == "" {
		e.logger.Warn("rest_auth_endpoints has no origin: redirect URIs begin with the host that a request names", zap.String("path", at.Path))
	}
	return nil
}

const (
	loginPath       = "login/"
	callbackPath    = "callback/"
	logoutPath      = "logout/"
	backchannelPath = "backchannel-logout/"
)

// Routes returns login/, callback/, logout/ and backchannel-logout/.
func (e *Endpoint) Routes() []endpoints.Route {
	// A login begins with nobody known, a session that ends is judged here, and a
	// provider proves itself by its signature.
	open := endpoints.Access{Fixed: true}
	return []endpoints.Route{
		{Path: loginPath, Name: "Login", Pages: true, Access: open, Actions: map[string]endpoints.Action{
			http.MethodGet: e.showLogin,
		}},
		{Path: loginPath + "{provider}/", Name: "Login at a provider", Pages: true, Access: open, Actions: map[string]endpoints.Action{
			http.MethodGet: e.login,
		}},
		{Path: callbackPath + "{provider}/", Name: "Callback", Pages: true, Access: open, Actions: map[string]endpoints.Action{
			http.MethodGet: e.callback, http.MethodHead: e.noHead,
		}},
		{Path: logoutPath, Name: "Logout", Pages: true, Access: open, Actions: map[string]endpoints.Action{
			http.MethodGet: e.showLogout, http.MethodPost: e.logout,
		}},
		{Path: backchannelPath + "{provider}/", Name: "Back-channel logout", Access: open, Actions: map[string]endpoints.Action{
			http.MethodPost: e.backchannelLogout,
		}},
	}
}

// LoginLinks returns the providers, for the login page of another API.
func (e *Endpoint) LoginLinks() []endpoints.LoginLink {
	links := make([]endpoints.LoginLink, len(e.Providers))
	for i, p := range e.Providers {
		links[i] = endpoints.LoginLink{Label: p.Label, Path: e.at.Path + loginPath + p.Name + "/"}
	}
	return links
}

// provider returns the one that the path names, or nil.
func (e *Endpoint) provider(name string) *oidclogin.Provider {
	for _, p := range e.Providers {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// jar returns what keeps the logins, or logouts, that are under way.
func (e *Endpoint) jar(kind string) *oidclogin.Jar {
	return &oidclogin.Jar{Sealer: e.sealer, Place: kind + "\x00" + e.at.Path, Now: time.Now}
}

// secure reports whether browsers know this site by https.
func (e *Endpoint) secure(r *http.Request) bool {
	return cookie.HTTPS(r) || e.CookieSecure == cookie.SecureOn || strings.HasPrefix(e.at.Origin, "https://")
}

// absolute returns the URL of one of our paths, as the provider is told it. The
// provider compares it with those that were registered, so that a Host which
// somebody made up leads nowhere.
func (e *Endpoint) absolute(r *http.Request, path string) string {
	origin := e.at.Origin
	if origin == "" {
		scheme := "http"
		if e.secure(r) {
			scheme = "https"
		}
		origin = (&url.URL{Scheme: scheme, Host: r.Host}).String()
	}
	return origin + e.path(r, path)
}

// path returns one of our paths as the client knows it.
func (e *Endpoint) path(r *http.Request, path string) string { return endpoints.Base(r, e.at) + path }

// current returns the session of the request, or nil if it has none.
func (e *Endpoint) current(r *http.Request) (*sessions.Session, error) {
	session, err := e.sessions.Of(r)
	if errors.Is(err, auth.ErrNoCredentials) {
		return nil, nil
	}
	return session, err
}

// log writes one line for what changed who is logged in, and where.
func (e *Endpoint) log(what string, r *http.Request, user *auth.Identity, fields ...zap.Field) {
	clientIP, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	e.logger.Info(what, append([]zap.Field{
		zap.String("user", user.ID), zap.String("user_key", user.Key), zap.String("client_ip", clientIP),
	}, fields...)...)
}

func or(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}

// Interface guards
var (
	_ endpoints.Endpoint    = (*Endpoint)(nil)
	_ endpoints.Mounter     = (*Endpoint)(nil)
	_ endpoints.Refuser     = (*Endpoint)(nil)
	_ endpoints.LoginLinker = (*Endpoint)(nil)
	_ caddy.Provisioner     = (*Endpoint)(nil)
	_ caddy.CleanerUpper    = (*Endpoint)(nil)
	_ caddyfile.Unmarshaler = (*Endpoint)(nil)
)

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package session is the endpoint by which browsers log in and out: pages for
// people, and the same as JSON for scripts of single-page applications.
package session

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/page"
	sessions "github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func init() {
	caddy.RegisterModule(new(Endpoint))
}

// Endpoint logs browsers in and out.
//
// `login/` has a form and takes a name and a password, `logout/` ends the
// session, `sessions/` lists a user's own and ends them. Each answers people by
// pages, and clients that accept JSON and no HTML by JSON.
//
// Every request that changes something needs a CSRF token, the login as well:
// the form has one, and JSON of `login/` tells it.
type Endpoint struct {
	// What it says of cookies, lifetimes and origins, `authenticate session` has
	// to say too; better said once, in the app.
	sessions.Settings

	// Where people go who log in and were on no way elsewhere. Default: /.
	LoginRedirectURL string `json:"login_redirect_url,omitempty"`

	// Where people go who log out. Default: a page that says so.
	LogoutRedirectURL string `json:"logout_redirect_url,omitempty"`

	// Sends people on who are logged in and ask for the login page. Default: false;
	// they may log in as somebody else.
	RedirectAuthenticatedUser bool `json:"redirect_authenticated_user,omitempty"`

	// Asks at the login whether the browser is to keep the session when it
	// closes. Default: false; `expire_at_browser_close` says it for all.
	RememberMe bool `json:"remember_me,omitempty"`

	// The site's name, above the heading of each page. Default: none.
	Title string `json:"title,omitempty"`

	// A file with a template of the site's own for the pages.
	// Default: the built-in look.
	Template string `json:"template,omitempty"`

	at       endpoints.Mount
	logins   []endpoints.LoginLink // of other APIs
	sessions *sessions.Manager
	users    *users.Directory
	store    tokenstore.Store
	pages    *page.Set
	logger   *zap.Logger
}

// CaddyModule returns the Caddy module information.
func (*Endpoint) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.endpoints.session",
		New: func() caddy.Module { return new(Endpoint) },
	}
}

//go:embed pages.html
var pages string

// Provision loads the pages, and finds the users and their sessions.
func (e *Endpoint) Provision(ctx caddy.Context) error {
	e.logger = ctx.Logger()
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
	if e.LoginRedirectURL == "" {
		e.LoginRedirectURL = "/"
	}
	if err := sessions.CheckTarget(e.LoginRedirectURL); err != nil {
		return fmt.Errorf("login_redirect_url: %w", err)
	}
	if err := sessions.CheckTarget(e.LogoutRedirectURL); err != nil {
		return fmt.Errorf("logout_redirect_url: %w", err)
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
	e.pages, err = page.New(pages, samples, e.Title, e.Template, e.LoginRedirectURL, e.LogoutRedirectURL)
	return err
}

// Mount tells where the pages are.
func (e *Endpoint) Mount(at endpoints.Mount) error {
	e.at = at
	return nil
}

// ShowLoginLinks adds to the login page what leads to the logins of others.
func (e *Endpoint) ShowLoginLinks(links []endpoints.LoginLink) { e.logins = links }

// Routes returns login/, logout/ and sessions/.
func (e *Endpoint) Routes() []endpoints.Route {
	// A login begins with nobody known, and a session that ends is judged here:
	// what a site asks of callers elsewhere is in the way of neither.
	open := endpoints.Access{Fixed: true}
	own := endpoints.Access{Authenticators: []json.RawMessage{e.authenticator()}}
	return []endpoints.Route{
		{Path: loginPath, Name: "Login", Pages: true, Access: open, Actions: map[string]endpoints.Action{
			http.MethodGet: e.showLogin, http.MethodPost: e.login,
		}},
		{Path: logoutPath, Name: "Logout", Pages: true, Access: open, Actions: map[string]endpoints.Action{
			http.MethodGet: e.showLogout, http.MethodPost: e.logout,
		}},
		{Path: sessionsPath, Name: "Sessions", Pages: true, Access: own, Actions: map[string]endpoints.Action{
			http.MethodGet: e.list, http.MethodPost: e.fromForm(e.endOthers), http.MethodDelete: e.endOthers,
		}},
		{Path: sessionsPath + "{id}/", Name: "Session", Pages: true, Access: own, Actions: map[string]endpoints.Action{
			http.MethodPost: e.fromForm(e.end), http.MethodDelete: e.end,
		}},
	}
}

const (
	loginPath    = "login/"
	logoutPath   = "logout/"
	sessionsPath = "sessions/"
)

// authenticator returns `authenticate session` with the settings of this
// endpoint, as JSON.
func (e *Endpoint) authenticator() json.RawMessage {
	raw, _ := json.Marshal(struct {
		Authenticator string `json:"authenticator"`
		sessions.Settings
	}{"session", e.Settings}) // texts and numbers: it cannot fail
	return raw
}

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

// Interface guards
var (
	_ endpoints.Endpoint        = (*Endpoint)(nil)
	_ endpoints.Mounter         = (*Endpoint)(nil)
	_ endpoints.Refuser         = (*Endpoint)(nil)
	_ endpoints.LoginLinkShower = (*Endpoint)(nil)
	_ caddy.Provisioner         = (*Endpoint)(nil)
	_ caddyfile.Unmarshaler     = (*Endpoint)(nil)
)

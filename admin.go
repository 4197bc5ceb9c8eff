// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/manage"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/serverkey"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func init() {
	caddy.RegisterModule(adminAPI{})
}

// adminAPI manages users, groups, tokens and the store of the running
// configuration, and explains requests, under /rest_auth/ of Caddy's admin
// endpoint. It keeps nothing:
// Caddy makes it before the apps and never cleans it up.
type adminAPI struct{}

// CaddyModule returns the Caddy module information.
func (adminAPI) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "admin.api.rest_auth",
		New: func() caddy.Module { return new(adminAPI) },
	}
}

// Routes returns the routes of the admin endpoint.
func (adminAPI) Routes() []caddy.AdminRoute {
	return []caddy.AdminRoute{{Pattern: manage.Prefix, Handler: caddy.AdminHandlerFunc(serveAdmin)}}
}

// serveAdmin answers for the app of the configuration that runs now.
func serveAdmin(w http.ResponseWriter, r *http.Request) error {
	ctx := caddy.ActiveContext()
	loaded, err := ctx.AppIfConfigured("rest_auth")
	if err != nil {
		return caddy.APIError{
			HTTPStatus: http.StatusNotFound,
			Err:        err,
			Message:    "the running configuration does not use rest_auth",
		}
	}
	app, ok := loaded.(*App)
	if !ok {
		return fmt.Errorf("app rest_auth is a %T", loaded)
	}
	if r.URL.Path == manage.Prefix+"explain" {
		err = app.serveExplain(ctx, w, r)
	} else {
		err = manage.Handle(app.manager(app.TokenStore()), w, r)
	}
	if refusal := (*manage.Error)(nil); errors.As(err, &refusal) {
		return caddy.APIError{HTTPStatus: refusal.Status, Err: err, Message: refusal.Text}
	}
	return err
}

// manager manages a store of the app: its own, which tells its caches, or one
// that a command opened.
func (a *App) manager(store tokenstore.Store) *manage.Manager {
	return &manage.Manager{
		Store:     store,
		Place:     a.StoreDriver().Identifier(),
		Directory: a.UserDirectory(),
		Hasher:    a.Hasher(),
		Guesses:   a.UserDirectory().Throttle(),
		Keys:      serverkey.FromContext(a.ctx),
		Signing:   a.SigningKeys(),
		Log:       caddy.Log().Named("admin.api.rest_auth"),
		Now:       time.Now,
	}
}

// Interface guards
var (
	_ caddy.Module      = adminAPI{}
	_ caddy.AdminRouter = adminAPI{}
)

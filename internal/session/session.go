// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package session keeps browsers logged in: a random key in a cookie, whose
// digest is a record of the store. It begins and ends sessions for the
// endpoint, and finds them for the authenticator.
//
// Nothing is stored and no cookie is set for a request without a session.
package session

import (
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/cookie"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/csrf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A Session is a browser that is logged in.
type Session struct {
	// ID is the public handle. It is no secret: the key in the cookie is.
	ID string

	// User is whom it was issued to, with Method, Credential and Expires. It is
	// nil in lists.
	User *auth.Identity

	Created  time.Time
	LastUsed time.Time // accurate to a minute or two
	Expires  time.Time

	// Remember says that the browser keeps it when it closes.
	Remember bool

	// Address and Agent are those of the login, Agent cut to 200 bytes.
	Address, Agent string

	// Login is where the user has logged in; nil if that was here.
	Login *Login
}

// A Provider is the app that owns the defaults of a configuration.
type Provider interface {
	SessionSettings() *Settings
}

// A Manager begins, finds and ends the sessions of a site. It is safe for
// concurrent use.
type Manager struct {
	settings Settings
	cookie   cookie.Cookie
	csrf     *csrf.Checker
	store    tokenstore.Store
	users    *users.Directory
	logger   *zap.Logger
	now      func() time.Time
	scans    chan struct{} // holds one while all sessions are looked at
}

// FromContext returns the manager of these settings. They are completed in
// place: what they do not say comes from the app, and then from Django's
// defaults; placeholders are resolved.
func FromContext(ctx caddy.Context, settings *Settings) (*Manager, error) {
	app, err := ctx.App("rest_auth")
	if err != nil {
		return nil, err
	}
	var defaults *Settings
	if provider, ok := app.(Provider); ok {
		defaults = provider.SessionSettings()
	}
	store, err := tokenstore.FromContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("loading the store: %w", err)
	}
	directory, err := users.FromContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("loading the users: %w", err)
	}
	if err := settings.complete(defaults); err != nil {
		return nil, err
	}
	return newManager(settings, store, directory, ctx.Logger())
}

// newManager returns a manager of complete settings.
func newManager(settings *Settings, store tokenstore.Store, directory *users.Directory, logger *zap.Logger) (*Manager, error) {
	m := &Manager{
		settings: *settings,
		cookie:   settings.sessionCookie(),
		store:    store,
		users:    directory,
		logger:   logger,
		now:      time.Now,
		scans:    make(chan struct{}, 1),
	}
	if err := m.cookie.Check(); err != nil {
		return nil, fmt.Errorf("session cookie: %w", err)
	}
	var err error
	if m.csrf, err = csrf.New(settings.csrfOptions()); err != nil {
		return nil, err
	}
	return m, nil
}

// Settings returns the settings, complete.
func (m *Manager) Settings() Settings { return m.settings }

// CSRF returns what checks requests of a session, and of a login, and hands
// out tokens for forms.
func (m *Manager) CSRF() *csrf.Checker { return m.csrf }

// Remembers is what a login means that does not say whether the browser is to
// keep the session when it closes.
func (m *Manager) Remembers() bool {
	return m.settings.ExpireAtBrowserClose == nil || !*m.settings.ExpireAtBrowserClose
}

// slides reports whether the age of a session begins anew with its use.
func (m *Manager) slides() bool {
	return m.settings.SaveEveryRequest != nil && *m.settings.SaveEveryRequest
}

// ends returns when a session ends that was created and last used then.
func (m *Manager) ends(created, used time.Time) time.Time {
	return m.bound(m.kept(created, used), created, used)
}

// kept returns until when the browser keeps the cookie of a session that was
// created and last used then: as long as the session can live. Use alone keeps
// a session from being idle, of which the browser is not told.
func (m *Manager) kept(created, used time.Time) time.Time {
	from := created
	if m.slides() {
		from = used
	}
	end := from.Add(time.Duration(m.settings.CookieAge))
	if absolute := time.Duration(m.settings.AbsoluteTimeout); absolute > 0 {
		end = earlier(end, created.Add(absolute))
	}
	return end
}

// bound returns the end, or an earlier one that a timeout sets.
func (m *Manager) bound(end, created, used time.Time) time.Time {
	if idle := time.Duration(m.settings.IdleTimeout); idle > 0 {
		end = earlier(end, used.Add(idle))
	}
	if absolute := time.Duration(m.settings.AbsoluteTimeout); absolute > 0 {
		end = earlier(end, created.Add(absolute))
	}
	return end
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

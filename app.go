// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/introspection"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/livestore"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/loginthrottle"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/signing"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/simplejwt"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func init() {
	caddy.RegisterModule(new(App))
}

// App holds what all rest_auth handlers of a configuration share: the store of
// users and tokens, the users of the configuration, the defaults of every
// site, and the memory of verified credentials. Store and memory outlive a
// reload.
type App struct {
	// Where users, tokens and sessions are kept.
	// Default: a SQLite file, rest_auth.db, in Caddy's data directory.
	StoreRaw json.RawMessage `json:"store,omitempty" caddy:"namespace=rest_auth.token_stores inline_key=driver"`

	// A few users without a database, who log in by password. What is issued to
	// them, as tokens, is good while the configuration has them.
	Users []users.User `json:"users,omitempty"`

	// What a rest_auth handler uses that does not say otherwise.
	Defaults *Settings `json:"defaults,omitempty"`

	// How many verified credentials are remembered, in memory that is reserved
	// at start, some 400 bytes each. Default: 131072.
	CacheEntries int `json:"cache_entries,omitempty"`

	// What a site decides of its sessions: the defaults of the authenticator
	// and of the endpoint `session`.
	Session *session.Settings `json:"session,omitempty"`

	// What a site decides of the tokens of djangorestframework-simplejwt: the
	// defaults of the authenticator and of the endpoint `simplejwt`.
	SimpleJWT *simplejwt.Settings `json:"simplejwt,omitempty"`

	// Bounds on the work of hashing passwords.
	Passwords *PasswordBounds `json:"passwords,omitempty"`

	// How many passwords may be guessed. Default: as its fields say.
	LoginThrottle *loginthrottle.Settings `json:"login_throttle,omitempty"`

	driver      tokenstore.Driver
	store       *livestore.Store
	cache       *sharedCache
	passwords   *sharedHasher
	guesses     *sharedGuesses
	revocations *revocation.List
	directory   *users.Directory
	signing     *signing.Keys
	fingerprint []byte
	starts      starts
	logger      *zap.Logger
	ctx         caddy.Context
}

// PasswordBounds limit what guessing passwords can cost the server.
type PasswordBounds struct {
	// Hashes that run at a time. Default: the number of processors.
	Slots int `json:"slots,omitempty"`

	// Bytes that running hashes may hold together. Default: 256 MiB.
	Memory int64 `json:"memory,omitempty"`

	// Checks that wait; more are answered 503. Default: 64.
	Queue int `json:"queue,omitempty"`

	// Formats that are accepted although they are weak: md5, sha1,
	// unsalted_md5, unsalted_sha1. Default: none.
	Allow []string `json:"allow,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (*App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth",
		New: func() caddy.Module { return new(App) },
	}
}

// Provision prepares the store without opening it.
func (a *App) Provision(ctx caddy.Context) error {
	a.ctx = ctx
	a.logger = ctx.Logger()
	if a.Passwords == nil {
		a.Passwords = new(PasswordBounds)
	}
	if err := a.checkDefaults(); err != nil {
		return fmt.Errorf("defaults: %w", err)
	}
	if a.Session != nil {
		if err := a.Session.Check(); err != nil {
			return fmt.Errorf("session: %w", err)
		}
	}
	if a.SimpleJWT != nil {
		if err := a.SimpleJWT.Check(); err != nil {
			return fmt.Errorf("simplejwt: %w", err)
		}
	}
	a.signing = signing.New(ctx.Storage(), a.logger.Named("signing"))
	if a.StoreRaw == nil {
		a.StoreRaw = json.RawMessage(`{"driver":"sqlite"}`)
	}
	guest, err := ctx.LoadModule(a, "StoreRaw")
	if err != nil {
		return fmt.Errorf("loading the store: %w", err)
	}
	driver, ok := guest.(tokenstore.Driver)
	if !ok {
		return fmt.Errorf("loading the store: %T is not a store driver", guest)
	}
	a.driver = driver
	if a.passwords, err = acquireHasher(a.Passwords); err != nil {
		return fmt.Errorf("passwords: %w", err)
	}
	a.store, err = livestore.Acquire(driver, livestore.Options{Logger: a.logger, Observe: observeStore})
	if err != nil {
		return fmt.Errorf("preparing the store: %w", err)
	}
	if a.cache, err = acquireCache(driver.Identifier(), a.CacheEntries, a.store); err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	a.revocations = revocation.New(a.store)
	if err := a.resolveUsers(); err != nil {
		return err
	}
	throttle, err := a.newLoginThrottle()
	if err != nil {
		return fmt.Errorf("login_throttle: %w", err)
	}
	if a.directory, err = users.New(a.Users, a.store, a.passwords.Hasher, throttle); err != nil {
		return fmt.Errorf("loading users: %w", err)
	}
	if a.fingerprint, err = json.Marshal(struct {
		Store   string
		Users   []users.User
		Formats []string // without one, what it proved is proved no more
	}{driver.Identifier(), a.Users, a.Passwords.Allow}); err != nil {
		return fmt.Errorf("loading users: %w", err)
	}
	register(ctx.GetMetricsRegistry(), introspection.Seconds, introspection.Rejected)
	register(ctx.GetMetricsRegistry(), storeSeconds, decisionsTotal, cacheTotal, loginsTotal, issuerCollector{}, &appCollector{
		passwords: a.passwords.Hasher,
		cache:     a.cache.Stats,
		trusted:   a.store.Trusted,
	})
	return nil
}

// checkDefaults finds mistakes that no site may be there to find.
func (a *App) checkDefaults() error {
	if a.Defaults == nil {
		return nil
	}
	unsaid := *a.Defaults
	unsaid.inherit(nil)
	if err := unsaid.check(); err != nil {
		return err
	}
	if _, err := newHeaderRules(a.Defaults.HeaderUp); err != nil {
		return fmt.Errorf("header_up: %w", err)
	}
	if _, err := newCORSPolicy(a.Defaults.CORS); err != nil {
		return fmt.Errorf("cors: %w", err)
	}
	return nil
}

// resolveUsers expands placeholders, as {env.ADMIN_HASH}, in the users of the
// configuration. One that is unknown or empty would otherwise be a password.
func (a *App) resolveUsers() error {
	replacer := caddy.NewReplacer()
	for i := range a.Users {
		user := &a.Users[i]
		for _, field := range []*string{&user.Name, &user.Password} {
			value, err := replacer.ReplaceOrErr(*field, true, true)
			if err != nil {
				return fmt.Errorf("loading users: position %d: %w", i, err)
			}
			*field = value
		}
	}
	return nil
}

// Validate reports a store that cannot be served, before it is.
func (a *App) Validate() error {
	checker, ok := a.driver.(tokenstore.Checker)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(a.ctx, 2*time.Second)
	defer cancel()
	if err := checker.Check(ctx); err != nil {
		// Not an error of the configuration: everything else can be served.
		a.logger.Error("the store is not in order; requests that need it will be answered 503",
			zap.String("store", a.driver.Identifier()), zap.Error(err))
	}
	return nil
}

// Start refuses two APIs on one path, opens the store in the background, and
// begins what guests do there.
func (a *App) Start() error {
	if err := a.checkOwners(); err != nil {
		return err
	}
	a.store.Start()
	a.starts.run()
	a.warnOfUnmatched()
	return nil
}

// Stop does nothing: what is shared ends with its last user.
func (a *App) Stop() error { return nil }

// Cleanup releases what is shared with other configurations.
func (a *App) Cleanup() error {
	var errs []error
	if a.directory != nil {
		errs = append(errs, a.directory.Close())
	}
	if a.revocations != nil {
		a.revocations.Close()
	}
	if a.cache != nil {
		errs = append(errs, a.cache.release())
	}
	if a.guesses != nil {
		errs = append(errs, a.guesses.release())
	}
	if a.store != nil {
		errs = append(errs, a.store.Release())
	}
	if a.passwords != nil {
		errs = append(errs, a.passwords.release())
	}
	return errors.Join(errs...)
}

// TokenStore returns the store of the configuration.
func (a *App) TokenStore() tokenstore.Store { return a.store }

// StoreDriver returns what opened the store.
func (a *App) StoreDriver() tokenstore.Driver { return a.driver }

// UserDirectory returns the users of the configuration and of the store.
func (a *App) UserDirectory() *users.Directory { return a.directory }

// SessionSettings returns what the configuration says of sessions, or nil.
func (a *App) SessionSettings() *session.Settings { return a.Session }

// Revocations returns which tokens without records are revoked.
func (a *App) Revocations() *revocation.List { return a.revocations }

// SimpleJWTSettings returns what the configuration says of the tokens of
// djangorestframework-simplejwt, or nil.
func (a *App) SimpleJWTSettings() *simplejwt.Settings { return a.SimpleJWT }

// SigningKeys returns the keys that tokens are signed with.
func (a *App) SigningKeys() *signing.Keys { return a.signing }

// Hasher returns what verifies and makes password hashes.
func (a *App) Hasher() *password.Hasher { return a.passwords.Hasher }

// appFromContext returns the app of the configuration, which is made with its
// defaults if the configuration has none.
func appFromContext(ctx caddy.Context) (*App, error) {
	loaded, err := ctx.App("rest_auth")
	if err != nil {
		return nil, err
	}
	app, ok := loaded.(*App)
	if !ok {
		return nil, fmt.Errorf("app rest_auth is a %T", loaded)
	}
	return app, nil
}

// Interface guards
var (
	_ caddy.App           = (*App)(nil)
	_ caddy.Provisioner   = (*App)(nil)
	_ caddy.Validator     = (*App)(nil)
	_ caddy.CleanerUpper  = (*App)(nil)
	_ tokenstore.Provider = (*App)(nil)
	_ users.Provider      = (*App)(nil)
	_ session.Provider    = (*App)(nil)
	_ signing.Provider    = (*App)(nil)
	_ simplejwt.Provider  = (*App)(nil)
	_ revocation.Provider = (*App)(nil)
)

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package users knows who may log in by password: the users of the
// configuration, then those of the store. It is one place, so that every
// login path judges names, passwords and inactive users alike.
package users

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
	"golang.org/x/text/unicode/norm"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/loginthrottle"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Sources of identities that a Directory returns.
const (
	SourceConfig   = "config"
	SourceStore    = "store"
	SourceHtpasswd = "htpasswd"
)

// maxName is the length in characters of the longest name, as in Django.
const maxName = 150

// User is a user of the configuration. Such a user logs in by password, needs
// no store, and takes the place of a user of the store with the same name, whose
// password and tokens are refused.
type User struct {
	// The login name, at most 150 characters. It is compared in Unicode form
	// NFKC, and upper and lower case are different.
	Name string `json:"name"`

	// The hash of the password, as `caddy hash-password` prints it.
	// The formats of Django and of htpasswd files (bcrypt) are understood too.
	Password string `json:"password"`

	// The e-mail address.
	Email string `json:"email,omitempty"`

	// The name for people to read.
	FullName string `json:"full_name,omitempty"`

	// Refuses every login of this user. Default: false.
	Inactive bool `json:"inactive,omitempty"`

	// Whether `require staff` lets the user pass. Default: false.
	Staff bool `json:"staff,omitempty"`

	// Whether the user holds every permission. Default: false.
	Superuser bool `json:"superuser,omitempty"`

	// The groups that the user is a member of. Permissions that the store
	// gives to a group of the same name are not inherited.
	Groups []string `json:"groups,omitempty"`

	// The permissions that the user holds, written app.codename.
	Permissions []string `json:"permissions,omitempty"`
}

// A Directory finds users by name and verifies their passwords. It is safe for
// concurrent use.
type Directory struct {
	configured map[string]account
	store      tokenstore.Store
	hasher     *password.Hasher
	throttle   *loginthrottle.Throttle // nil is none
	together   together
	logger     *zap.Logger
	now        func() time.Time

	mu       sync.Mutex
	closed   bool
	renewing map[string]func() // what ends the renewal of a user's hash, by key
	renewals sync.WaitGroup
}

// account is a user as a login needs it. The identity has no Method yet.
type account struct {
	identity auth.Identity
	hash     string
	active   bool
}

// New returns the directory of the users of a configuration and of its store.
// A user who could never log in, or is not the only one of the name, is an
// error that names the user. A nil throttle lets everybody guess.
func New(config []User, store tokenstore.Store, hasher *password.Hasher, throttle *loginthrottle.Throttle) (*Directory, error) {
	d := &Directory{
		configured: make(map[string]account, len(config)),
		store:      store,
		hasher:     hasher,
		throttle:   throttle,
		logger:     caddy.Log().Named("rest_auth.users"),
		now:        time.Now,
		renewing:   make(map[string]func()),
	}
	for i, u := range config {
		name := Canonical(u.Name)
		if err := checkName(name); err != nil {
			return nil, fmt.Errorf("user %d (%q): %w", i, u.Name, err)
		}
		if _, taken := d.configured[name]; taken {
			return nil, fmt.Errorf("user %q: the name is given twice", u.Name)
		}
		if err := hasher.Check(u.Password); err != nil {
			return nil, fmt.Errorf("user %q: %w", u.Name, err)
		}
		d.configured[name] = account{identity: u.identity(name), hash: u.Password, active: !u.Inactive}
	}
	return d, nil
}

// Configured reports whether the configuration has a user of that name.
func (d *Directory) Configured(name string) bool {
	_, ok := d.configured[Canonical(name)]
	return ok
}

// Active reports whether a user of the configuration may log in.
func (d *Directory) Active(name string) bool { return d.configured[Canonical(name)].active }

// Names returns the names of the users of the configuration.
func (d *Directory) Names() []string { return slices.Sorted(maps.Keys(d.configured)) }

// Throttle returns what slows down guessing, or nil.
func (d *Directory) Throttle() *loginthrottle.Throttle { return d.throttle }

// Canonical returns the one form of a login name that is stored, looked up,
// locked and logged: Unicode form NFKC, as in Django.
func Canonical(name string) string { return norm.NFKC.String(name) }

func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("the name is empty")
	case !utf8.ValidString(name):
		return errors.New("the name is not UTF-8")
	case utf8.RuneCountInString(name) > maxName:
		return fmt.Errorf("the name is longer than %d characters", maxName)
	}
	for _, r := range name {
		if unicode.IsControl(r) {
			return errors.New("the name contains a control character")
		}
	}
	return nil
}

// proofOf is the proof of a user of a source without versions of passwords.
func proofOf(hash string) string {
	digest := sha256.Sum256([]byte(hash))
	return hex.EncodeToString(digest[:16])
}

func (u *User) identity(name string) auth.Identity {
	return auth.Identity{
		ID:          name,
		Key:         SourceConfig + ":" + name,
		Source:      SourceConfig,
		Name:        u.FullName,
		Email:       u.Email,
		Staff:       u.Staff,
		Superuser:   u.Superuser,
		Groups:      u.Groups,
		Permissions: u.Permissions,
		Proof:       proofOf(u.Password),
	}
}

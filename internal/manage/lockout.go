// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/loginthrottle"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Lockout is what was guessed at a user, or from an address.
type Lockout struct {
	// user or address.
	Scope string `json:"scope"`

	// The login name; empty if no user of the store or of the configuration has
	// the name that was tried, which is not kept.
	User string `json:"user"`

	// What was guessed: password.
	Kind string `json:"kind,omitempty"`

	// Where from, of IPv6 the /64 network. Of a user it is one where the user
	// logged in before, or empty: anywhere else.
	Address string `json:"address"`

	// Failures in a row.
	Failures int `json:"failures"`

	// The latest.
	Last time.Time `json:"last"`

	// When the next guess will be looked at; not there if it would be now.
	Until *time.Time `json:"until"`
}

// ListLockouts returns a page of those users and addresses that have to wait,
// or with counted of all at which or from which was guessed.
func (m *Manager) ListLockouts(ctx context.Context, counted bool, cursor string, limit int) ([]Lockout, string, error) {
	page, next, err := m.Store.Attempts(ctx, loginthrottle.Prefix, cursor, limit)
	if err != nil {
		return nil, "", storeError("listing the lockouts", err)
	}
	now := m.Now()
	lockouts := []Lockout{}
	var subjects []loginthrottle.Subject // of the lockouts
	for _, a := range page {
		subject, ok := loginthrottle.Parse(a.Key)
		backoff := m.Guesses.UserBackoff()
		scope := "user"
		if subject.Digest == "" {
			backoff, scope = m.Guesses.AddressBackoff(), "address"
		}
		wait := backoff.Wait(a, now)
		if !ok || !now.Before(backoff.Ends(a)) || wait <= 0 && !counted {
			continue
		}
		// Guesses at one spelling of a name are counted for all of them, too.
		if subject.Spelling != "" && subject.Network == "" {
			all, err := m.Store.Attempted(ctx, loginthrottle.UserKey(subject))
			if err != nil {
				return nil, "", storeError("listing the lockouts", err)
			}
			if all.Count >= a.Count {
				continue
			}
		}
		l := Lockout{Scope: scope, Kind: subject.Kind, Address: subject.Network, Failures: a.Count, Last: a.Last}
		if wait > 0 {
			until := now.Add(wait).UTC()
			l.Until = &until
		}
		lockouts = append(lockouts, l)
		subjects = append(subjects, subject)
	}
	names, err := m.namesOf(ctx, subjects)
	if err != nil {
		return nil, "", err
	}
	for i := range lockouts {
		lockouts[i].User = names[subjects[i].Name()]
	}
	return lockouts, next, nil
}

// namesOf finds the users who are meant. A name that nobody has may be a password
// that somebody typed in the wrong field.
func (m *Manager) namesOf(ctx context.Context, subjects []loginthrottle.Subject) (map[string]string, error) {
	wanted := make(map[string]bool)
	for _, subject := range subjects {
		if subject.Name() != "" {
			wanted[subject.Name()] = true
		}
	}
	found := make(map[string]string)
	note := func(name string) {
		for _, digest := range []string{loginthrottle.Digest(name), loginthrottle.Spelling(name)} {
			if wanted[digest] {
				found[digest] = name
				delete(wanted, digest)
			}
		}
	}
	for _, name := range m.Directory.Names() {
		note(name)
	}
	for cursor := ""; len(wanted) > 0; {
		page, next, err := m.Store.Users(ctx, cursor, tokenstore.MaxPage)
		if err != nil {
			return nil, storeError("reading the users", err)
		}
		for i := range page {
			note(page[i].Name)
		}
		if cursor = next; next == "" {
			break
		}
	}
	return found, nil
}

// LockoutFilter selects what is guessed at a user, what is guessed from an
// address, or all.
type LockoutFilter struct {
	User, Address string
	All           bool
}

// ClearLockouts forgets what was guessed, and reports how many counts it were.
// The user need not exist: users of a file may be meant.
func (m *Manager) ClearLockouts(ctx context.Context, f LockoutFilter) (int, error) {
	said := 0
	for _, one := range []bool{f.User != "", f.Address != "", f.All} {
		if one {
			said++
		}
	}
	if said != 1 {
		return 0, refuse(http.StatusBadRequest, "say one of user, address and all")
	}
	prefix, network := loginthrottle.Prefix, loginthrottle.Network(f.Address)
	if f.Address != "" && network == "" {
		return 0, invalid("address", "must be an IP address")
	}
	if f.User != "" {
		prefix = loginthrottle.UserPrefix(f.User)
	}
	cleared := 0
	for cursor := ""; ; {
		page, next, err := m.Store.Attempts(ctx, prefix, cursor, tokenstore.MaxPage)
		if err != nil {
			return cleared, storeError("listing the lockouts", err)
		}
		for _, a := range page {
			if subject, ok := loginthrottle.Parse(a.Key); !ok || f.Address != "" && subject.Network != network {
				continue
			}
			if err := m.Store.Forget(ctx, a.Key); err != nil {
				return cleared, storeError("clearing a lockout", err)
			}
			cleared++
		}
		if cursor = next; next == "" {
			break
		}
	}
	m.audit("lockouts cleared", zap.String("user", f.User), zap.String("address", network), zap.Bool("all", f.All), zap.Int("cleared", cleared))
	return cleared, nil
}

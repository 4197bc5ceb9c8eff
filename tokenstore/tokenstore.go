// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package tokenstore is where credentials, users and clients are kept.
//
// Secrets are never stored: a credential is found by a digest of its secret.
// Package storetest holds the suite that every driver passes unchanged.
package tokenstore

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var (
	ErrNotFound    = errors.New("not found")      // absent, revoked, expired, or its user is absent or inactive
	ErrExists      = errors.New("already exists") // digest, slot, user name, origin or client id is taken
	ErrStale       = errors.New("changed since")  // Version does not match: read again
	ErrReused      = errors.New("already used")   // spent, past its grace; its family is revoked before this returns
	ErrLimit       = errors.New("limit reached")
	ErrTooLarge    = errors.New("too large") // Data or a digest is out of bounds
	ErrNewerSchema = errors.New("schema is newer than this program")
	ErrUnavailable = errors.New("store unavailable")

	// ErrInactive is the ErrNotFound of a live record whose user is inactive.
	ErrInactive = fmt.Errorf("user inactive: %w", ErrNotFound)
)

// Bounds that every driver enforces with ErrTooLarge.
const (
	MinDigest = 16
	MaxDigest = 64
	MaxData   = 16 << 10
)

// A Credential is a record of something that was issued: a token, a session, a
// code. The secret itself is nowhere in it.
type Credential struct {
	ID              string    // public handle, never reused
	Kind            string    // what it is for; see the Kind constants
	Label           string    // chosen by people
	Digest          []byte    // unique; SHA-256 of the secret, or what an import brought
	UserKey         string    // index; empty if it stands for no user
	ClientID        string    // index; empty if it was issued to no client
	Family          string    // index; what is revoked together
	Slot            string    // at most one live record per non-empty slot
	Scopes          []string  // what it was granted
	Created         time.Time // UTC, to the microsecond
	Expires         time.Time // zero: never
	LastUsed        time.Time // accurate to a minute; zero: never
	Data            []byte    // opaque, at most MaxData
	Origin          string    // where an import brought it from; such a digest is entombed when it is revoked
	PasswordVersion int64     // if > 0: dies when the user's differs
}

// A User is a person or a service that credentials are issued to.
type User struct {
	Key                      string // store:<ulid>, never reused
	Name                     string // login name, unique, case-sensitive
	Email, FullName          string
	Origin, OriginID         string // where an import brought it from, ("django", "42"); unique if not empty
	PasswordHash             string
	PasswordVersion          int64 // raised by PutUser when PasswordHash changes to another password
	Version                  int64 // raised by every PutUser
	Active, Staff, Superuser bool
	Groups                   []string // names, sorted
	Permissions              []string // app.codename, sorted; Lookup adds those of the groups
}

// A Group is a name that users share, with the permissions it gives them.
type Group struct {
	Name        string
	Permissions []string // sorted
}

// A Client is an application that credentials are issued to.
type Client struct {
	ID, OwnerKey, Name string
	Secrets            [][]byte // digests, newest first; two while one is rotated
	Version            int64
	Data               []byte
}

// A Filter selects credentials by all of its non-empty fields.
type Filter struct{ ID, UserKey, ClientID, Family, Kind string }

// A Change says what another reader's knowledge is now too old for.
type Change struct {
	All                                     bool
	UserKey, CredentialID, Family, ClientID string
}

// A Store keeps credentials, users, groups, clients, nonces and counters.
//
// Implementations must be safe for concurrent use, and each method is atomic.
// Every method may return an error that wraps ErrUnavailable: then nothing is
// known and, after a write, nothing may be assumed. Expiry is judged against
// the caller's now; a store sweeps by it only in Sweep. Slices that are passed
// in or returned are not shared.
type Store interface {
	// Lookup reads a live record and its active user at once; the user is zero
	// if the record has none. User.Permissions include those of the groups. It
	// returns ErrNotFound, or ErrInactive together with both records if only
	// the user's state is in the way.
	Lookup(ctx context.Context, digest []byte, now time.Time) (Credential, User, error)

	// Create adds a record. It returns ErrNotFound if UserKey's user is not
	// active; ErrLimit if max > 0 records of that user and kind live at
	// c.Created (with evict, the oldest go instead); ErrExists if the digest, the
	// ID or the slot is taken, or the digest is entombed by Delete.
	Create(ctx context.Context, c Credential, max int, evict bool) error

	// Touch raises LastUsed and Expires, never lowers them, never revives a
	// record. A zero time leaves the field alone. It may be batched.
	Touch(ctx context.Context, digest []byte, used, expires time.Time) error

	// Consume hands a record out once. Afterwards it returns ErrReused, and
	// revokes the record's family, until the record is swept.
	Consume(ctx context.Context, digest []byte, now time.Time) (Credential, error)

	// Rotate spends old and stores next and sealed, or does nothing. The loser
	// of a race, and a retry within grace, get the first caller's sealed reply
	// and won == false. After the grace it revokes old's family and returns
	// ErrReused.
	Rotate(ctx context.Context, old []byte, next []Credential, sealed []byte, now time.Time, grace time.Duration) (reply []byte, won bool, err error)

	// Delete revokes what matches the filter and is among the digests, if any
	// are given, and reports how many went. The zero Filter without digests is
	// an error. No Create or Rotate under way can bring a record back
	// afterwards. The digest of a record with an Origin stays entombed until the
	// record would have expired, so that another import cannot revive it.
	Delete(ctx context.Context, f Filter, digests ...[]byte) (int, error)

	// List pages through records, expired ones included, by Created, then ID.
	// The cursor is opaque; "" starts, and next is "" at the end.
	List(ctx context.Context, f Filter, cursor string, n int) (page []Credential, next string, err error)

	// User, UserByName and UserByOrigin return ErrNotFound, and otherwise the
	// user, active or not, with the permissions of the groups added.
	User(ctx context.Context, key string) (User, error)
	UserByName(ctx context.Context, name string) (User, error)
	UserByOrigin(ctx context.Context, origin, id string) (User, error)

	// Users pages by Name, with each user's own permissions alone.
	Users(ctx context.Context, cursor string, n int) (page []User, next string, err error)

	// PutUser creates the user if Version is 0, with a Key of its own choice
	// if Key is empty, and replaces it otherwise. Groups that do not exist are
	// created. It returns the user as stored, ErrExists if the name or origin
	// is taken, ErrStale if Version is not the current one, ErrNotFound if it
	// is gone. It stores u.PasswordVersion, and raises it by one if it is the
	// stored one and PasswordHash changed; a rehash of the same password passes
	// through Rehash instead.
	PutUser(ctx context.Context, u User) (User, error)

	// Rehash replaces the password hash old by new for the same password, so
	// that no credential dies of it. It returns ErrStale if old is not the
	// stored one.
	Rehash(ctx context.Context, key, old, new string) error

	// DeleteUser removes the user and its credentials. A later user of the
	// same name has another Key and inherits nothing.
	DeleteUser(ctx context.Context, key string) error

	PutGroup(ctx context.Context, g Group) error        // creates or replaces
	Groups(ctx context.Context) ([]Group, error)        // by Name
	DeleteGroup(ctx context.Context, name string) error // and its memberships

	Client(ctx context.Context, id string) (Client, error)
	PutClient(ctx context.Context, c Client) (Client, error)
	DeleteClient(ctx context.Context, id string) error // with its credentials

	// Remember stores a key until a time and reports whether it was new.
	Remember(ctx context.Context, key string, until time.Time) (fresh bool, err error)
	Known(ctx context.Context, key string) (bool, error)

	// Hit counts an event under key unless limit events happened within per
	// before now; then it returns how long to wait, and counts nothing.
	Hit(ctx context.Context, key string, limit int, per time.Duration, now time.Time) (wait time.Duration, err error)
	Forget(ctx context.Context, key string) error // of Remember and of Hit

	// Sweep removes at most max of what ended before a time: records, spent
	// records, tombstones, remembered keys, counters. It reports how many.
	Sweep(ctx context.Context, before time.Time, max int) (int, error)

	// Watch reports every committed change of any node, first
	// Change{All: true}. It returns when ctx ends or the feed can no longer be
	// trusted; the caller then rechecks every standing.
	Watch(ctx context.Context, changed func(Change)) error

	Close() error
}

// A Transactor is a Store that can do several things as one. The Store that f
// gets is valid until f returns; an error of f undoes everything.
type Transactor interface {
	InTx(ctx context.Context, f func(Store) error) error
}

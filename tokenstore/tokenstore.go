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
	ErrTooLarge    = errors.New("too large")  // Data, a sealed reply, a digest or a name is out of bounds
	ErrCursor      = errors.New("bad cursor") // not one that this list handed out
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
	MaxName   = 1200 // bytes of an ID, Kind, Key, Name, Origin, OriginID, ClientID, Family or Slot
	MaxPage   = 1000 // of List and Users; n is clamped to 1 … MaxPage
)

// MaxExactHits is the highest limit up to which Hit is exact.
const MaxExactHits = 1000

// SpentLife is how long a spent record that would never have expired is kept,
// so that its reuse is noticed; then Sweep takes it.
const SpentLife = 30 * 24 * time.Hour

// A Credential is a record of something that was issued: a token, a session, a
// code. The secret itself is nowhere in it.
//
// A record lives at a time if it is not spent, Expires is zero or after that
// time, and its PasswordVersion, if it has one, is its user's.
type Credential struct {
	ID              string    // public handle, never reused
	Kind            string    // what it is for; see the Kind constants
	Label           string    // chosen by people
	Digest          []byte    // unique; SHA-256 of the secret, or what an import brought
	UserKey         string    // index; empty if it stands for no user; see IsForeign
	ClientID        string    // index; empty if it was issued to no client
	Family          string    // index; what is revoked together
	Slot            string    // at most one live record per non-empty slot
	Scopes          []string  // what it was granted
	Created         time.Time // UTC, to the microsecond
	Expires         time.Time // zero: never
	LastUsed        time.Time // accurate to a minute; zero: never
	Data            []byte    // opaque, at most MaxData
	Origin          string    // where an import brought it from; such a digest is entombed when it is revoked
	PasswordVersion int64     // if > 0: dies when the user's differs; 0 of a foreign user
}

// A User is a person or a service that credentials are issued to.
type User struct {
	Key                      string // store:<ulid>, never reused
	Name                     string // login name, unique, case-sensitive
	Email, FullName          string
	Origin, OriginID         string // where an import brought it from, ("django", "42"); unique if not empty
	PasswordHash             string
	PasswordVersion          int64 // from 1; raised by PutUser when PasswordHash changes to another password
	Version                  int64 // from 1; raised by every PutUser and Rehash
	Active, Staff, Superuser bool
	Groups                   []string // names, sorted
	Permissions              []string // app.codename, sorted; reads of one user add those of the groups
	Inherited                []string // those of Permissions that the groups alone give; PutUser takes them off again
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

// A Change says what another reader's knowledge is now too old for: for
// everything, or for all that belongs to any one of its non-empty fields.
type Change struct {
	All                                     bool
	UserKey, CredentialID, Family, ClientID string
}

// A Store keeps credentials, users, groups, clients, nonces and counters.
//
// The user of a credential may be another source's, as IsForeign tells by its
// key. Then the store looks for none: Create does not ask for one, Lookup
// returns the zero User, and PasswordVersion is stored as 0. Limits, filters and
// reports go by such a key as by any other.
//
// Implementations must be safe for concurrent use, and each method is atomic.
// Every method may return an error that wraps ErrUnavailable: then nothing is
// known and, after a write, nothing may be assumed. Expiry is judged against
// the caller's now; a store sweeps by it only in Sweep. Slices that are passed
// in or returned are not shared; whether an empty one is nil is not specified.
// Times are cut to the microsecond and returned in UTC. Names are compared and
// sorted by their bytes, and any byte may be in them; an empty ID, Kind or Name
// is an error. A method that returns an error has changed nothing, but for the
// revocation that ErrReused stands for, and returns zero values otherwise. After
// Close every method returns an error that wraps ErrUnavailable.
type Store interface {
	// Lookup reads a live record and its active user at once; the user is zero
	// if the record has none, or a foreign one. User.Permissions include those of the groups. It
	// returns ErrNotFound, or ErrInactive together with both records if only
	// the user's state is in the way. A digest out of bounds is ErrNotFound.
	Lookup(ctx context.Context, digest []byte, now time.Time) (Credential, User, error)

	// Create adds a record. It returns ErrNotFound if UserKey's user is neither
	// active nor foreign; ErrLimit if max > 0 records of that user and kind live at
	// c.Created (with evict, the oldest by Created, then ID, are revoked instead;
	// without a UserKey max is ignored); ErrExists if the digest, the ID or the
	// slot is taken, or the digest is entombed. Only a record that lives at
	// c.Created holds its slot; another one is removed when its slot is taken,
	// but for a spent one, which stays without the slot.
	Create(ctx context.Context, c Credential, max int, evict bool) error

	// Touch raises LastUsed and Expires, never lowers them, never revives a
	// record: life is judged at used, without which Expires is not raised. A
	// record that never expires still never does, and the absence of a record is
	// no error. A zero time leaves the field alone. It may be batched.
	Touch(ctx context.Context, digest []byte, used, expires time.Time) error

	// Consume hands a live record out once and spends it. Afterwards it returns
	// ErrReused, and revokes the record's family, until the record is swept. It
	// returns ErrNotFound, and spends nothing, where Lookup would.
	Consume(ctx context.Context, digest []byte, now time.Time) (Credential, error)

	// Rotate spends old, which must live, and stores next and sealed, or does
	// nothing. Each of next is stored as by Create with max 0, after old left its
	// slot. The winner gets its own sealed back. The loser of a race, and a retry
	// before now + grace of the winner, get the first caller's sealed reply and
	// won == false, or ErrNotFound if the user or its password changed meanwhile.
	// After the grace, and after the family was revoked for reuse, it revokes
	// old's family and returns ErrReused. A record spent by Consume is ErrReused.
	Rotate(ctx context.Context, old []byte, next []Credential, sealed []byte, now time.Time, grace time.Duration) (reply []byte, won bool, err error)

	// Delete revokes what matches the filter and is among the digests, if any
	// are given, and reports how many went; spent records go too, uncounted. The
	// zero Filter without digests is an error. No Create or Rotate under way can
	// bring a record back afterwards. However a record with an Origin is revoked
	// (here, by eviction, reuse, or with its user or client), its digest stays
	// entombed for good, so that another import cannot revive it: where it comes
	// from it may have been given a longer life.
	Delete(ctx context.Context, f Filter, digests ...[]byte) (int, error)

	// Revoke remembers until a time, for good without one, that a family is
	// revoked, whether or not there are records of it, and revokes those that
	// there are. A family that was revoked before is so until the later of both
	// times. It is for tokens that carry all that is known of them, so that no
	// record has to be kept of those that are good. Create does not ask for it.
	Revoke(ctx context.Context, family string, until time.Time) error

	// Revoked reports whether a family was revoked by Revoke; an empty one asks
	// whether any was. It stays so until Sweep removes it after its time.
	Revoked(ctx context.Context, family string) (bool, error)

	// List pages through records, expired ones included and spent ones left out,
	// by Created, then ID. The cursor is opaque; "" starts, and next is "" at the
	// end. A forged one is ErrCursor or a page, perhaps an empty one. A record
	// that exists all along is neither skipped nor repeated. The zero Filter
	// selects all.
	List(ctx context.Context, f Filter, cursor string, n int) (page []Credential, next string, err error)

	// User, UserByName and UserByOrigin return ErrNotFound, and otherwise the
	// user, active or not, with the permissions of the groups added.
	User(ctx context.Context, key string) (User, error)
	UserByName(ctx context.Context, name string) (User, error)
	UserByOrigin(ctx context.Context, origin, id string) (User, error)

	// Users pages by Name, with each user's own permissions alone; cursors are
	// as in List.
	Users(ctx context.Context, cursor string, n int) (page []User, next string, err error)

	// PutUser creates the user if Version is 0, with a Key of its own choice
	// if Key is empty, and replaces it otherwise. A foreign Key is an error. Groups that do not exist are
	// created. It returns the user as stored, with its own permissions alone;
	// ErrExists if the key, the name or the origin is taken, ErrNotFound if it is
	// gone, ErrStale if Version is not the current one. Groups and permissions are
	// sorted, and doubles dropped. It stores u.PasswordVersion, 1 at least, and
	// raises it by one if it is the stored one and PasswordHash changed; a rehash
	// of the same password passes through Rehash instead.
	PutUser(ctx context.Context, u User) (User, error)

	// Rehash replaces the password hash old by new for the same password, so
	// that no credential dies of it. It returns ErrStale if old is not the
	// stored one, ErrNotFound if the user is gone. It raises Version, so that who
	// read the old hash cannot put it back.
	Rehash(ctx context.Context, key, old, new string) error

	// DeleteUser removes the user and its credentials. A later user of the
	// same name has another Key and inherits nothing. DeleteUser, DeleteGroup and
	// DeleteClient return ErrNotFound if there is none.
	DeleteUser(ctx context.Context, key string) error

	PutGroup(ctx context.Context, g Group) error        // creates or replaces
	Groups(ctx context.Context) ([]Group, error)        // by Name
	DeleteGroup(ctx context.Context, name string) error // and its memberships

	// PutClient creates the client if Version is 0 and replaces it otherwise,
	// with the errors of PutUser.
	Client(ctx context.Context, id string) (Client, error)
	PutClient(ctx context.Context, c Client) (Client, error)
	DeleteClient(ctx context.Context, id string) error // with its credentials

	// Clients pages through those whose ID begins with prefix, by ID; cursors are
	// as in List.
	Clients(ctx context.Context, prefix, cursor string, n int) (page []Client, next string, err error)

	// Remember stores a key until a time and reports whether it was new; one that
	// was not is kept until the later of both times. A key is known until Sweep
	// or Forget removes it. Remember, Hit and Attempt have separate keys.
	Remember(ctx context.Context, key string, until time.Time) (fresh bool, err error)
	Known(ctx context.Context, key string) (bool, error)

	// Hit counts an event under key unless limit events happened within per
	// before now; then it returns how long to wait until one fits, and counts
	// nothing. An event that is exactly per old no longer counts. A limit below 1
	// always waits for per. Above MaxExactHits events may leave by buckets of
	// per/128, late and never early.
	Hit(ctx context.Context, key string, limit int, per time.Duration, now time.Time) (wait time.Duration, err error)

	// Attempt counts an attempt under key, unless it comes before the wait that b
	// asks for after those that were counted; then it returns how long that still
	// takes, and counts nothing. Of any number of calls at the same time b.Free
	// pass at once, neither more nor less. The count outlives a restart where the
	// store does. Where the clock goes back, the wait is that of the latest
	// attempt; one that is ahead by more than b.Quiet is forgotten.
	Attempt(ctx context.Context, key string, b Backoff, now time.Time) (wait time.Duration, err error)

	// Refund takes one attempt back, which turned out to be no guess: the count is
	// lower by one, and the time of the latest attempt stays, so that nobody gets
	// more attempts by it than were refunded. Without attempts it does nothing.
	Refund(ctx context.Context, key string) error

	// Attempted returns what is counted under a key; Count is 0 without attempts.
	Attempted(ctx context.Context, key string) (Attempts, error)

	// Attempts pages through what is counted, by Key, under those keys that begin
	// with prefix; what is forgotten may be among it until Sweep. Keys are as
	// AttemptKey makes them, cursors as in List.
	Attempts(ctx context.Context, prefix, cursor string, n int) (page []Attempts, next string, err error)

	Forget(ctx context.Context, key string) error // of Remember, Hit and Attempt

	// Sweep removes at most max of what ended before a time: records, spent
	// records, tombstones, revoked families, remembered keys, counters, forgotten
	// attempts. It reports how many. A
	// spent record ends when it would have expired, or after SpentLife; the digest
	// of one with an Origin stays entombed.
	Sweep(ctx context.Context, before time.Time, max int) (int, error)

	// Watch reports every committed change of any node, first
	// Change{All: true}, within a second of the writer's return. Every record
	// that is revoked or spent is named by CredentialID, or by UserKey or ClientID
	// with all others of theirs; a family that is revoked also by Family; a user
	// whose own or groups' fields changed by UserKey. Creation, Touch, nonces,
	// counters and Sweep need no report. changed is called by one goroutine and
	// may use the store. Watch returns, always an error, when ctx ends or the feed
	// can no longer be trusted; the caller then rechecks every standing.
	Watch(ctx context.Context, changed func(Change)) error

	Close() error
}

// A Transactor is a Store that can do several things as one. The Store that f
// gets is valid until f returns, and cannot Watch; an error or a panic of f undoes
// everything, a revocation by ErrReused too, so that f returns nil after one.
// Within f the outer store must not be used.
type Transactor interface {
	InTx(ctx context.Context, f func(Store) error) error
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package django reads what a Django project's `manage.py dumpdata` writes: its
// users, groups, permissions, sessions and the tokens of rest_framework.authtoken,
// django-rest-knox, django-rest-durin and djangorestframework-simplejwt's blacklist.
//
// A dump is read once, whatever its size, and what matters of it is kept in
// unnamed temporary files: a record may refer to one that comes later. Memory is
// bounded by the number of users and of what they have been issued, not by the
// length of the dump. Keys of tokens and sessions are never written anywhere, only
// their digests.
package django

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"strings"
	"time"
)

// Bounds of a dump. Each holds for what is kept in memory.
const (
	MaxUsers       = 2_000_000
	MaxTokens      = 2_000_000 // of each model, sessions too
	MaxGroups      = 100_000
	MaxPermissions = 100_000
	maxModels      = 500 // that are named as not imported
	maxWarnings    = 100 // that are named
)

// DefaultUserModel is Django's own.
const DefaultUserModel = "auth.user"

// Options say how to read a dump.
type Options struct {
	// UserModel is AUTH_USER_MODEL, as accounts.User. Case does not matter.
	// Default: DefaultUserModel.
	UserModel string

	// UsernameField is the model's USERNAME_FIELD. Default: username.
	UsernameField string

	// Canonical returns the form of a login name that is stored. Two users of
	// the same form are a problem.
	Canonical func(name string) string

	// SecretKeys are the project's SECRET_KEY and SECRET_KEY_FALLBACKS, by which
	// sessions are verified. Without them no session is read.
	SecretKeys []string

	// Now is when tokens and sessions must not have ended. Zero: never mind.
	Now time.Time

	// Dir is where the temporary files are made. Default: the system's.
	Dir string
}

// A User is one user of a dump.
type User struct {
	Row  int
	ID   string // the primary key as text; empty if the dump has none
	Name string

	Email, FullName          string
	Password                 string // as Django stores it; at most 2 KiB of it
	Active, Staff, Superuser bool

	Groups      []string // names
	Permissions []string // as app.codename
}

// A Group is one group of a dump.
type Group struct {
	Row         int
	Name        string
	Permissions []string // as app.codename
}

// A Token is what was issued to a user: a token, or a session. Its user is named
// by one of UserID and UserName.
type Token struct {
	Row              int
	Model            string // ModelAuthtoken, ModelKnox, ModelDurin, ModelSession, ModelOutstanding or ModelBlacklisted
	Digest           []byte // SHA-256 of the key; of knox what it stores
	UserID, UserName string
	Client           string    // of durin: the name of its client
	Created          time.Time // zero if the dump does not say
	Expires          time.Time // zero: never

	// AuthHash is what a session says of the password of its user, which Password
	// is if the dump has that user; see SessionLives.
	AuthHash string
	Password *string

	// JTI and Issuer name an outstanding token, or one that is blacklisted. Of the
	// latter the user may be none.
	JTI, Issuer string
}

// A Client is an API client of django-rest-durin.
type Client struct {
	Row          int
	Name         string
	TokenTTL     time.Duration
	ThrottleRate string
}

// LeftOut is how many records of a model are left out for one reason.
type LeftOut struct {
	Model, Text string
	Count       int
}

// A Dump is what was read. Its files are gone after Close.
type Dump struct {
	// Rows is how many records there were of any model.
	Rows int

	// Users, Groups and Tokens are how many there were of each that may be
	// imported. Tokens include sessions.
	Users, Groups, Tokens int

	// Clients are the API clients of durin, in the order of the dump.
	Clients []Client

	// LeftOut are tokens and sessions that are not imported.
	LeftOut []LeftOut

	// Natural says that users have no primary keys. Either all have or none.
	Natural bool

	// Lines says that it is one record a line: one that was cut between two of
	// them cannot be told from a whole one.
	Lines bool

	// Other is how many records there were of each model that is not imported,
	// and OtherRows of all of these.
	Other     map[string]int
	OtherRows int

	// Warnings are what does not keep the dump from being imported. There may
	// be more than are listed.
	Warnings     []Problem
	MoreWarnings int

	*tables
	users, groups, tokens *spool
}

// Read reads a dump to its end. It returns *BadDumpError if the dump cannot be
// imported, and the reader's error if it cannot be read.
func Read(ctx context.Context, r io.Reader, o Options) (d *Dump, err error) {
	if o.UserModel == "" {
		o.UserModel = DefaultUserModel
	}
	o.UserModel = strings.ToLower(o.UserModel)
	if o.UsernameField == "" {
		o.UsernameField = "username"
	}
	d = &Dump{Other: make(map[string]int), tables: newTables()}
	d.sessions.keys = o.SecretKeys
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
			d = nil
		}
	}()
	for _, s := range []**spool{&d.users, &d.groups, &d.tokens} {
		if *s, err = newSpool(o.Dir); err != nil {
			return d, err
		}
	}
	dec := &decoder{Options: o, Dump: d, s: newScanner(r), ctx: ctx}
	if err := dec.read(); err != nil {
		return d, err
	}
	return d, dec.verify()
}

// Close removes what was kept.
func (d *Dump) Close() error {
	var errs []error
	for _, s := range []*spool{d.users, d.groups, d.tokens} {
		if s != nil {
			errs = append(errs, s.close())
		}
	}
	return errors.Join(errs...)
}

// warn notes what an operator should know.
func (d *Dump) warn(p Problem) {
	if len(d.Warnings) == maxWarnings {
		d.MoreWarnings++
		return
	}
	d.Warnings = append(d.Warnings, p)
}

// DumpLine is how to make a dump that can be imported, with more models than those
// that most projects have.
func DumpLine(userModel string, more ...string) string {
	models := strings.Join(append([]string{userModel, "auth.group", "authtoken.token"}, more...), " ")
	return fmt.Sprintf("python manage.py dumpdata --natural-foreign %s --output dump.json", models)
}

// tables are what is remembered of records to find those that others refer to.
// Users and tokens are remembered by 64 bits under a random seed, which is enough
// to tell millions apart.
type tables struct {
	seed         maphash.Seed
	ids, names   map[uint64]int // rows of users
	keys         map[[16]byte]int
	owners       map[uint64]int        // rows of tokens, by what there is one of
	groupNames   map[string]int        // rows of groups
	groupsByPK   map[string]string     // names
	permissions  map[string]permission // by primary key
	contentTypes map[string]string     // app labels by primary key
	clientNames  map[string]int        // rows of durin's clients
	clientsByPK  map[string]string     // names

	rows, kept map[string]int // by model, of tokens and sessions: how many there were, and were kept
	newKnox    bool           // reports whether knox 5 made a token
	sessions   sessionReader
	unsigned   int               // sessions of another key
	passwords  map[uint64]string // of users who have sessions

	outstanding, blacklist map[uint64]int // rows of simplejwt's, by the primary key of the token
}

// A permission is a codename and the content type that says its app.
type permission struct {
	codename    string
	contentType ref
}

func newTables() *tables {
	return &tables{
		seed: maphash.MakeSeed(), ids: make(map[uint64]int), names: make(map[uint64]int),
		keys: make(map[[16]byte]int), owners: make(map[uint64]int),
		groupNames: make(map[string]int), groupsByPK: make(map[string]string),
		permissions: make(map[string]permission), contentTypes: make(map[string]string),
		clientNames: make(map[string]int), clientsByPK: make(map[string]string),
		outstanding: make(map[uint64]int), blacklist: make(map[uint64]int),
		rows: make(map[string]int), kept: make(map[string]int), passwords: make(map[uint64]string),
	}
}

func (t *tables) sum(text string) uint64 { return maphash.String(t.seed, text) }

// HasID reports whether the dump has a user of that primary key.
func (d *Dump) HasID(id string) bool { return d.ids[d.sum(id)] > 0 }

// HasName reports whether the dump has a user of that canonical name.
func (d *Dump) HasName(name string) bool { return d.names[d.sum(name)] > 0 }

// IsUser reports whether the user of that primary key and the one of that
// canonical name are the same record.
func (d *Dump) IsUser(id, name string) bool {
	row := d.names[d.sum(name)]
	return row > 0 && d.ids[d.sum(id)] == row
}

// Has reports whether the dump has records of a model of tokens, also if none is
// kept.
func (d *Dump) Has(model string) bool { return d.rows[model] > 0 }

// HasToken reports whether the dump has a token of that digest that may be
// imported.
func (d *Dump) HasToken(digest []byte) bool {
	return len(digest) >= 16 && d.keys[[16]byte(digest)] > 0
}

// HasGroup reports whether the dump has a group of that name.
func (d *Dump) HasGroup(name string) bool { return d.groupNames[name] > 0 }

// HasClient reports whether the dump has a client of durin of that name.
func (d *Dump) HasClient(name string) bool { return d.clientNames[name] > 0 }

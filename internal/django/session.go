// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import "crypto/sha256"

// maxSession is how long the data of a session may be, as stored and unpacked,
// in bytes.
const maxSession = 1 << 20

// sessionKeyLength is the length of the keys that Django makes. No other is ever
// looked up.
const sessionKeyLength = 32

// Why a session is left out.
const (
	leftNoKey      = "not verified, since no SECRET_KEY was given"
	leftAnonymous  = "of people who are not logged in"
	leftUnsigned   = "not signed with a SECRET_KEY that was given"
	leftPickled    = "pickled, which is never read, since that could run a program"
	leftUnreadable = "not readable"
	leftLarge      = "larger than 1 MiB"
	leftLoggedOut  = "of passwords that were changed in the project since"
)

// session is a session of django.contrib.sessions: its key, which the browser has
// in a cookie, is the primary key.
type session struct {
	issued
	data    string
	more    bool // than was read of the data
	expires string
}

func (s *session) field(f *field) (own bool, err error) {
	switch f.name {
	case "session_data":
		s.data, s.more, err = f.cut(maxSession)
	case "expire_date":
		s.expires, err = f.text(maxName)
	default:
		return false, nil
	}
	return true, err
}

func (s *session) finish(d *decoder, r *record) error {
	if r.pk == "" {
		return wrong("the session has no key; dump sessions.session with its primary key")
	}
	s.Model, s.Row = ModelSession, r.row
	var err error
	if s.Expires, err = parseTime(s.expires); err != nil || s.Expires.IsZero() {
		return wrong("expire_date: not a time")
	}
	d.rows[s.Model]++
	if d.expired(&s.issued) {
		return nil
	}
	login, reason := d.sessions.read(s.data, s.more)
	if reason == "" && len(r.pk) != sessionKeyLength {
		reason = leftUnreadable
	}
	if reason != "" {
		if reason == leftUnsigned {
			d.unsigned++
		}
		d.leave(s.Model, reason)
		return nil
	}
	s.User, s.Created, s.AuthHash = ref{PK: login.user}, login.signed, login.authHash
	sum := sha256.Sum256([]byte(r.pk))
	return d.keep(&s.issued, sum[:])
}

// passwordsOf keeps the passwords of users who have sessions, to tell sessions
// that a change of the password ended.
func (d *decoder) passwordsOf() error {
	if d.kept[ModelSession] == 0 {
		return nil
	}
	wanted := make(map[uint64]bool)
	err := each(d.tokens, func(i issued) error {
		if i.Model == ModelSession {
			wanted[d.sum(i.User.PK)] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	return each(d.users, func(u user) error {
		if u.ID != "" && len(u.Password) <= maxSessionPassword && wanted[d.sum(u.ID)] {
			d.passwords[d.sum(u.ID)] = u.Password
		}
		return nil
	})
}

// maxSessionPassword is the length in bytes of the longest hash whose user's
// sessions are imported.
const maxSessionPassword = 512

// SessionLives reports whether the project would still accept a session of a
// user with that password hash.
func (d *Dump) SessionLives(t Token, passwordHash string) bool {
	return t.Model == ModelSession && d.sessions.provedBy(t.AuthHash, passwordHash)
}

// SessionsVerified reports whether sessions could be read at all: a dump whose
// sessions are signed with another key says nothing of who is logged in.
func (d *Dump) SessionsVerified() bool {
	return len(d.sessions.keys) > 0 && (d.unsigned == 0 || d.kept[ModelSession] > 0)
}

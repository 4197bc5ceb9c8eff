// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// copied is a record that shares nothing with c, with times as they are stored.
func copied(c tokenstore.Credential) tokenstore.Credential {
	c.Digest, c.Data, c.Scopes = bytes.Clone(c.Digest), bytes.Clone(c.Data), slices.Clone(c.Scopes)
	c.Created, c.Expires, c.LastUsed = cut(c.Created), cut(c.Expires), cut(c.LastUsed)
	return c
}

// cut is a time as it is stored.
func cut(t time.Time) time.Time { return t.Truncate(time.Microsecond).UTC() }

// userless reports whether no user of the store has a say in a record.
func (e *entry) userless() bool { return e.UserKey == "" || tokenstore.IsForeign(e.UserKey) }

// lives reports whether a record is neither spent, nor expired, nor bound to a
// password that was changed.
func (s *state) lives(e *entry, now time.Time) bool {
	return !e.spent && (e.Expires.IsZero() || now.Before(e.Expires)) && s.bound(e)
}

// bound reports whether the password that a record is bound to is the user's.
func (s *state) bound(e *entry) bool {
	return e.userless() || e.PasswordVersion <= 0 || e.PasswordVersion == s.people[e.UserKey].PasswordVersion
}

// standing returns the user of a record that may be used.
func (s *state) standing(e *entry, now time.Time) (tokenstore.User, error) {
	if e == nil || !s.lives(e, now) {
		return tokenstore.User{}, tokenstore.ErrNotFound
	}
	if e.userless() {
		return tokenstore.User{}, nil
	}
	u, ok := s.people[e.UserKey]
	if !ok {
		return tokenstore.User{}, tokenstore.ErrNotFound
	}
	if !u.Active {
		return u, tokenstore.ErrInactive
	}
	return u, nil
}

// create adds a record, after all that the contract asks of it.
func (s *state) create(c tokenstore.Credential, limit int, evict bool) error {
	if c.ID == "" || c.Kind == "" {
		return errors.New("creating a record without an ID or a kind")
	}
	if len(c.Digest) < tokenstore.MinDigest || len(c.Digest) > tokenstore.MaxDigest || len(c.Data) > tokenstore.MaxData {
		return tokenstore.ErrTooLarge
	}
	if tooLong(c.ID, c.Kind, c.UserKey, c.ClientID, c.Family, c.Slot) {
		return tokenstore.ErrTooLarge
	}
	e := &entry{Credential: copied(c)}
	if !e.userless() && !s.people[e.UserKey].Active {
		return tokenstore.ErrNotFound
	}
	if tokenstore.IsForeign(e.UserKey) {
		e.PasswordVersion = 0
	}
	if s.records[string(e.Digest)] != nil || s.ids[e.ID] != nil || s.tombs[string(e.Digest)] {
		return tokenstore.ErrExists
	}
	if holder := s.slots[e.Slot]; e.Slot != "" && holder != nil {
		if s.lives(holder, e.Created) {
			return tokenstore.ErrExists
		}
		s.revoke(holder)
	}
	if err := s.makeRoom(e, limit, evict); err != nil {
		return err
	}
	s.add(e)
	return nil
}

// tooLong reports whether one of the names is longer than the contract allows.
func tooLong(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return len(name) > tokenstore.MaxName })
}

// makeRoom sees to the limit that a new record is created under.
func (s *state) makeRoom(e *entry, limit int, evict bool) error {
	if limit <= 0 || e.UserKey == "" {
		return nil
	}
	var living []*entry
	for other := range s.users[e.UserKey] {
		if other.Kind == e.Kind && s.lives(other, e.Created) {
			living = append(living, other)
		}
	}
	excess := len(living) - limit + 1
	if excess <= 0 {
		return nil
	}
	if !evict {
		return tokenstore.ErrLimit
	}
	slices.SortFunc(living, older)
	for _, old := range living[:excess] {
		s.revoke(old)
	}
	return nil
}

// older orders records by Created, then ID.
func older(a, b *entry) int {
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
}

// spend keeps a record for nothing but the notice of its reuse.
func (s *state) spend(e *entry, now time.Time, change func(*entry)) {
	s.set(e, func(e *entry) {
		e.spent, e.ended = true, now
		change(e)
	})
	if e.Expires.IsZero() {
		s.schedule.expect(mortal{mortalRecord, string(e.Digest)}, e.end())
	}
	if s.slots[e.Slot] == e {
		drop(s, s.slots, e.Slot)
	}
	s.changed(tokenstore.Change{CredentialID: e.ID})
}

// revoke removes a record and entombs the digest of an imported one.
func (s *state) revoke(e *entry) {
	s.remove(e)
	if e.Origin != "" {
		put(s, s.tombs, string(e.Digest), true)
	}
	s.changed(tokenstore.Change{CredentialID: e.ID})
}

// reused revokes the family of a spent record. Its spent members stay, so that
// their reuse is noticed too, but give out no reply any more.
func (s *state) reused(e *entry) {
	s.silence(e)
	if e.Family == "" {
		return
	}
	for other := range s.family[e.Family] {
		if other.spent {
			s.silence(other)
		} else {
			s.revoke(other)
		}
	}
	s.changed(tokenstore.Change{Family: e.Family})
}

func (s *state) silence(e *entry) {
	s.set(e, func(e *entry) { e.rotated, e.sealed = false, nil })
}

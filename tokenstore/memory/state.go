// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A state is all data of a store. Only its methods change it, so that each
// change is in the journal and can be undone.
type state struct {
	records map[string]*entry // by digest
	ids     map[string]*entry
	slots   map[string]*entry // who holds it, or held it last
	users   index             // records by UserKey
	clients index             // records by ClientID
	family  index             // records by Family
	tombs   map[string]bool   // digests

	people  map[string]tokenstore.User // by Key, with their own permissions
	names   map[string]string          // Key by Name
	origins map[origin]string          // Key by origin
	groups  map[string][]string        // permissions by name
	apps    map[string]tokenstore.Client

	remembered map[string]time.Time
	revoked    map[string]time.Time // by family; zero: for good
	attempts   map[string]attempts

	schedule schedule // is not undone: it may know too much

	journal []func()
	changes []tokenstore.Change
}

// An entry is a record and what became of it. It is replaced, never changed, but
// by set.
type entry struct {
	tokenstore.Credential
	spent   bool
	ended   time.Time // when it was spent
	rotated bool      // spent by Rotate, whose reply may be asked for again
	sealed  []byte
	until   time.Time // end of the grace
}

type index map[string]map[*entry]struct{}

type origin struct{ system, id string }

func newState() *state {
	return &state{
		records: make(map[string]*entry), ids: make(map[string]*entry), slots: make(map[string]*entry),
		users: make(index), clients: make(index), family: make(index), tombs: make(map[string]bool),
		people: make(map[string]tokenstore.User), names: make(map[string]string), origins: make(map[origin]string),
		groups: make(map[string][]string), apps: make(map[string]tokenstore.Client),
		remembered: make(map[string]time.Time), revoked: make(map[string]time.Time), attempts: make(map[string]attempts),
	}
}

// A savepoint is a place in the journal.
type savepoint struct{ journal, changes int }

func (s *state) savepoint() savepoint { return savepoint{len(s.journal), len(s.changes)} }

// rollback undoes everything after a savepoint, the latest first.
func (s *state) rollback(to savepoint) {
	for i := len(s.journal) - 1; i >= to.journal; i-- {
		s.journal[i]()
	}
	clear(s.journal[to.journal:])
	s.journal = s.journal[:to.journal]
	s.changes = s.changes[:to.changes]
}

// commit forgets how to undo, and returns what changed.
func (s *state) commit() []tokenstore.Change {
	changes := s.changes
	clear(s.journal)
	s.journal, s.changes = s.journal[:0], nil
	return changes
}

// changed notes a change for those who watch.
func (s *state) changed(c tokenstore.Change) { s.changes = append(s.changes, c) }

// put sets m[k], and notes how to undo it.
func put[K comparable, V any](s *state, m map[K]V, k K, v V) {
	old, had := m[k]
	m[k] = v
	s.journal = append(s.journal, func() {
		if had {
			m[k] = old
		} else {
			delete(m, k)
		}
	})
}

// drop deletes m[k], and notes how to undo it.
func drop[K comparable, V any](s *state, m map[K]V, k K) {
	old, had := m[k]
	if !had {
		return
	}
	delete(m, k)
	s.journal = append(s.journal, func() { m[k] = old })
}

// set changes an entry, and notes how to undo it.
func (s *state) set(e *entry, change func(*entry)) {
	old := *e
	change(e)
	s.journal = append(s.journal, func() { *e = old })
}

// add puts an entry into all indexes.
func (s *state) add(e *entry) {
	put(s, s.records, string(e.Digest), e)
	s.schedule.expect(mortal{mortalRecord, string(e.Digest)}, e.end())
	put(s, s.ids, e.ID, e)
	if e.Slot != "" {
		put(s, s.slots, e.Slot, e)
	}
	s.enter(s.users, e.UserKey, e)
	s.enter(s.clients, e.ClientID, e)
	s.enter(s.family, e.Family, e)
}

// remove takes an entry out of all indexes.
func (s *state) remove(e *entry) {
	drop(s, s.records, string(e.Digest))
	drop(s, s.ids, e.ID)
	if s.slots[e.Slot] == e {
		drop(s, s.slots, e.Slot)
	}
	s.leave(s.users, e.UserKey, e)
	s.leave(s.clients, e.ClientID, e)
	s.leave(s.family, e.Family, e)
}

func (s *state) enter(in index, key string, e *entry) {
	if key == "" {
		return
	}
	if in[key] == nil {
		put(s, in, key, make(map[*entry]struct{}))
	}
	put(s, in[key], e, struct{}{})
}

func (s *state) leave(in index, key string, e *entry) {
	if key == "" {
		return
	}
	drop(s, in[key], e)
	if len(in[key]) == 0 {
		drop(s, in, key)
	}
}

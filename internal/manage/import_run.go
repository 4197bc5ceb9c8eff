// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/django"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// An importer puts one dump into one store.
type importer struct {
	ImportOptions
	*Manager
	store  tokenstore.Store
	inTx   bool // reports whether store is that of a transaction
	dump   *django.Dump
	report ImportReport
	notes  map[string]int // how many of each text there are
	check  func(hash string) error

	found     *survey
	returning bool // reports whether something of the origin may be here
	owners    owners
	parked    map[string]parking // by user key
	others    map[string]bool    // groups that users are in who are not of the origin
	left      []django.LeftOut
	gone      map[string]bool // names of durin's clients that were deleted here
	knownKnox bool            // reports whether it is known that there are tokens of knox
}

func (m *Manager) newImporter(store tokenstore.Store, inTx bool, dump *django.Dump, o ImportOptions) *importer {
	i := &importer{ImportOptions: o, Manager: m, store: store, inTx: inTx, dump: dump, notes: make(map[string]int), owners: make(owners), parked: make(map[string]parking), others: make(map[string]bool), gone: make(map[string]bool)}
	i.check = func(hash string) error { return password.Check(hash, nil) }
	if checker, ok := m.Hasher.(HashChecker); ok {
		i.check = checker.Check
	}
	i.report = ImportReport{
		Origin: o.Origin, DryRun: o.DryRun, Rows: dump.Rows, Notes: []ImportNote{},
		Other: dump.Other, OtherRows: dump.OtherRows, MoreNotes: dump.MoreWarnings,
	}
	for _, w := range dump.Warnings {
		kind := "user"
		if k := issuedKindOf(w.Model); k != nil {
			kind = k.name
		}
		i.note(w.Row, kind, w.PK, w.Text)
	}
	for _, l := range dump.LeftOut {
		i.leave(l.Model, l.Text, l.Count)
	}
	return i
}

// run imports groups first, while nobody is a member whose permissions would
// have to follow. What is pruned goes before, so that its names are free.
func (i *importer) run(ctx context.Context) error {
	if err := i.remember(ctx, i.mark(markOrigin)); err != nil {
		return err
	}
	if i.Prune {
		if err := i.pruneUsers(ctx); err != nil {
			return err
		}
		if err := i.pruneTokens(ctx); err != nil {
			return err
		}
		if err := i.pruneClients(ctx); err != nil {
			return err
		}
	}
	if err := i.groups(ctx); err != nil {
		return err
	}
	if err := i.clients(ctx); err != nil {
		return err
	}
	i.report.Users.Unchanged += i.found.users.settled
	for model, n := range i.found.settled {
		i.counts(model).Unchanged += n
	}
	err := i.found.users.each(i.dump.EachUser, func(u django.User, state uint8) error { return i.user(ctx, u, state) })
	if err == nil {
		err = i.unparked()
	}
	if err != nil {
		return err
	}
	err = i.found.tokens.each(i.dump.EachToken, func(t django.Token, state uint8) error { return i.token(ctx, t, state) })
	if err != nil {
		return err
	}
	for _, l := range i.left {
		i.note(0, issuedKindOf(l.Model).name, "", fmt.Sprintf("%d left out: %s", l.Count, l.Text))
	}
	return nil
}

// note keeps a note, unless there are enough of its kind.
func (i *importer) note(row int, kind, name, text string) {
	if i.notes[text]++; i.notes[text] > maxNotes {
		i.report.MoreNotes++
		return
	}
	i.report.Notes = append(i.report.Notes, ImportNote{Row: row, Kind: kind, Name: name, Text: text})
}

// markOrigin marks an origin of which there was an import.
const markOrigin = "origin"

// forever is when a mark of an import ends.
var forever = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// mark is a key of the store's that says that an import of this origin brought
// something, so that a later one can tell it from what people here have done.
func (i *importer) mark(parts ...string) string { return markOf(i.Origin, parts...) }

func markOf(origin string, parts ...string) string {
	h := sha256.New()
	for _, part := range append([]string{origin}, parts...) {
		_ = binary.Write(h, binary.BigEndian, uint64(len(part)))
		h.Write([]byte(part))
	}
	return "import:" + hex.EncodeToString(h.Sum(nil))
}

func (i *importer) remember(ctx context.Context, mark string) error {
	_, err := i.store.Remember(ctx, mark, forever)
	return err
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"math"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	// Why a record was not added: what the user may, and until when the digest is
	// entombed.
	whyNot = `SELECT COALESCE((SELECT u.flags FROM users u WHERE u.key = ?), 0),
		COALESCE((SELECT t.ends FROM tombstones t WHERE t.digest = ?), ?)`

	slotHolder = `SELECT c.n, ` + isLiving + ` FROM credentials c LEFT JOIN users u ON u.key = c.user_key
		WHERE c.slot = ? AND c.slot <> ''`
	isLiving = `CASE WHEN c.ends > ? AND (c.user_key = '' OR c.password_version <= 0
		OR c.password_version = COALESCE(u.password_version, 0)) THEN 1 ELSE 0 END`

	// The user's own password version spares a join.
	ofKind = ` FROM credentials c WHERE c.user_key = ? AND c.user_key <> '' AND c.kind = ? AND c.state = 0
		AND c.ends > ? AND (c.password_version <= 0 OR c.password_version = ?) AND c.id <> ?`
	countOfKind  = `SELECT count(*)` + ofKind
	oldestOfKind = ` AND c.n IN (SELECT c.n` + ofKind + ` ORDER BY c.created, c.id LIMIT ?)`

	// One statement, since each is a round trip to some databases.
	addRecord = `INSERT INTO credentials (id, kind, label, digest, user_key, client_id, family, slot, scopes,
			created, expires, last_used, data, origin, password_version, ends, state, sealed, grace)
		SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, 0
		WHERE NOT EXISTS (SELECT 1 FROM tombstones t WHERE t.digest = ? AND t.ends > ?)`
	ofActive      = ` AND EXISTS (SELECT 1 FROM users u WHERE u.key = ? AND (u.flags & 1) = 1)`
	unlessTaken   = ` ON CONFLICT DO NOTHING`
	addAnybodys   = addRecord + unlessTaken
	addUsers      = addRecord + ofActive + unlessTaken
	passwordOfKey = `SELECT u.password_version FROM users u WHERE u.key = ?`
)

// notEntombed is the end of a tombstone that is not there.
const notEntombed = math.MinInt64

// Create is tokenstore.Store's.
func (o Ops) Create(ctx context.Context, c tokenstore.Credential, max int, evict bool) error {
	if err := check(c); err != nil {
		return err
	}
	return o.Engine.Write(ctx, func(t *Tx) error { return t.create(ctx, c, max, evict) })
}

func (t *Tx) create(ctx context.Context, c tokenstore.Credential, max int, evict bool) error {
	if tokenstore.IsForeign(c.UserKey) {
		c.PasswordVersion = 0
	}
	added, err := t.add(ctx, c)
	if err == nil && !added {
		added, err = t.addYet(ctx, c)
	}
	if err != nil {
		return err
	}
	if !added {
		return tokenstore.ErrExists
	}
	return t.makeRoom(ctx, c, max, evict)
}

// addYet adds a record that was not added at first, if nothing but a dead holder
// of its slot was in the way.
func (t *Tx) addYet(ctx context.Context, c tokenstore.Credential) (bool, error) {
	var flags, entombed int64
	if _, err := t.Row(ctx, whyNot, []any{c.UserKey, c.Digest, int64(notEntombed)}, &flags, &entombed); err != nil {
		return false, err
	}
	if !userless(c.UserKey) && flags&active == 0 {
		return false, tokenstore.ErrNotFound
	}
	if entombed > micros(c.Created) || c.Slot == "" {
		return false, nil
	}
	if err := t.takeSlot(ctx, c); err != nil {
		return false, err
	}
	return t.add(ctx, c)
}

// takeSlot removes a record that holds the slot of c and is dead.
func (t *Tx) takeSlot(ctx context.Context, c tokenstore.Credential) error {
	var holder, lives int64
	found, err := t.Row(ctx, slotHolder, []any{micros(c.Created), c.Slot}, &holder, &lives)
	if err != nil || !found {
		return err
	}
	if lives != 0 {
		return tokenstore.ErrExists
	}
	_, err = t.revoke(ctx, ` AND c.n = ?`, holder)
	return err
}

// add reports whether it added the record: nothing of it may be taken, its digest
// not entombed, its user active.
func (t *Tx) add(ctx context.Context, c tokenstore.Credential) (bool, error) {
	args := []any{
		c.ID, c.Kind, c.Label, c.Digest, c.UserKey, c.ClientID, c.Family, c.Slot,
		encodeList(c.Scopes), micros(c.Created), micros(c.Expires), micros(c.LastUsed), blob(c.Data), c.Origin,
		c.PasswordVersion, end(c.Expires), blob(nil), c.Digest, micros(c.Created),
	}
	statement := addAnybodys
	if !userless(c.UserKey) {
		statement = addUsers
		args = append(args, c.UserKey)
	}
	n, err := t.Exec(ctx, statement, args...)
	return n > 0, err
}

// makeRoom keeps the user's records of the kind within the limit.
func (t *Tx) makeRoom(ctx context.Context, c tokenstore.Credential, limit int, evict bool) error {
	if limit <= 0 || c.UserKey == "" {
		return nil
	}
	var password int64
	if _, err := t.Row(ctx, passwordOfKey, []any{c.UserKey}, &password); err != nil {
		return err
	}
	others := []any{c.UserKey, c.Kind, micros(c.Created), password, c.ID}
	var n int
	if _, err := t.Row(ctx, countOfKind, others, &n); err != nil {
		return err
	}
	if n < limit {
		return nil
	}
	if !evict {
		return tokenstore.ErrLimit
	}
	_, err := t.revoke(ctx, oldestOfKind, append(others, n-limit+1)...)
	return err
}

// blob is never NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

const touch = `UPDATE credentials SET
		last_used = CASE WHEN last_used < ? THEN ? ELSE last_used END,
		expires = CASE WHEN ends < ? THEN ? ELSE expires END,
		ends = CASE WHEN ends < ? THEN ? ELSE ends END
	WHERE digest = ? AND state = 0 AND ends > ? AND (last_used < ? OR ends < ?)
		AND (user_key = '' OR password_version <= 0
			OR password_version = (SELECT u.password_version FROM users u WHERE u.key = user_key))`

// Touch is tokenstore.Store's.
func (o Ops) Touch(ctx context.Context, digest []byte, used, expires time.Time) error {
	if used.IsZero() {
		// Without a time nothing can be raised; the read is for the errors of a
		// store that is closed or down.
		return o.Engine.Read(ctx, func(*Conn) error { return nil })
	}
	at, until := micros(used), micros(expires)
	return o.Engine.Write(ctx, func(t *Tx) error {
		_, err := t.Exec(ctx, touch, at, at, until, until, until, until, digest, at, at, until)
		return err
	})
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"bytes"
	"context"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Each column of a row costs about 250 ns to read, so that lookups read none that
// they know already.
const (
	credentialColumns = `c.id, c.kind, c.label, c.user_key, c.client_id, c.family, c.slot, c.scopes,
		c.created, c.expires, c.last_used, c.data, c.origin, c.password_version`

	// An outer join so that one read serves records without a user too. A user's
	// version is never 0.
	ownerColumns = `COALESCE(u.name, ''), COALESCE(u.email, ''), COALESCE(u.full_name, ''),
		COALESCE(u.origin, ''), COALESCE(u.origin_id, ''), COALESCE(u.password_hash, ''),
		COALESCE(u.password_version, 0), COALESCE(u.version, 0), COALESCE(u.flags, 0),
		u.groups, u.permissions, u.inherited`

	fromDigest = ` FROM credentials c LEFT JOIN users u ON u.key = c.user_key WHERE c.digest = ?`

	findLiving = `SELECT ` + credentialColumns + `, ` + ownerColumns + fromDigest + ` AND c.state = 0`
	findRecord = `SELECT ` + credentialColumns + `, ` + ownerColumns + `, c.state, c.sealed, c.grace` + fromDigest
)

// States of a record.
const (
	living  = 0
	spent   = 1
	rotated = 2 // spent, with a reply for those who retry
)

// record is a row of credentials with its user, if it has one.
type record struct {
	tokenstore.Credential
	state  int
	sealed []byte
	grace  int64
	user   tokenstore.User
}

// credentialRow reads the columns of a credential that are not its own fields.
type credentialRow struct {
	created, expires, used int64
	scopes                 []byte
}

func (r *credentialRow) dest(c *tokenstore.Credential) []any {
	return []any{
		&c.ID, &c.Kind, &c.Label, &c.UserKey, &c.ClientID, &c.Family, &c.Slot, &r.scopes,
		&r.created, &r.expires, &r.used, &c.Data, &c.Origin, &c.PasswordVersion,
	}
}

func (r *credentialRow) finish(c *tokenstore.Credential) (err error) {
	c.Created, c.Expires, c.LastUsed = moment(r.created), moment(r.expires), moment(r.used)
	c.Scopes, err = decodeList[string](r.scopes)
	return err
}

// find reads a record and its user by one of the statements above. It returns nil
// if there is none.
func (c *Conn) find(ctx context.Context, query string, digest []byte) (*record, error) {
	if len(digest) < tokenstore.MinDigest || len(digest) > tokenstore.MaxDigest {
		return nil, nil
	}
	var rec record
	var row credentialRow
	var owner userRow
	dest := append(row.dest(&rec.Credential), owner.dest(&rec.user)...)
	if query == findRecord {
		dest = append(dest, &rec.state, &rec.sealed, &rec.grace)
	}
	found, err := c.Row(ctx, query, []any{digest}, dest...)
	if err != nil || !found {
		return nil, err
	}
	rec.Digest = bytes.Clone(digest)
	if rec.user.Version > 0 {
		rec.user.Key = rec.UserKey
	}
	if err := row.finish(&rec.Credential); err != nil {
		return nil, err
	}
	return &rec, owner.finish(&rec.user, true)
}

// standing returns nil if the record lives and may be used.
func (r *record) standing(now time.Time) error {
	switch {
	case r == nil, r.state != living, !r.Expires.IsZero() && !now.Before(r.Expires), !r.bound():
		return tokenstore.ErrNotFound
	case userless(r.UserKey):
		return nil
	case r.user.Key == "":
		return tokenstore.ErrNotFound
	case !r.user.Active:
		return tokenstore.ErrInactive
	default:
		return nil
	}
}

// userless reports whether no user of the store has a say in a record of that
// user key.
func userless(userKey string) bool { return userKey == "" || tokenstore.IsForeign(userKey) }

// bound reports whether the record's password is still its user's.
func (r *record) bound() bool {
	return userless(r.UserKey) || r.PasswordVersion <= 0 || r.PasswordVersion == r.user.PasswordVersion
}

// Lookup is tokenstore.Store's.
func (o Ops) Lookup(ctx context.Context, digest []byte, now time.Time) (c tokenstore.Credential, u tokenstore.User, err error) {
	var rec *record
	err = o.Engine.Read(ctx, func(conn *Conn) (err error) {
		rec, err = conn.find(ctx, findLiving, digest)
		return err
	})
	if err != nil {
		return c, u, err
	}
	if err = rec.standing(now); err == nil || err == tokenstore.ErrInactive {
		c, u = rec.Credential, rec.user
	}
	return c, u, err
}

const listRecords = `SELECT ` + credentialColumns + `, c.digest FROM credentials c WHERE c.state = 0 AND (c.created, c.id) > (?, ?)`

// List is tokenstore.Store's.
func (o Ops) List(ctx context.Context, f tokenstore.Filter, cursor string, n int) (page []tokenstore.Credential, next string, err error) {
	created, id, err := parseRecordCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	n = clamp(n)
	conditions, args := where(f)
	query := listRecords + conditions + ` ORDER BY c.created, c.id LIMIT ?`
	args = append(append([]any{created, id}, args...), n+1)
	err = o.Engine.Read(ctx, func(conn *Conn) error {
		page = nil
		return conn.Rows(ctx, query, args, func(scanner Scanner) error {
			var c tokenstore.Credential
			var row credentialRow
			if err := scanner.Scan(append(row.dest(&c), &c.Digest)...); err != nil {
				return err
			}
			page = append(page, c)
			return row.finish(&page[len(page)-1])
		})
	})
	if err != nil {
		return nil, "", err
	}
	if len(page) > n {
		page = page[:n]
		next = recordCursor(page[n-1])
	}
	return page, next, nil
}

// where returns the conditions of a filter, each of which begins with AND. The
// second comparison of each tells the planner that the partial index holds.
func where(f tokenstore.Filter) (conditions string, args []any) {
	for _, field := range []struct{ condition, value string }{
		{` AND c.id = ?`, f.ID},
		{` AND c.user_key = ? AND c.user_key <> ''`, f.UserKey},
		{` AND c.client_id = ? AND c.client_id <> ''`, f.ClientID},
		{` AND c.family = ? AND c.family <> ''`, f.Family},
		{` AND c.kind = ?`, f.Kind},
	} {
		if field.value != "" {
			conditions += field.condition
			args = append(args, field.value)
		}
	}
	return conditions, args
}

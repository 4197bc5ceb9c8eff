// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// How transactions begin. One that is serializable fails if it would see or do
// what no order of them could explain, and is run again. One that is exclusive
// waits until no other writes, and others wait for it, so that it cannot
// conflict. LOCK comes before anything else, since a transaction sees what was
// committed before its first query.
const (
	optimistic = `BEGIN ISOLATION LEVEL SERIALIZABLE; LOCK TABLE meta IN ROW EXCLUSIVE MODE`
	exclusive  = `BEGIN ISOLATION LEVEL READ COMMITTED; LOCK TABLE meta IN SHARE ROW EXCLUSIVE MODE`
)

// transact runs f in a transaction, which is undone if f fails or panics, unless
// sqlstore.Keeps the error.
func (s *Store) transact(ctx context.Context, conn *pgx.Conn, begin string, f func(*session, *sqlstore.Work) error) error {
	se := s.driver.session(conn)
	over := false
	defer func() {
		if over || conn.IsClosed() {
			return
		}
		se.before = nil
		if err := se.Script(ctx, `ROLLBACK`); err != nil {
			hangUp(ctx, conn)
		}
	}()
	if err := se.Script(ctx, begin); err != nil {
		return err
	}
	var work sqlstore.Work
	err := f(se, &work)
	if !sqlstore.Keeps(err) {
		return err
	}
	if ctx.Err() != nil {
		return final{goneError{ctx.Err()}}
	}
	last, commitErr := s.commit(ctx, se, work.Changes())
	if commitErr != nil {
		return commitErr
	}
	over = true
	if upTo, due := sqlstore.PruneUpTo(last, len(work.Changes())); due {
		s.prune(ctx, se, upTo)
	}
	return err
}

// commit reports what changed and commits, in one message to the server: a
// process that is stopped just then cannot hold the lock of the feed. That lock is
// kept until after the commit, so that the numbers of the feed become visible in
// their order. The wake-up follows, since a NOTIFY within the transaction would
// have all commits wait for each other's disk. It returns the number of the last
// change.
func (s *Store) commit(ctx context.Context, se *session, changes []tokenstore.Change) (last int64, err error) {
	script := `COMMIT`
	if len(changes) > 0 {
		script = report(s.driver.lock("feed"), changes) + `; COMMIT; NOTIFY ` + s.driver.channel()
	}
	ctx, cancel := se.bounded(ctx)
	defer cancel()
	results := se.conn.PgConn().Exec(ctx, script)
	committed := false
	for results.NextResult() {
		result := results.ResultReader()
		insert := len(result.FieldDescriptions()) == 1 && result.FieldDescriptions()[0].Name == "seq"
		for result.NextRow() {
			if insert {
				last, _ = strconv.ParseInt(string(result.Values()[0]), 10, 64)
			}
		}
		tag, _ := result.Close() // its error is that of results too
		committed = committed || tag.String() == "COMMIT"
	}
	err = results.Close()
	switch {
	case committed:
		return last, nil
	case err == nil:
		return 0, errors.New("the server undid the transaction instead of committing it")
	case cut(err):
		return 0, final{fmt.Errorf("%w: %w: %w", errUnknown, tokenstore.ErrUnavailable, err)}
	default:
		return 0, err
	}
}

// report is the statement that writes changes to the feed. Bytes are written as
// digits, among which nothing has a meaning.
func report(lock int64, changes []tokenstore.Change) string {
	var b strings.Builder
	fmt.Fprintf(&b, `SELECT pg_advisory_xact_lock(%d); `, lock)
	b.WriteString(`INSERT INTO changes (everything, user_key, credential_id, family, client_id) VALUES `)
	for i, c := range changes {
		if i > 0 {
			b.WriteString(", ")
		}
		everything := 0
		if c.All {
			everything = 1
		}
		fmt.Fprintf(&b, `(%d, '\x%x', '\x%x', '\x%x', '\x%x')`, everything, c.UserKey, c.CredentialID, c.Family, c.ClientID)
	}
	b.WriteString(` RETURNING seq`)
	return b.String()
}

// prune shortens the feed. If it fails the next one does it.
func (s *Store) prune(ctx context.Context, se *session, upTo int64) {
	err := se.Script(ctx, fmt.Sprintf(`BEGIN; LOCK TABLE meta IN ROW EXCLUSIVE MODE; SELECT pg_advisory_xact_lock(%d)`, s.driver.lock("feed")))
	if err == nil {
		err = sqlstore.Prune(ctx, sqlstore.Over(se, dialect), upTo)
	}
	if err == nil {
		err = se.Script(ctx, `COMMIT`)
	}
	if err != nil {
		if err := se.Script(ctx, `ROLLBACK`); err != nil {
			hangUp(ctx, se.conn)
		}
	}
}

// lock is the number of an advisory lock, which the whole database shares.
func (d *Driver) lock(purpose string) int64 {
	sum := fnv.New64a()
	fmt.Fprintf(sum, "caddy-rest-auth %s %s", d.Schema, purpose)
	return int64(sum.Sum64())
}

// channel is the name under which the feed's wake-ups are sent, quoted.
func (d *Driver) channel() string { return `"caddy_rest_auth_` + d.Schema + `"` }

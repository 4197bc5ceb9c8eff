// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// migrationPatience is how long a step of a migration may take, and how long
// another process waits for it.
const migrationPatience = time.Minute

// Open opens the store, and creates its tables on first use.
func (d *Driver) Open(ctx context.Context) (tokenstore.Store, error) {
	store, err := d.open(ctx, true)
	if err != nil {
		d.reports.Failure(err)
		return nil, err
	}
	return store, nil
}

// OpenExisting opens the store for a command, and creates none.
func (d *Driver) OpenExisting(ctx context.Context) (tokenstore.Store, error) {
	store, err := d.open(ctx, false)
	if err != nil {
		return nil, err
	}
	return store, nil
}

// Check reports what would keep the store from being opened. It changes nothing.
func (d *Driver) Check(ctx context.Context) error {
	conn, err := d.single(ctx, "")
	if err != nil {
		return d.unavailable(err)
	}
	defer hangUp(ctx, conn)
	_, _, err = d.version(ctx, conn)
	return d.explain(err)
}

// Init creates the tables, if there are none.
func (d *Driver) Init(ctx context.Context, _ bool) error {
	conn, err := d.single(ctx, "")
	if err != nil {
		return d.unavailable(err)
	}
	defer hangUp(ctx, conn)
	return d.explain(d.migrate(ctx, conn))
}

// explain is unavailable but for an error that tells more.
func (d *Driver) explain(err error) error {
	if errors.Is(err, tokenstore.ErrNewerSchema) {
		return fmt.Errorf("schema %s: %w: %w", d.Schema, tokenstore.ErrUnavailable, err)
	}
	return d.unavailable(err)
}

func (d *Driver) open(ctx context.Context, create bool) (*Store, error) {
	conn, err := d.single(ctx, "")
	if err != nil {
		return nil, d.unavailable(err)
	}
	defer hangUp(ctx, conn)
	version, id, err := d.version(ctx, conn)
	if err != nil {
		return nil, d.explain(err)
	}
	if version == 0 && !create {
		return nil, fmt.Errorf("there is no store in schema %s of the database yet: %w", d.Schema, fs.ErrNotExist)
	}
	if version != sqlstore.Schema {
		if err := d.migrate(ctx, conn); err != nil {
			return nil, d.explain(err)
		}
		if _, id, err = d.version(ctx, conn); err != nil {
			return nil, d.explain(err)
		}
		d.logger.Info("the schema of the store was brought up to date",
			zap.String("store", d.identifier), zap.Int("from", version), zap.Int("to", sqlstore.Schema))
	}
	store, err := newStore(ctx, d, id)
	return store, d.unavailable(err)
}

// migrate applies what is missing of the schema, one transaction for each step.
// Another process may do the same: then one waits for the other.
func (d *Driver) migrate(ctx context.Context, conn *pgx.Conn) error {
	se := d.session(conn)
	se.limit = migrationPatience + margin
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		done, err := d.step(ctx, se)
		if err == nil {
			err = se.Script(ctx, `COMMIT`)
		}
		if err != nil {
			_ = se.Script(ctx, `ROLLBACK`) // the cause is known already
			return err
		}
		more = done
	}
	return nil
}

func (d *Driver) step(ctx context.Context, se *session) (done bool, err error) {
	patience := migrationPatience.Milliseconds()
	if err := se.Script(ctx, fmt.Sprintf(`BEGIN; SET LOCAL statement_timeout = %d; SET LOCAL lock_timeout = %d;
		SELECT pg_advisory_xact_lock(%d)`, patience, patience, d.lock("migration"))); err != nil {
		return false, err
	}
	conn := sqlstore.Over(se, dialect)
	var schemas int
	if _, err := conn.Row(ctx, `SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = convert_from(?, 'UTF8')`,
		[]any{d.Schema}, &schemas); err != nil {
		return false, err
	}
	if schemas == 0 {
		if err := se.Script(ctx, `CREATE SCHEMA "`+d.Schema+`"`); err != nil {
			return false, err
		}
	}
	return sqlstore.Migrate(ctx, conn, rand.Text())
}

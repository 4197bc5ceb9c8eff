// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
)

// contents are what a file says of itself.
type contents struct {
	version int    // of the schema; 0 in a file whose creation was cut short
	id      string // of the store
}

// examine reads a file without changing it or anything beside it.
func examine(ctx context.Context, path string, busy time.Duration) (contents, error) {
	for {
		before, err := os.Stat(path)
		if err != nil {
			return contents{}, err
		}
		if hasLog(path) {
			return examineAs(ctx, "mode=ro", path, busy)
		}
		// Without a log nobody is writing, and SQLite would make files to read.
		found, err := examineAs(ctx, "immutable=1", path, busy)
		after, statErr := os.Stat(path)
		switch {
		case statErr != nil:
			return contents{}, statErr
		case ctx.Err() != nil:
			return contents{}, ctx.Err()
		case !hasLog(path) && after.Size() == before.Size() && after.ModTime().Equal(before.ModTime()):
			return found, err
		}
		// Somebody began to write meanwhile: what was read may be half of it.
	}
}

func hasLog(path string) bool {
	_, err := os.Stat(path + "-wal")
	return !errors.Is(err, fs.ErrNotExist)
}

func examineAs(ctx context.Context, mode, path string, busy time.Duration) (contents, error) {
	db, err := sql.Open("sqlite", dsn(path, mode, busy, "query_only(1)"))
	if err != nil {
		return contents{}, err
	}
	defer db.Close()
	return read(ctx, db)
}

func read(ctx context.Context, db *sql.DB) (found contents, err error) {
	raw, err := db.Conn(ctx)
	if err != nil {
		return found, err
	}
	conn := sqlstore.NewConn(raw, sqlstore.SQLite)
	defer conn.Close()
	var application, objects int
	// In this order: another process that makes the tables signs them at once.
	if _, err := conn.Row(ctx, `SELECT count(*) FROM sqlite_schema`, nil, &objects); err != nil {
		return found, err
	}
	if _, err := conn.Row(ctx, `PRAGMA application_id`, nil, &application); err != nil {
		return found, err
	}
	if objects == 0 && application == 0 {
		return found, nil
	}
	if application != applicationID {
		return found, errors.New("it is a SQLite database of another program")
	}
	found.version, found.id, err = sqlstore.Version(ctx, conn)
	return found, err
}

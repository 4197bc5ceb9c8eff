// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

//go:embed migrations/*.sql
var migrations embed.FS

// metaTable holds what is known of the store itself. It is not part of a
// migration, since it says which of them were done.
const metaTable = `CREATE TABLE IF NOT EXISTS meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)`

const (
	getMeta = `SELECT value FROM meta WHERE name = ?`
	putMeta = `INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`
	addMeta = `INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`
)

// Schema is the version that Migrate brings a store to.
var Schema = func() int {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		panic(err)
	}
	return len(names)
}()

// Version returns the version of the schema, 0 if there is none yet, and the id
// of the store. A newer one than Schema is tokenstore.ErrNewerSchema.
func Version(ctx context.Context, conn *Conn) (version int, id string, err error) {
	var tables int
	if _, err := conn.Row(ctx, conn.dialect.HasTable, []any{"meta"}, &tables); err != nil || tables == 0 {
		return 0, "", err
	}
	var text string
	found, err := conn.Row(ctx, getMeta, []any{"schema"}, &text)
	if err != nil || !found {
		return 0, "", err
	}
	if version, err = strconv.Atoi(text); err != nil {
		return 0, "", fmt.Errorf("reading the version of the schema: %w", err)
	}
	if version > Schema {
		return version, "", fmt.Errorf("schema %d, this program knows %d: %w", version, Schema, tokenstore.ErrNewerSchema)
	}
	_, err = conn.Row(ctx, getMeta, []any{"id"}, &id)
	return version, id, err
}

// Migrate applies the next migration, if there is one, within a transaction
// that the caller has begun and will commit, and reports whether it did. The
// first also names the store by id.
func Migrate(ctx context.Context, conn *Conn, id string) (done bool, err error) {
	version, _, err := Version(ctx, conn)
	if err != nil || version == Schema {
		return false, err
	}
	script, err := migration(version + 1)
	if err != nil {
		return false, err
	}
	if err := conn.script(ctx, conn.dialect.migration(metaTable)); err != nil {
		return false, err
	}
	if err := conn.script(ctx, conn.dialect.migration(script)); err != nil {
		return false, fmt.Errorf("migrating to schema %d: %w", version+1, err)
	}
	if _, err := conn.Exec(ctx, addMeta, "id", id); err != nil {
		return false, err
	}
	_, err = conn.Exec(ctx, putMeta, "schema", strconv.Itoa(version+1))
	return err == nil, err
}

func migration(version int) (string, error) {
	entries, err := migrations.ReadDir("migrations")
	if err != nil {
		return "", err
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), fmt.Sprintf("%04d_", version)) {
			script, err := migrations.ReadFile("migrations/" + entry.Name())
			return string(script), err
		}
	}
	return "", fmt.Errorf("no migration to schema %d", version)
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

func TestStatement(t *testing.T) {
	numbered := &Dialect{Numbered: true}
	for query, want := range map[string]string{
		`SELECT 1`:                          `SELECT 1`,
		`SELECT ? FROM t WHERE a = ?`:       `SELECT $1 FROM t WHERE a = $2`,
		`?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? x`: `$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 x`,
	} {
		if got := numbered.statement(query); got != want {
			t.Errorf("statement(%s) = %s, want %s", query, got, want)
		}
		if got := SQLite.statement(query); got != query {
			t.Errorf("SQLite's statement(%s) = %s", query, got)
		}
	}
}

func TestSchemaOfAnotherDialect(t *testing.T) {
	other := &Dialect{Schema: strings.NewReplacer("BLOB", "BYTEA", ") WITHOUT ROWID", ")")}
	if got, want := other.migration("a BLOB\n) WITHOUT ROWID;"), "a BYTEA\n);"; got != want {
		t.Errorf("migration = %q, want %q", got, want)
	}
}

// TestMigrations wants them numbered without holes, since their number is the
// version of the schema.
func TestMigrations(t *testing.T) {
	names, err := fs.Glob(migrations, "migrations/*")
	if err != nil || len(names) != Schema || Schema == 0 {
		t.Fatalf("migrations %v, %v, want %d", names, err, Schema)
	}
	for i := range names {
		script, err := migration(i + 1)
		if err != nil {
			t.Error(err)
		}
		if !regexp.MustCompile(`(?m)\A-- \d{4}_\w+\.sql: `).MatchString(script) {
			t.Errorf("migration %d does not begin by saying what it is", i+1)
		}
	}
	if _, err := migration(Schema + 1); err == nil {
		t.Error("there is a migration that nobody knows")
	}
}

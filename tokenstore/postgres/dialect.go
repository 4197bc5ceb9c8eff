// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
)

// dialect is how PostgreSQL differs. Text is kept as bytes: names may hold any of
// them, and are compared and sorted by them, whatever the database's encoding and
// collation are.
var dialect = &sqlstore.Dialect{
	Numbered: true,
	Holes:    true,
	Schema: strings.NewReplacer(
		"INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
		"INTEGER PRIMARY KEY", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
		"INTEGER", "BIGINT",
		"TEXT", "BYTEA",
		"BLOB", "BYTEA",
		") WITHOUT ROWID", ")",
	),
	HasTable: `SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
		WHERE s.nspname = current_schema() AND c.relname = convert_from(?, 'UTF8') AND c.relkind = 'r'`,
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"strconv"
	"strings"
)

// A Dialect is how a database differs from SQLite, in which the statements and
// migrations of this package are written.
type Dialect struct {
	// Numbered says that parameters are written $1, $2 … instead of ?.
	Numbered bool

	// Schema, if not nil, translates migrations, as types and table options.
	Schema *strings.Replacer

	// HasTable counts the tables of the name that is its one parameter.
	HasTable string
}

// SQLite is the Dialect of SQLite.
var SQLite = &Dialect{HasTable: `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?`}

// statement translates a statement. None of ours has a question mark in a
// literal.
func (d *Dialect) statement(query string) string {
	if !d.Numbered {
		return query
	}
	var b strings.Builder
	for i := 1; ; i++ {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(i))
		query = after
	}
}

func (d *Dialect) migration(script string) string {
	if d.Schema == nil {
		return script
	}
	return d.Schema.Replace(script)
}

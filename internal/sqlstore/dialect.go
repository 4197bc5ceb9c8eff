// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"strconv"
	"strings"
	"sync"
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

	// Holes says that numbers of the feed may be missing, of transactions that
	// were undone. Then the numbers that were pruned are noted.
	Holes bool

	translated sync.Map // statements that are Numbered
}

// SQLite is the Dialect of SQLite.
var SQLite = &Dialect{HasTable: `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?`}

// statement translates a statement, of which there are few. None of ours has a
// question mark in a literal.
func (d *Dialect) statement(query string) string {
	if !d.Numbered {
		return query
	}
	if known, ok := d.translated.Load(query); ok {
		return known.(string)
	}
	var b strings.Builder
	for i, rest := 1, query; ; i++ {
		before, after, found := strings.Cut(rest, "?")
		b.WriteString(before)
		if !found {
			break
		}
		b.WriteString("$" + strconv.Itoa(i))
		rest = after
	}
	d.translated.Store(query, b.String())
	return b.String()
}

func (d *Dialect) migration(script string) string {
	if d.Schema == nil {
		return script
	}
	return d.Schema.Replace(script)
}

// maxRows bounds how many rows one statement names, and so how many statements
// there are that differ in it.
const maxRows = 16

// tuple is a list of n parameters: (?, ?).
func tuple(n int) string { return "(?" + strings.Repeat(", ?", n-1) + ")" }

// tuples is a list of n lists of two parameters: (?, ?), (?, ?).
func tuples(n int) string { return "(?, ?)" + strings.Repeat(", (?, ?)", n-1) }

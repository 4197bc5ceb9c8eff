// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"strings"
	"testing"
)

// TestImport_olderDump imports a dump again that is older than another one: what
// the project has issued since is not ended by that.
func TestImport_olderDump(t *testing.T) {
	old, current := "old "+someKey, "current "+someKey
	rows := func(key string) []string {
		rows := []string{userRow(1, "a"), tokenRow(key, 1), clientRow(2, "web", ""), durinRow("durin "+key, 1, 2, nextYear)}
		if key == current {
			rows[1] = strings.Replace(rows[1], "2024-01-02", "2024-01-03", 1)
			rows[3] = strings.Replace(rows[3], "2026-12-01", "2026-12-02", 1)
		}
		return rows
	}
	for name, order := range map[string][]string{
		"again":  {old, current, old},
		"at all": {current, old},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			for _, key := range append(order, current) {
				f.imports("", rows(key)...)
			}
			for _, secret := range []string{current, "durin " + current} {
				if !f.accepts(secret) {
					t.Errorf("%q is not accepted", secret)
				}
			}
			for _, secret := range []string{old, "durin " + old} {
				if f.accepts(secret) {
					t.Errorf("%q is accepted", secret)
				}
			}
		})
	}
}

// TestImport_replacedWhileInactive replaces a token there while its user is
// inactive.
func TestImport_replacedWhileInactive(t *testing.T) {
	f := newFixture(t)
	off := userRow(1, "a", `"is_active": false`)
	f.imports("", off, tokenRow(someKey, 1))
	report := f.imports("", off, tokenRow("x"+someKey, 1))
	if report.Tokens != (ImportCounts{Updated: 1}) {
		t.Errorf("%+v", report)
	}
	f.imports("", userRow(1, "a"))
	if f.accepts(someKey) || !f.accepts("x"+someKey) {
		t.Error("the former token is accepted, or the new one is not")
	}
}

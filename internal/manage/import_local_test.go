// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"slices"
	"strings"
	"testing"
)

// TestImport_disabled does not let in again whom an operator has shut out.
func TestImport_disabled(t *testing.T) {
	f := newFixture(t)
	rows := []string{userRow(1, "alice"), userRow(2, "bob", `"is_active": false`), userRow(3, "carol"), tokenRow(someKey, 1)}
	f.imports("", rows...)
	must[User](f, "PATCH", "users/alice", `{"active":false}`)
	for range 2 {
		report := f.imports("", rows...)
		f.notes(report, noteDisabled)
		if f.user("alice").Active || f.accepts(someKey) {
			t.Fatal("an import enabled a user who was disabled here")
		}
	}
	// All else follows the project.
	f.imports("", userRow(1, "alicia", `"email": "a@example.com"`), rows[1], rows[2], rows[3])
	if u := f.user("alicia"); u.Active || u.Email != "a@example.com" {
		t.Errorf("alicia is %+v", u)
	}
	// What the project did it may undo.
	f.imports("", rows[0], userRow(2, "bob"), userRow(3, "carol", `"is_active": false`))
	f.imports("", rows[0], userRow(2, "bob"), rows[2])
	if !f.user("bob").Active || !f.user("carol").Active {
		t.Error("a user whom the project disabled and enabled is inactive")
	}
	// Who was inactive already may be shut out as well, and is let in by hand.
	f.imports("", rows...)
	must[User](f, "PATCH", "users/bob", `{"active":false}`)
	must[User](f, "PATCH", "users/alice", `{"active":true}`)
	f.imports("", rows[0], userRow(2, "bob"), rows[2])
	if f.user("bob").Active || !f.user("alice").Active || !f.accepts(someKey) {
		t.Error("bob is active, or alice is not")
	}
	f.imports("", userRow(1, "alice", `"is_active": false`), userRow(2, "bob"), rows[2])
	f.imports("", rows[0], userRow(2, "bob"), rows[2])
	if !f.user("alice").Active {
		t.Error("a mark outlived 'user enable'")
	}
}

// TestImport_deleted does not bring back whom an operator has deleted.
func TestImport_deleted(t *testing.T) {
	natural := func(name string) string { return strings.Replace(userRow(1, name), `"pk": 1, `, "", 1) }
	for first, rows := range map[string][]string{
		userRow(1, "alice"): {userRow(1, "alice"), userRow(1, "renamed"), natural("alice")},
		natural("alice"):    {natural("alice"), userRow(1, "alice")},
	} {
		for _, row := range rows {
			f := newFixture(t)
			f.imports("", first)
			must[any](f, "DELETE", "users/alice", "")
			report := f.imports("?passwords=true", row)
			f.notes(report, noteDeleted)
			if page, _, err := f.store.Users(t.Context(), "", 10); err != nil || len(page) > 0 || report.Users != (ImportCounts{Skipped: 1}) {
				t.Errorf("%s after %s: %v, %+v", row, first, page, report)
			}
			if report := f.imports("?deleted=true", row); report.Users != (ImportCounts{Created: 1}) {
				t.Errorf("bringing back: %+v", report)
			}
			if report := f.imports("", row); report.Users != (ImportCounts{Unchanged: 1}) {
				t.Errorf("after its return: %+v", report)
			}
		}
	}
	// Another person of the name, and one who was pruned, are new.
	f := newFixture(t)
	f.imports("", userRow(1, "alice"), userRow(2, "bob"), tokenRow(someKey, 1))
	must[any](f, "DELETE", "users/alice", "")
	report := f.imports("?prune=true", userRow(3, "alice"), tokenRow("x"+someKey, 3))
	if report.Users != (ImportCounts{Created: 1, Removed: 1}) || f.accepts(someKey) || !f.accepts("x"+someKey) {
		t.Errorf("%+v", report)
	}
	report = f.imports("", userRow(2, "bob"), userRow(1, "other"), tokenRow(someKey, 1))
	f.notes(report, noteDeleted)
	if report.Users != (ImportCounts{Created: 1, Skipped: 1}) || report.Tokens != (ImportCounts{Skipped: 1}) || f.accepts(someKey) {
		t.Errorf("%+v", report)
	}
}

// TestImport_formerOwner gives the token of a new person to nobody who had the
// name before.
func TestImport_formerOwner(t *testing.T) {
	f := newFixture(t)
	f.imports("", userRow(1, "alice", `"is_superuser": true`))
	named := strings.Replace(tokenRow(someKey, 0), `"user": 0`, `"user": ["alice"]`, 1)
	report := f.imports("", userRow(9, "alice"), named)
	f.notes(report, noteOtherPK)
	if f.accepts(someKey) || report.Tokens != (ImportCounts{Skipped: 1}) {
		t.Errorf("the new alice's token is the old one's: %+v", report)
	}
	report = f.imports("?prune=true", userRow(9, "alice"), named)
	if u := f.user("alice"); u.OriginID != "9" || u.Superuser || !f.accepts(someKey) {
		t.Errorf("alice is %+v, %+v", u, report)
	}
}

// TestImport_nameless refuses to leave anybody with a name that nobody chose.
func TestImport_nameless(t *testing.T) {
	f := newFixture(t)
	must[User](f, "POST", "users", `{"name":"ours"}`)
	f.imports("", userRow(1, "a"), userRow(2, "b"))
	for _, rows := range [][]string{
		{userRow(1, "ours"), userRow(2, "a")},
		{userRow(2, "a"), userRow(1, "ours")},
		{userRow(1, "ours"), userRow(2, "b"), userRow(3, "a")},
		{userRow(3, "a"), userRow(1, "configured"), userRow(2, "b")},
	} {
		f.fail(400, "the name is that of user 1 here, whose own new name belongs to somebody else", "POST", "import", "["+strings.Join(rows, ",")+"]")
		if u := f.user("a"); u.OriginID != "1" || f.user("b").OriginID != "2" {
			t.Errorf("a is %+v", u)
		}
	}
	// A name of the configuration is not reached by a change of name either.
	report := f.imports("", userRow(1, "configured", `"email": "a@example.com"`), userRow(2, "b"))
	f.notes(report, noteRename)
	if u := f.user("a"); u.Email != "a@example.com" {
		t.Errorf("a is %+v", u)
	}
}

// TestImport_groupsOfOthers leaves users in their groups who were not imported.
func TestImport_groupsOfOthers(t *testing.T) {
	f := newFixture(t)
	f.imports("", userRow(1, "a", `"groups": [["g"]]`), groupRow(1, "g", "add_book"))
	must[User](f, "POST", "users", `{"name":"ours","groups":["g"]}`)
	report := f.imports("?prune=true", userRow(1, "a"), groupRow(2, "h"))
	f.notes(report, "the dump has no tokens", noteOthersIn)
	if u := f.user("ours"); !slices.Equal(u.Groups, []string{"g"}) || len(u.Permissions) > 0 || len(f.user("a").Groups) > 0 {
		t.Errorf("%+v", u)
	}
}

// TestImport_lockedTwice takes it from the project that a password is unusable,
// as often as that happens.
func TestImport_lockedTwice(t *testing.T) {
	f := newFixture(t)
	for i, hash := range []string{djangoHash, "!a", otherHash, "!b"} {
		f.imports("?passwords=true", userRow(1, "a", `"password": "`+hash+`"`))
		want := hash
		if hash[0] == '!' {
			want = ""
		}
		if u := f.user("a"); u.PasswordHash != want {
			t.Errorf("step %d: the password is %q, want %q", i, u.PasswordHash, want)
		}
	}
}

// TestImport_passwordsByName tells passwords that were changed from those that were
// not, also when a dump begins to have primary keys.
func TestImport_passwordsByName(t *testing.T) {
	for _, changed := range []bool{false, true} {
		f := newFixture(t)
		f.imports("", strings.Replace(userRow(1, "a"), `"pk": 1, `, "", 1))
		if err := f.store.Rehash(t.Context(), f.user("a").Key, djangoHash, "ours"); err != nil {
			t.Fatal(err)
		}
		row, want := userRow(7, "a"), "ours"
		if changed {
			row, want = userRow(7, "a", `"password": "`+otherHash+`"`), otherHash
		}
		for range 2 {
			f.imports("?passwords=true", row)
			if u := f.user("a"); u.PasswordHash != want || u.OriginID != "7" {
				t.Errorf("a is %+v, want %s", u, want)
			}
		}
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Hashes of no password that anybody knows.
const (
	djangoHash = "pbkdf2_sha256$1000$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	otherHash  = "pbkdf2_sha256$1000$b3RoZXI$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	someKey    = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"
)

// userRow is a user of a dump, with more fields in front of those that every
// user has.
func userRow(pk int, name string, fields ...string) string {
	fields = append(fields, fmt.Sprintf(`"username": %q`, name))
	if !strings.Contains(strings.Join(fields, ""), `"password"`) {
		fields = append(fields, fmt.Sprintf(`"password": %q`, djangoHash))
	}
	return fmt.Sprintf(`{"model": "auth.user", "pk": %d, "fields": {%s}}`, pk, strings.Join(fields, ", "))
}

func tokenRow(key string, user int) string {
	return fmt.Sprintf(`{"model": "authtoken.token", "pk": %q, "fields": {"user": %d, "created": "2024-01-02T03:04:05Z"}}`, key, user)
}

func groupRow(pk int, name string, codenames ...string) string {
	keys := make([]string, len(codenames))
	for i, codename := range codenames {
		keys[i] = fmt.Sprintf(`[%q, "library", "book"]`, codename)
	}
	return fmt.Sprintf(`{"model": "auth.group", "pk": %d, "fields": {"name": %q, "permissions": [%s]}}`, pk, name, strings.Join(keys, ", "))
}

// imports a dump of the rows.
func (f *fixture) imports(query string, rows ...string) ImportReport {
	f.t.Helper()
	return must[ImportReport](f, "POST", "import"+query, "["+strings.Join(rows, ",\n")+"]")
}

func (f *fixture) user(name string) tokenstore.User {
	f.t.Helper()
	u, err := f.store.UserByName(f.t.Context(), name)
	if err != nil {
		f.t.Fatalf("user %s: %v", name, err)
	}
	return u
}

func (f *fixture) group(name string) []string {
	f.t.Helper()
	groups, err := f.store.Groups(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	i := slices.IndexFunc(groups, func(g tokenstore.Group) bool { return g.Name == name })
	if i < 0 {
		return nil
	}
	return groups[i].Permissions
}

func (f *fixture) notes(r ImportReport, want ...string) {
	f.t.Helper()
	got := fmt.Sprintf("%+v", r.Notes)
	for _, text := range want {
		if !strings.Contains(got, text) {
			f.t.Errorf("notes %s lack %q", got, text)
		}
	}
	if len(r.Notes) != len(want) {
		f.t.Errorf("notes %s, want %d", got, len(want))
	}
}

func TestImport_updates(t *testing.T) {
	f := newFixture(t)
	first := f.imports("", groupRow(1, "editors", "add_book"), tokenRow(someKey, 1),
		userRow(1, "alice", `"email": "a@example.com"`, `"first_name": "Alice"`, `"is_staff": true`, `"groups": [["editors"]]`))
	if first.Users != (ImportCounts{Created: 1}) || first.Groups != first.Users || first.Tokens != first.Users || first.Passwords != (PasswordCounts{Taken: 1}) || first.Origin != "django" {
		t.Errorf("the first import: %+v", first)
	}
	u := f.user("alice")
	if u.Origin != "django" || u.OriginID != "1" || !u.Active || !u.Staff || u.Superuser || u.FullName != "Alice" || u.PasswordHash != djangoHash ||
		!slices.Equal(u.Groups, []string{"editors"}) || !slices.Equal(u.Permissions, []string{"library.add_book"}) || !f.accepts(someKey) {
		t.Errorf("alice is %+v", u)
	}
	tokens := must[struct{ Tokens []Token }](f, "GET", "tokens", "").Tokens
	if len(tokens) != 1 || tokens[0].Kind != "authtoken" || tokens[0].Origin != "django" || !tokens[0].Created.Equal(time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)) {
		t.Errorf("tokens are %+v", tokens)
	}
	second := f.imports("?dry_run=true", groupRow(1, "editors"), userRow(1, "alicia", `"is_active": false`))
	if second.Users != (ImportCounts{Updated: 1}) || !second.DryRun || f.user("alice").Version != u.Version {
		t.Errorf("a dry run: %+v", second)
	}
	f.imports("", groupRow(1, "editors"), userRow(1, "alicia", `"is_active": false`))
	if now := f.user("alicia"); now.Key != u.Key || now.Active || now.Staff || now.Email != "" || len(now.Groups)+len(now.Permissions) > 0 {
		t.Errorf("alicia is %+v", now)
	}
	if got := f.actions(); !slices.Equal(got, []string{"import", "import"}) {
		t.Errorf("the log says %v", got)
	}
}

// TestImport_ours leaves alone what was not imported, under whatever name.
func TestImport_ours(t *testing.T) {
	f := newFixture(t)
	must[User](f, "POST", "users", `{"name":"alice","email":"ours@example.com"}`)
	must[Group](f, "PUT", "groups/editors", `{"permissions":["library.view_book","library.add_book"]}`)
	before := f.user("alice")
	report := f.imports("?passwords=true&prune=true", userRow(1, "alice", `"is_superuser": true`), tokenRow(someKey, 1), userRow(2, "configured"), userRow(3, "bob"),
		groupRow(1, "editors", "add_book", "change_book"))
	if report.Users != (ImportCounts{Created: 1, Skipped: 2}) || report.Tokens != (ImportCounts{Skipped: 1}) || report.Groups != (ImportCounts{Updated: 1}) {
		t.Errorf("%+v", report)
	}
	f.notes(report, noteOurs, noteConfigured, noteOwnGroup)
	if now := f.user("alice"); now.Version != before.Version || f.accepts(someKey) {
		t.Errorf("alice is %+v", now)
	}
	// A group keeps what it had, and later loses only what an import gave it.
	if got := f.group("editors"); !slices.Equal(got, []string{"library.add_book", "library.change_book", "library.view_book"}) {
		t.Errorf("editors have %v", got)
	}
	f.imports("", userRow(3, "bob"), groupRow(1, "editors", "delete_book"))
	if got := f.group("editors"); !slices.Equal(got, []string{"library.add_book", "library.delete_book", "library.view_book"}) {
		t.Errorf("editors have %v", got)
	}
	f.imports("?prune=true", userRow(3, "bob"), groupRow(2, "readers", "view_book"))
	if got := f.group("editors"); !slices.Equal(got, []string{"library.add_book", "library.view_book"}) {
		t.Errorf("editors have %v", got)
	}
	report = f.imports("?prune=true", userRow(3, "bob"), groupRow(3, "others", "view_book"))
	if report.Groups != (ImportCounts{Created: 1, Removed: 1}) || f.group("readers") != nil {
		t.Errorf("%+v", report)
	}
	// A new name that is taken is not taken over, but a deactivation holds.
	report = f.imports("", userRow(3, "alice", `"is_active": false`))
	f.notes(report, noteRename)
	if now := f.user("bob"); now.Active || f.user("alice").Version != before.Version {
		t.Errorf("bob is %+v", now)
	}
}

// TestImport_renames swaps names, and hands one on to another user.
func TestImport_renames(t *testing.T) {
	f := newFixture(t)
	f.imports("", userRow(1, "a"), userRow(2, "b"), userRow(3, "c"))
	keys := map[string]string{"1": f.user("a").Key, "2": f.user("b").Key, "3": f.user("c").Key}
	report := f.imports("", userRow(1, "b"), userRow(2, "a"), userRow(4, "c"), userRow(3, "d"))
	if report.Users != (ImportCounts{Created: 1, Updated: 3}) {
		t.Errorf("%+v", report)
	}
	for name, id := range map[string]string{"b": "1", "a": "2", "d": "3", "c": "4"} {
		if u := f.user(name); u.OriginID != id || keys[id] != "" && u.Key != keys[id] {
			t.Errorf("%s is %+v, want %s", name, u, id)
		}
	}
	report = f.imports("", userRow(9, "b"), userRow(2, "a"))
	f.notes(report, noteOtherPK)
	report = f.imports("?prune=true", userRow(9, "b"), userRow(2, "a"))
	if report.Users != (ImportCounts{Created: 1, Unchanged: 1, Removed: 3}) || f.user("b").OriginID != "9" {
		t.Errorf("%+v", report)
	}
}

// TestImport_natural moves between dumps with and without primary keys.
func TestImport_natural(t *testing.T) {
	f := newFixture(t)
	natural := func(name string) string { return strings.Replace(userRow(1, name), `"pk": 1, `, "", 1) }
	byName := []string{natural("a"), natural("b")}
	byKey := []string{userRow(7, "a"), userRow(8, "b")}
	f.imports("", byName...)
	key := f.user("a").Key
	for i, step := range []struct {
		rows []string
		want ImportCounts
		id   string
	}{
		{byName, ImportCounts{Unchanged: 2}, `["a"]`},
		{byKey, ImportCounts{Updated: 2}, "7"},
		{byName, ImportCounts{Unchanged: 2}, "7"},
		{byKey, ImportCounts{Unchanged: 2}, "7"},
	} {
		report := f.imports("?prune=true", step.rows...)
		if u := f.user("a"); report.Users != step.want || u.Key != key || u.OriginID != step.id {
			t.Errorf("step %d: %+v, %+v", i, report.Users, u)
		}
	}
	f.fail(400, "row 2 (auth.user): some users have a primary key and some have none", "POST", "import", "["+byKey[0]+","+byName[1]+"]")
}

// TestImport_origins keeps projects apart.
func TestImport_origins(t *testing.T) {
	f := newFixture(t)
	f.imports("?origin=shop", userRow(1, "a"), tokenRow(someKey, 1))
	report := f.imports("?origin=blog&prune=true", userRow(1, "b"), userRow(2, "a"), tokenRow("x"+someKey, 1))
	if report.Users != (ImportCounts{Created: 1, Skipped: 1}) || f.user("a").Origin != "shop" || !f.accepts(someKey) || !f.accepts("x"+someKey) {
		t.Errorf("%+v", report)
	}
}

func TestImport_tokens(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	f.imports("", userRow(1, "a"), userRow(2, "off", `"is_active": false`), tokenRow(someKey, 1), tokenRow("off"+someKey, 2))
	sum := sha256.Sum256([]byte("off" + someKey))
	if _, _, err := f.store.Lookup(ctx, sum[:], f.now); err == nil || err != tokenstore.ErrInactive {
		t.Errorf("the token of an inactive user: %v", err)
	}
	if u := f.user("off"); u.Active {
		t.Error("an inactive user was activated")
	}
	// A token that the project replaced ends here too.
	report := f.imports("", userRow(1, "a"), tokenRow("new"+someKey, 1))
	if report.Tokens != (ImportCounts{Updated: 1}) || f.accepts(someKey) || !f.accepts("new"+someKey) {
		t.Errorf("a replaced token: %+v", report)
	}
	report = f.imports("", userRow(1, "a"), tokenRow(someKey, 1))
	if report.TokensRevoked != 1 || f.accepts(someKey) {
		t.Errorf("a revoked token: %+v", report)
	}
	must[any](f, "DELETE", "tokens?user=a", "")
	owner := must[User](f, "GET", "users/a", "")
	if err := f.store.Create(t.Context(), tokenstore.Credential{
		ID: "own", Kind: "authtoken", UserKey: owner.Key, Digest: make([]byte, 32), Slot: slot("authtoken", owner.Key, ""), Created: f.now,
	}, 0, false); err != nil {
		t.Fatal(err)
	}
	report = f.imports("", userRow(1, "a"), tokenRow("third"+someKey, 1))
	f.notes(report, noteOwnHolder)
	report = f.imports("", userRow(3, "b"), tokenRow("off"+someKey, 3))
	f.notes(report, noteOtherOwner)
	// Tokens may come in a dump of their own.
	if report = f.imports("", tokenRow("b"+someKey, 3)); report.Tokens.Created != 1 || !f.accepts("b"+someKey) {
		t.Errorf("tokens alone: %+v", report)
	}
	report = f.imports("?prune=true", userRow(1, "a"), userRow(2, "off"), userRow(3, "b"), tokenRow("off"+someKey, 2))
	if report.Tokens != (ImportCounts{Unchanged: 1, Removed: 1}) || f.accepts("b"+someKey) || !f.accepts("off"+someKey) {
		t.Errorf("pruned tokens: %+v", report)
	}
	report = f.imports("?prune=true", userRow(2, "off"))
	f.notes(report, "the dump has no tokens", "removed", "removed")
	f.fail(400, "row 1 (authtoken.token): its user is neither in the dump", "POST", "import", "["+tokenRow("x"+someKey, 99)+"]")
}

func TestImport_passwords(t *testing.T) {
	f := newFixture(t)
	hash := func(hash string) string { return fmt.Sprintf(`"password": %q`, hash) }
	report := f.imports("", userRow(1, "good"), userRow(2, "unusable", hash("!abc")), userRow(3, "weak", hash("md5$salt$0123456789abcdef0123456789abcdef")),
		userRow(4, "costly", hash("pbkdf2_sha256$1000000000000$salt$AAAA")), userRow(5, "memory", hash("argon2$argon2id$v=19$m=4294967296,t=2,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA")),
		userRow(6, "rounds", hash("bcrypt$$2b$31$"+strings.Repeat("a", 53))), userRow(7, "unknown", hash("rot13$secret")), userRow(8, "long", hash(strings.Repeat("x", 1<<20))))
	if report.Passwords != (PasswordCounts{Taken: 1, Unusable: 1, Unverifiable: 6}) || report.Users.Created != 8 {
		t.Errorf("%+v", report)
	}
	f.notes(report, noteWeak, noteCostly, noteCostly, noteCostly, noteMalformed, noteMalformed)
	for _, name := range []string{"unusable", "weak", "costly", "memory", "rounds", "unknown", "long"} {
		if f.user(name).PasswordHash != "" {
			t.Errorf("%s has a password", name)
		}
	}

	// A login replaces the hash: what the dump has is the same password still.
	u := f.user("good")
	if err := f.store.Rehash(t.Context(), u.Key, djangoHash, "ours"); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]PasswordCounts{"": {}, "?passwords=true": {Kept: 1}} {
		if report := f.imports(query, userRow(1, "good")); report.Passwords != want || report.Users.Unchanged != 1 {
			t.Errorf("import%s: %+v", query, report)
		}
	}
	f.imports("", userRow(1, "good", hash(otherHash)))
	if f.user("good").PasswordHash != "ours" {
		t.Error("a password was replaced unasked")
	}
	report = f.imports("?passwords=true", userRow(1, "good", hash(otherHash)))
	if now := f.user("good"); report.Passwords.Taken != 1 || now.PasswordHash != otherHash || now.PasswordVersion != u.PasswordVersion+1 {
		t.Errorf("%+v", now)
	}
	// One that is unusable there now is so here, once.
	f.imports("?passwords=true", userRow(1, "good", hash("!xyz")))
	if f.user("good").PasswordHash != "" {
		t.Error("an unusable password was not taken")
	}
	must[User](f, "PUT", "users/good/password", `{"password":"a password of ours"}`)
	f.imports("?passwords=true", userRow(1, "good", hash("!another")))
	if f.user("good").PasswordHash == "" {
		t.Error("a password of ours was removed for another mark of the same")
	}
	// A weak format that was allowed meanwhile is taken.
	f.m.Hasher = password.New(password.Config{Weak: []string{"md5"}})
	report = f.imports("?passwords=true", userRow(3, "weak", hash("md5$salt$0123456789abcdef0123456789abcdef")))
	if report.Passwords.Taken != 1 || f.user("weak").PasswordHash == "" {
		t.Errorf("an allowed format: %+v", report)
	}
}

func TestImport_refusals(t *testing.T) {
	f := newFixture(t)
	good := "[" + userRow(1, "a") + "]"
	f.fail(405, "method", "GET", "import", "")
	f.fail(400, "unknown parameter", "POST", "import?from=x", good)
	f.fail(400, "origin:", "POST", "import?origin=A%20B", good)
	f.fail(400, "user_model:", "POST", "import?user_model=user", good)
	f.fail(400, "username_field:", "POST", "import?username_field=a.b", good)
	f.fail(400, "prune: must be true or false", "POST", "import?prune=maybe", good)
	f.fail(415, "Content-Type", "POST", "import", good, "Content-Type", "text/plain")
	f.fail(400, "the dump is empty; nothing was imported", "POST", "import", "[]")
	f.fail(400, "dumpdata --natural-foreign accounts.User auth.group", "POST", "import?user_model=accounts.User", good)
	f.fail(400, "user_model: must be the model of users", "POST", "import?user_model=authtoken.Token", good)
	f.fail(400, "username_field:", "POST", "import?username_field=password", good)
	f.fail(400, "one record a line", "POST", "import?prune=true", userRow(1, "a"))
	f.fail(400, "pruning would remove all", "POST", "import?prune=true", "["+groupRow(1, "g")+"]")

	got := f.send("POST", "import", "["+userRow(1, "a")+","+userRow(1, "")+","+userRow(3, "c", `"groups": [4]`)+"]")
	var refusal ImportRefusal
	if err := json.Unmarshal([]byte(got.body), &refusal); err != nil || got.status != 400 || len(refusal.Problems) != 2 ||
		refusal.Problems[0].Row != 2 || refusal.Problems[1].Row != 3 || !strings.Contains(refusal.Advice, "manage.py dumpdata") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if page, _, _ := f.store.Users(t.Context(), "", 10); len(page) > 0 || len(f.actions()) > 0 {
		t.Errorf("refused imports left %v", page)
	}
}

func TestExport(t *testing.T) {
	f := newFixture(t)
	f.imports("", userRow(1, "alice"), tokenRow(someKey, 1), groupRow(1, "editors", "add_book"))
	got := f.send("GET", "export", "")
	if got.status != 200 || got.header.Get("Content-Type") != "application/jsonl" {
		t.Fatalf("%d %v", got.status, got.header)
	}
	lines := strings.Split(strings.TrimSuffix(got.body, "\n"), "\n")
	for i, want := range []string{
		`{"type":"export","format":1,"store":"memory","created":"2027-01-02T03:04:05Z"}`,
		`{"type":"group","name":"editors","permissions":["library.add_book"]}`,
		`{"type":"user","name":"alice","key":"store:`, `{"type":"token","handle":"`, `{"type":"end","groups":1,"users":1,"tokens":1}`,
	} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) || len(lines) != 5 {
			t.Errorf("%d lines, the one of %d is not %s: %s", len(lines), i, want, got.body)
		}
	}
	sum := sha256.Sum256([]byte(someKey))
	for _, secret := range []string{someKey, djangoHash, fmt.Sprintf("%x", sum)} {
		if strings.Contains(got.body, secret) {
			t.Errorf("the export has %s", secret)
		}
	}
	f.fail(400, "unknown parameter", "GET", "export?x=1", "")
	_ = f.store.Close()
	f.fail(503, "exporting", "GET", "export", "")
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/durin"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// At the fixture's time these are to come, and gone.
const (
	nextYear = "2028-01-01T00:00:00Z"
	soon     = "2027-01-03T00:00:00Z"
	lastYear = "2026-01-01T00:00:00Z"
)

const (
	projectKey = "the project's <key>"
	cookieKey  = "abcdefghijklmnopqrstuvwxyz012345"
)

func knoxRow(token string, user int, expiry string) string {
	digest := sha512.Sum512([]byte(token))
	return fmt.Sprintf(`{"model": "knox.authtoken", "pk": "%x", "fields": {"token_key": "0123456789abcde", "user": %d, "created": "2026-12-01T00:00:00Z", "expiry": %q}}`,
		digest, user, expiry)
}

func durinRow(token string, user, client int, expiry string) string {
	return fmt.Sprintf(`{"model": "durin.authtoken", "pk": 1, "fields": {"token": %q, "user": %d, "client": %d, "created": "2026-12-01T00:00:00Z", "expiry": %q}}`,
		token, user, client, expiry)
}

func clientRow(pk int, name, rate string) string {
	return fmt.Sprintf(`{"model": "durin.client", "pk": %d, "fields": {"name": %q, "token_ttl": "10 00:00:00", "throttle_rate": %q}}`, pk, name, rate)
}

func djangoMAC(salt, value string) []byte {
	key := sha256.Sum256([]byte(salt + projectKey))
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(value))
	return mac.Sum(nil)
}

// sessionRow is a session of a user who had that password hash at the login.
func sessionRow(key string, user int, hash, expires string) string {
	proof := hex.EncodeToString(djangoMAC("django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash", hash))
	data, _ := json.Marshal(map[string]string{"_auth_user_id": fmt.Sprint(user), "_auth_user_hash": proof})
	value := base64.RawURLEncoding.EncodeToString(data) + ":1r31eq"
	value += ":" + base64.RawURLEncoding.EncodeToString(djangoMAC("django.contrib.sessions.SessionStore"+"signer", value))
	return fmt.Sprintf(`{"model": "sessions.session", "pk": %q, "fields": {"session_data": %q, "expire_date": %q}}`, key, value, expires)
}

// importsWith imports with the project's keys.
func (f *fixture) importsWith(query string, rows ...string) ImportReport {
	f.t.Helper()
	keys, err := EncodeSecretKeys([]string{"another", projectKey})
	if err != nil {
		f.t.Fatal(err)
	}
	return must[ImportReport](f, "POST", "import?secret_keys=true&"+query, string(keys)+"["+strings.Join(rows, ",\n")+"]")
}

// record returns the live record of a digest.
func (f *fixture) record(digest []byte) (tokenstore.Credential, bool) {
	f.t.Helper()
	c, _, err := f.store.Lookup(f.t.Context(), digest, f.now)
	return c, err == nil
}

func sum256(text string) []byte {
	digest := sha256.Sum256([]byte(text))
	return digest[:]
}

func sum512(text string) []byte {
	digest := sha512.Sum512([]byte(text))
	return digest[:]
}

func TestImport_knox(t *testing.T) {
	f := newFixture(t)
	report := f.imports("", userRow(1, "a"), userRow(2, "off", `"is_active": false`), knoxRow("one", 1, soon), knoxRow("two", 1, nextYear),
		knoxRow("off", 2, nextYear), knoxRow("expired", 1, lastYear))
	if report.KnoxTokens != (ImportCounts{Created: 3, Skipped: 1}) || report.Tokens != (ImportCounts{}) {
		t.Errorf("%+v", report)
	}
	f.notes(report, "1 left out: expired")
	c, ok := f.record(sum512("one"))
	if !ok || c.Kind != "knox" || c.UserKey != f.user("a").Key || c.Origin != "django" || c.Slot != "" ||
		!c.Created.Equal(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)) || !c.Expires.Equal(time.Date(2027, 1, 3, 0, 0, 0, 0, time.UTC)) || !c.LastUsed.IsZero() {
		t.Errorf("%+v", c)
	}
	// A life that was prolonged there is so here; one that was not, is not cut.
	report = f.imports("", userRow(1, "a"), userRow(2, "off", `"is_active": false`), knoxRow("one", 1, nextYear), knoxRow("two", 1, soon))
	if report.KnoxTokens != (ImportCounts{Updated: 1, Unchanged: 1}) {
		t.Errorf("a prolonged one: %+v", report)
	}
	f.now = time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, token := range []string{"one", "two"} {
		if _, ok := f.record(sum512(token)); !ok {
			t.Errorf("%s has ended", token)
		}
	}
	// What was revoked stays so, what the dump lacks goes with --prune alone.
	must[any](f, "DELETE", "tokens?user=a&kind=knox", "")
	report = f.imports("?prune=true", userRow(1, "a"), userRow(2, "off", `"is_active": false`), knoxRow("one", 1, nextYear), knoxRow("three", 1, nextYear))
	f.notes(report, "the dump has no tokens")
	if report.TokensRevoked != 1 || report.KnoxTokens != (ImportCounts{Created: 1, Removed: 1}) {
		t.Errorf("after a revocation: %+v", report)
	}
	report = f.imports("?prune=true", userRow(1, "a"), userRow(2, "off"))
	f.notes(report, "the dump has no tokens", "the dump has no knox tokens; those that were imported stay")
	f.fail(400, "row 1 (knox.authtoken): its user is neither in the dump", "POST", "import", "["+knoxRow("x", 99, nextYear)+"]")
}

// TestImport_edgesOfTime imports times that Django's settings can make of the first
// and the last there are: a token that has ended never is one without an end.
func TestImport_edgesOfTime(t *testing.T) {
	for expiry, lives := range map[string]bool{
		"0001-01-01T00:00:00Z": false, "0001-01-01T00:00:00+14:00": false, "0000-01-01T00:00:00Z": false,
		"9999-12-31T23:59:59.999999Z": true, "9999-12-31T23:59:59-12:00": true,
	} {
		f := newFixture(t)
		report := f.imports("", userRow(1, "a"), knoxRow("one", 1, expiry))
		c, ok := f.record(sum512("one"))
		if ok != lives || ok && c.Expires.Year() != 9999 {
			t.Errorf("%s: %v, until %s; %+v", expiry, ok, c.Expires, report.KnoxTokens)
		}
	}
}

// TestImport_prolonged brings back what ended here while it was used there, and
// never what was revoked here.
func TestImport_prolonged(t *testing.T) {
	for _, revoked := range []bool{false, true} {
		f := newFixture(t)
		f.imports("", userRow(1, "a"), knoxRow("one", 1, soon), clientRow(2, "web", ""), durinRow("durin", 1, 2, soon))
		if revoked {
			must[any](f, "DELETE", "tokens?user=a", "")
		}
		f.now = time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC)
		report := f.imports("", userRow(1, "a"), knoxRow("one", 1, nextYear), clientRow(2, "web", ""), durinRow("durin", 1, 2, nextYear))
		_, knox := f.record(sum512("one"))
		if _, ok := f.record(sum256("durin")); knox == revoked || ok == revoked {
			t.Errorf("revoked: %v; %+v", revoked, report)
		}
	}
}

func TestImport_durin(t *testing.T) {
	f := newFixture(t)
	rows := []string{userRow(1, "a"), clientRow(2, "web", "5/m"), clientRow(3, "cli", ""), durinRow(someKey, 1, 2, nextYear), durinRow("x"+someKey, 1, 3, nextYear)}
	for _, want := range []ImportCounts{{Created: 2}, {Unchanged: 2}} {
		if report := f.imports("", rows...); report.DurinClients != want || report.DurinTokens != want {
			t.Errorf("%+v", report)
		}
	}
	c, ok := f.record(sum256(someKey))
	if !ok || c.Kind != "durin" || c.ClientID != durin.ClientID("web") || c.Slot != durin.Slot(c.UserKey, c.ClientID) {
		t.Errorf("%+v", c)
	}
	client := func(name string) durin.Client {
		t.Helper()
		stored, err := f.store.Client(t.Context(), durin.ClientID(name))
		if err != nil || stored.Name != name {
			t.Fatalf("%+v, %v", stored, err)
		}
		client, err := durin.Decode(stored.Data)
		if err != nil {
			t.Fatal(err)
		}
		return client
	}
	if got := client("web"); got != (durin.Client{TokenTTL: 240 * time.Hour, ThrottleRate: "5/m"}) {
		t.Errorf("%+v", got)
	}
	// What the project changed is changed, what somebody here changed is not.
	stored, err := f.store.Client(t.Context(), durin.ClientID("cli"))
	if err != nil {
		t.Fatal(err)
	}
	stored.Data = durin.Encode(durin.Client{TokenTTL: time.Hour})
	if _, err := f.store.PutClient(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	report := f.imports("", clientRow(2, "web", "6/m"), clientRow(3, "cli", "7/m"))
	f.notes(report, noteOwnClient)
	if report.DurinClients != (ImportCounts{Updated: 1, Skipped: 1}) || client("web").ThrottleRate != "6/m" || client("cli").TokenTTL != time.Hour {
		t.Errorf("%+v", report)
	}
	// A token that the project replaced ends here too.
	report = f.imports("?prune=true", userRow(1, "a"), clientRow(2, "web", "6/m"), durinRow("new"+someKey, 1, 2, nextYear))
	if report.DurinTokens != (ImportCounts{Created: 1, Removed: 2}) {
		t.Errorf("pruned: %+v", report)
	}
	report = f.imports("", userRow(1, "a"), clientRow(2, "web", "6/m"), durinRow("newer"+someKey, 1, 2, nextYear))
	if report.DurinTokens != (ImportCounts{Updated: 1}) || f.accepts("new"+someKey) || !f.accepts("newer"+someKey) {
		t.Errorf("replaced: %+v", report)
	}
	// A client that was deleted here stays away, with its tokens, until it is asked for.
	if err := f.m.DeleteClient(t.Context(), "web"); err != nil {
		t.Fatal(err)
	}
	rows = []string{userRow(1, "a"), clientRow(2, "web", "6/m"), durinRow("later"+someKey, 1, 2, nextYear)}
	report = f.imports("", rows...)
	f.notes(report, noteDeletedClient)
	if report.DurinClients != (ImportCounts{Skipped: 1}) || report.DurinTokens != (ImportCounts{Skipped: 1}) || f.accepts("later"+someKey) {
		t.Errorf("a deleted client: %+v", report)
	}
	if report = f.imports("?deleted=true", rows...); report.DurinClients != (ImportCounts{Created: 1}) || !f.accepts("later"+someKey) {
		t.Errorf("brought back: %+v", report)
	}
	if report = f.imports("", rows...); report.DurinClients != (ImportCounts{Unchanged: 1}) {
		t.Errorf("after it was brought back: %+v", report)
	}
}

// TestImport_durinClients removes clients that the dump lacks, and refuses what cannot
// be kept to.
func TestImport_durinClients(t *testing.T) {
	f := newFixture(t)
	f.imports("", userRow(1, "a"), clientRow(2, "web", ""), clientRow(3, "cli", ""), clientRow(4, "old", ""), durinRow(someKey, 1, 2, nextYear))
	if _, err := f.m.CreateClient(t.Context(), NewClient{Name: "ours"}); err != nil {
		t.Fatal(err)
	}
	clients := func() string {
		t.Helper()
		page, _, err := f.m.ListClients(t.Context(), "", 100)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, c := range page {
			names = append(names, c.Name)
		}
		return strings.Join(names, " ")
	}
	// What the dump has no more goes, unless it is used or somebody's here.
	c := tokenstore.Credential{
		ID: "ours", Kind: tokenstore.KindDurin, Digest: sum256("ours"), UserKey: f.user("a").Key, ClientID: durin.ClientID("cli"), Created: f.now, Expires: f.now.Add(time.Hour),
	}
	if err := f.store.Create(t.Context(), c, 0, false); err != nil {
		t.Fatal(err)
	}
	report := f.imports("?prune=true", userRow(1, "a"), durinRow(someKey, 1, 2, nextYear), clientRow(2, "web", ""))
	f.notes(report, "the dump has no tokens", noteClientUsed, "removed, since the dump does not have it")
	if report.DurinClients != (ImportCounts{Unchanged: 1, Removed: 1}) || clients() != "cli ours web" {
		t.Errorf("pruned: %+v; %s", report, clients())
	}
	f.now = f.now.Add(2 * time.Hour)
	report = f.imports("?prune=true", userRow(1, "a"))
	f.notes(report, "the dump has no tokens", "the dump has no durin tokens")
	report = f.imports("?prune=true&dry_run=true", userRow(1, "a"), durinRow(someKey, 1, 2, nextYear), clientRow(2, "web", ""))
	if report.DurinClients != (ImportCounts{Unchanged: 1, Removed: 1}) || clients() != "cli ours web" {
		t.Errorf("what has expired does not keep a client: %+v; %s", report, clients())
	}
	// A rate that is none here would have each request fail.
	f.fail(400, "row 2 (durin.client): throttle_rate: invalid period 'month'.", "POST", "import", "["+userRow(1, "a")+","+clientRow(2, "web", "10/month")+"]")
}

func TestImport_sessions(t *testing.T) {
	f := newFixture(t)
	rows := []string{userRow(1, "a"), userRow(2, "off", `"is_active": false`), userRow(3, "configured"), userRow(4, "sso", `"password": "!x"`)}
	sessions := []string{
		sessionRow(cookieKey, 1, djangoHash, soon), sessionRow("b"+cookieKey[1:], 2, djangoHash, soon), sessionRow("c"+cookieKey[1:], 3, djangoHash, soon),
		sessionRow("d"+cookieKey[1:], 9, djangoHash, soon), sessionRow("e"+cookieKey[1:], 1, otherHash, soon), sessionRow("f"+cookieKey[1:], 1, djangoHash, lastYear),
		sessionRow("g"+cookieKey[1:], 4, "!x", soon),
	}
	all := append(rows, sessions...)
	report := f.imports("", all...)
	f.notes(report, noteConfigured, "6 left out: not verified, since no SECRET_KEY was given", "1 left out: expired")
	report = f.importsWith("dry_run=true", all...)
	if _, ok := f.record(sum256(cookieKey)); ok || report.Sessions.Created != 2 {
		t.Errorf("a dry run: %+v", report)
	}
	report = f.importsWith("", all...)
	f.notes(report, noteConfigured, "1 left out: "+leftInactive, "1 left out: "+leftNobody, "1 left out: expired", "1 left out: of passwords that were changed in the project since")
	if report.Sessions != (ImportCounts{Created: 2, Skipped: 5}) {
		t.Errorf("%+v", report)
	}
	c, ok := f.record(sum256(cookieKey))
	if u := f.user("a"); !ok || c.Kind != tokenstore.KindSession || c.UserKey != u.Key || c.PasswordVersion != u.PasswordVersion || c.Origin != "django" ||
		!c.Created.Equal(time.Unix(1700000000, 0)) || c.Expires.Format(time.RFC3339) != soon || len(c.Data) > 0 {
		t.Errorf("%+v", c)
	}
	if report = f.importsWith("", all...); report.Sessions != (ImportCounts{Unchanged: 2, Skipped: 5}) {
		t.Errorf("again: %+v", report)
	}
	for _, line := range f.logs.All() {
		if strings.Contains(fmt.Sprint(line.ContextMap()), "project's") {
			t.Error("the key is in the log")
		}
	}
	// Sessions of a dump of their own, and what is pruned.
	report = f.importsWith("", sessionRow("h"+cookieKey[1:], 1, djangoHash, soon))
	if report.Sessions != (ImportCounts{Created: 1}) {
		t.Errorf("sessions alone: %+v", report)
	}
	report = f.imports("?prune=true", append(rows, sessions[0])...)
	f.notes(report, noteConfigured, "the dump has no tokens", "1 left out: not verified", "the sessions of the dump are not verified; those that were imported stay")
	report = f.importsWith("prune=true", append(rows, sessions[0], sessionRow("g"+cookieKey[1:], 4, "!y", soon))...)
	if report.Sessions != (ImportCounts{Unchanged: 1, Skipped: 1, Removed: 2}) {
		t.Errorf("pruned: %+v", report)
	}
	// A revoked one stays dead.
	if _, err := f.store.Delete(t.Context(), tokenstore.Filter{UserKey: c.UserKey}); err != nil {
		t.Fatal(err)
	}
	if report = f.importsWith("", append(rows, sessions[0])...); report.TokensRevoked != 1 || report.Sessions.Created != 0 {
		t.Errorf("revoked: %+v", report)
	}
}

// TestImport_sessionsAndPasswords lets nobody stay logged in with a password that
// is not the user's any more, here or there.
func TestImport_sessionsAndPasswords(t *testing.T) {
	row := sessionRow(cookieKey, 1, djangoHash, soon)
	for name, test := range map[string]struct {
		meanwhile func(f *fixture, u tokenstore.User) error
		query     string
		rows      []string
		want      ImportCounts
		note      string
	}{
		"nothing": {nil, "", []string{userRow(1, "a"), row}, ImportCounts{Created: 1}, ""},
		"a login here": {func(f *fixture, u tokenstore.User) error {
			return f.store.Rehash(f.t.Context(), u.Key, djangoHash, "ours")
		}, "", []string{userRow(1, "a"), row}, ImportCounts{Created: 1}, ""},
		"a login here, and the user is not in the dump": {func(f *fixture, u tokenstore.User) error {
			return f.store.Rehash(f.t.Context(), u.Key, djangoHash, "ours")
		}, "", []string{row}, ImportCounts{Skipped: 1}, leftDiffers},
		"a change here": {func(f *fixture, u tokenstore.User) error {
			u.PasswordHash = "ours"
			_, err := f.store.PutUser(f.t.Context(), u)
			return err
		}, "", []string{userRow(1, "a"), row}, ImportCounts{Skipped: 1}, leftDiffers},
		"a change there": {nil, "", []string{userRow(1, "a", `"password": "`+otherHash+`"`), row}, ImportCounts{Skipped: 1}, "changed in the project"},
		"a change there, and a login after it": {
			nil, "",
			[]string{userRow(1, "a", `"password": "`+otherHash+`"`), sessionRow(cookieKey, 1, otherHash, soon)},
			ImportCounts{Skipped: 1},
			leftDiffers,
		},
		"a change there that is taken": {
			nil, "passwords=true",
			[]string{userRow(1, "a", `"password": "`+otherHash+`"`), sessionRow(cookieKey, 1, otherHash, soon)},
			ImportCounts{Created: 1},
			"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.imports("", userRow(1, "a"))
			if test.meanwhile != nil {
				if err := test.meanwhile(f, f.user("a")); err != nil {
					t.Fatal(err)
				}
			}
			report := f.importsWith(test.query, test.rows...)
			if report.Sessions != test.want {
				t.Errorf("%+v", report)
			}
			if test.note != "" {
				f.notes(report, test.note)
			}
			// A later change ends it.
			u := f.user("a")
			u.PasswordHash = "changed"
			if _, err := f.store.PutUser(t.Context(), u); err != nil {
				t.Fatal(err)
			}
			if _, ok := f.record(sum256(cookieKey)); ok {
				t.Error("it outlived a change of the password")
			}
		})
	}
}

func TestImport_secretKeys(t *testing.T) {
	f := newFixture(t)
	dump := "[" + userRow(1, "a") + "]"
	many, _ := EncodeSecretKeys(strings.Fields(strings.Repeat("key ", maxSecretKeys+1)))
	for first, want := range map[string]string{
		"": "the first line of the body", "{}\n": "the first line", "[1]\n": "the first line", "[]\n": "there is no key", `[""]` + "\n": "a key is empty",
		`["` + strings.Repeat("a", maxSecretBytes) + `"]` + "\n": "the first line", "[\"\xff\"]\n": "the first line", string(many): "too many",
	} {
		f.fail(400, want, "POST", "import?secret_keys=true", first+dump)
	}
	f.fail(400, "secret_keys: must be true or false", "POST", "import?secret_keys=key", dump)
	must[ImportReport](f, "POST", "import?secret_keys=true", `["a"]`+"\n"+dump)

	for text, want := range map[string][]string{
		"one": {"one"}, "one\n": {"one"}, " one \r\n\n#two\n": {" one ", "#two"},
		"\xef\xbb\xbfone\r\n": {"one"}, "\xef\xbb\xbf": nil,
		"": nil, "\n\n": nil, "\xff": nil, strings.Repeat("a", maxSecretBytes+1): nil,
	} {
		if got, err := ReadSecretKeys(strings.NewReader(text)); (err == nil) != (want != nil) || err == nil && fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Errorf("%.20q: %q, %v", text, got, err)
		}
	}
}

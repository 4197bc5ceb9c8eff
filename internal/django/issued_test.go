// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const sessionKey = "abcdefghijklmnopqrstuvwxyz012345"

var (
	sha512Hex = strings.Repeat("0123456789abcdef", 8)
	issuedNow = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
)

func knoxRow(digest, fields string) string {
	return fmt.Sprintf(`{"model": "knox.authtoken", "pk": %q, "fields": {"user": 1, "created": "2026-11-20T00:00:00.123Z", %s}}`, digest, fields)
}

func clientRow(pk int, name, ttl string) string {
	return fmt.Sprintf(`{"model": "durin.client", "pk": %d, "fields": {"name": %q, "token_ttl": %q, "throttle_rate": "5/m"}}`, pk, name, ttl)
}

func durinRow(pk int, token string, client int, expiry string) string {
	return fmt.Sprintf(`{"model": "durin.authtoken", "pk": %d, "fields": {"token": %q, "user": 1, "client": %d, "created": "2026-11-20T00:00:00Z", "expiry": %q}}`, pk, token, client, expiry)
}

func sessionRow(key, data, expires string) string {
	return fmt.Sprintf(`{"model": "sessions.session", "pk": %q, "fields": {"session_data": %q, "expire_date": %q}}`, key, data, expires)
}

const (
	later   = "2026-11-22T00:00:00Z"
	earlier = "2026-11-20T00:00:00Z"
)

func issuedOptions(t testing.TB) Options {
	o := options(t)
	o.Now, o.SecretKeys = issuedNow, []string{vectorKey}
	return o
}

func TestRead_issued(t *testing.T) {
	rows := []string{
		durinRow(1, "durin's token", 2, later),
		durinRow(2, "of another client", 3, later),
		durinRow(3, "expired", 2, earlier),
		clientRow(2, "web", "1 02:00:00"), clientRow(3, "cli", "P10DT00H00M00.5S"),
		userRow("1", `"username": "a", "password": "`+vectorPassword+`"`),
		knoxRow(sha512Hex, `"token_key": "0123456789abcde", "expiry": "`+later+`"`),
		knoxRow("ae"+sha512Hex[2:64], `"token_key": "pre_0123456789abcde", "expiry": null`),
		knoxRow("ab"+sha512Hex[2:], `"token_key": "01234567", "expiry": null`),
		knoxRow("ac"+sha512Hex[2:], `"token_key": "0123456789abcde", "expiry": "`+earlier+`"`),
		knoxRow("ad"+sha512Hex[2:], `"token_key": "01234567", "salt": "0123", "expiry": null`),
		knoxRow("af"+sha512Hex[2:64], `"token_key": "01234567", "expiry": null`),
		knoxRow(sha512Hex[:40], `"token_key": "0123456789abcde", "expiry": null`),
		sessionRow(sessionKey, vectorSession, later),
		sessionRow("b"+sessionKey[1:], vectorOther, later), // of another password
		sessionRow("c"+sessionKey[1:], vectorAnonymous, later),
		sessionRow("d"+sessionKey[1:], vectorPickle, later),
		sessionRow("e"+sessionKey[1:], "x:y:z", later),
		sessionRow("f"+sessionKey[1:], strings.Repeat("x", maxSession+1), later),
		sessionRow("g"+sessionKey[1:], vectorSession, earlier),
		sessionRow("short", vectorSession, later),
	}
	got, d, err := read(t, "["+strings.Join(rows, ",\n")+"]", issuedOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	digestOf := func(text string) []byte {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	created, expires := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	password := vectorPassword
	want := []Token{
		{Row: 1, Model: ModelDurin, Digest: digest("durin's token"), UserID: "1", Client: "web", Created: created, Expires: expires},
		{Row: 2, Model: ModelDurin, Digest: digest("of another client"), UserID: "1", Client: "cli", Created: created, Expires: expires},
		{Row: 7, Model: ModelKnox, Digest: digestOf(sha512Hex), UserID: "1", Created: created.Add(123e6), Expires: expires},
		{Row: 8, Model: ModelKnox, Digest: digestOf("ae" + sha512Hex[2:64]), UserID: "1", Created: created.Add(123e6)},
		{Row: 14, Model: ModelSession, Digest: digest(sessionKey), UserID: "1", Created: vectorTime, Expires: expires, AuthHash: vectorHash, Password: &password},
	}
	if diff := cmp.Diff(want, got.Tokens); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Client{
		{Row: 4, Name: "web", TokenTTL: 26 * time.Hour, ThrottleRate: "5/m"},
		{Row: 5, Name: "cli", TokenTTL: 240*time.Hour + time.Second/2, ThrottleRate: "5/m"},
	}, d.Clients); diff != "" {
		t.Error(diff)
	}
	left := make(map[LeftOut]bool)
	for _, l := range d.LeftOut {
		left[l] = true
	}
	wantLeft := make(map[LeftOut]bool)
	for _, l := range []LeftOut{
		{ModelDurin, "expired", 1},
		{ModelKnox, "expired", 1},
		{ModelKnox, leftHash, 2},
		{ModelKnox, leftOutdated, 1},
		{ModelKnox, leftSalted, 1},
		{ModelSession, "expired", 1},
		{ModelSession, leftLarge, 1},
		{ModelSession, leftUnsigned, 1},
		{ModelSession, leftUnreadable, 1},
		{ModelSession, leftAnonymous, 1},
		{ModelSession, leftLoggedOut, 1},
		{ModelSession, leftPickled, 1},
	} {
		wantLeft[l] = true
	}
	if diff := cmp.Diff(wantLeft, left); diff != "" {
		t.Error(diff)
	}
	if d.Tokens != 5 || !d.Has(ModelKnox) || d.Has(ModelAuthtoken) || !d.SessionsVerified() || !d.HasToken(digest(sessionKey)) ||
		d.HasToken(digest("b"+sessionKey[1:])) || d.HasToken(digestOf("ab"+sha512Hex[2:])) {
		t.Errorf("it does not know what it has: %+v", d)
	}
	password += " another"
	if s := got.Tokens[4]; !d.SessionLives(s, vectorPassword) || d.SessionLives(s, password) || d.SessionLives(got.Tokens[0], vectorPassword) {
		t.Error("it does not know which password a session was made under")
	}
}

// TestRead_olderKnox takes what knox before version 5 made, of a project that has
// no newer one.
func TestRead_olderKnox(t *testing.T) {
	got, _, err := read(t, "["+userRow("1", `"username": "a"`)+","+knoxRow(sha512Hex, `"token_key": "01234567", "expiry": null`)+"]", issuedOptions(t))
	if err != nil || len(got.Tokens) != 1 {
		t.Errorf("%+v, %v", got.Tokens, err)
	}
}

// TestRead_otherKey says that the sessions of a dump say nothing, where the key is
// missing or another one.
func TestRead_otherKey(t *testing.T) {
	for _, keys := range [][]string{nil, {"another key"}} {
		o := issuedOptions(t)
		o.SecretKeys = keys
		got, d, err := read(t, "["+sessionRow(sessionKey, vectorSession, later)+"]", o)
		if err != nil || len(got.Tokens) > 0 || d.SessionsVerified() || len(d.LeftOut) != 1 {
			t.Errorf("%v: %+v, %v", keys, got, err)
		}
	}
}

func TestProblems_issued(t *testing.T) {
	const token = "0123456789012345678901234567890123456789"
	client := clientRow(2, "web", "1 00:00:00") + ","
	for name, test := range map[string]struct{ text, want string }{
		"a digest that is none":     {knoxRow(strings.Repeat("xy", 64), `"expiry": null`), "row 1 (knox.authtoken): digest: not hexadecimal"},
		"a digest in capitals":      {knoxRow(strings.ToUpper(sha512Hex), `"expiry": null`), "digest: not hexadecimal"},
		"no digest":                 {`{"model": "knox.authtoken", "fields": {"user": 1}}`, "row 1 (knox.authtoken): the token has no digest"},
		"a knox token of nobody":    {`{"model": "knox.authtoken", "pk": "` + sha512Hex + `", "fields": {}}`, "row 1 (knox.authtoken): the token has no user"},
		"an expiry that is none":    {knoxRow(sha512Hex, `"expiry": "soon"`), "expiry: not a time"},
		"a digest twice":            {knoxRow(sha512Hex, `"expiry": null`) + "," + knoxRow(sha512Hex, `"expiry": null`), "row 1 has the same key"},
		"no client":                 {durinRow(1, token, 2, later), "row 1 (durin.authtoken): client: client 2 is not in the dump"},
		"an empty token":            {client + durinRow(1, "", 2, later), "row 2 (durin.authtoken): the token is empty"},
		"a long token":              {client + durinRow(1, strings.Repeat(token, 20), 2, later), "token: longer than 512 bytes"},
		"a durin token of nobody":   {`{"model": "durin.authtoken", "pk": 1, "fields": {"token": "` + token + `", "client": 2, "expiry": "` + later + `"}}`, "has no user"},
		"a token of no client":      {`{"model": "durin.authtoken", "pk": 1, "fields": {"token": "` + token + `", "user": 2, "expiry": "` + later + `"}}`, "has no client"},
		"a token without an expiry": {`{"model": "durin.authtoken", "pk": 1, "fields": {"token": "` + token + `", "user": 2, "client": 2}}`, "has no expiry"},
		"two of user and client":    {client + durinRow(1, token, 2, later) + "," + durinRow(2, "x"+token, 2, later), "row 2 is a token of the same user and client"},
		"a client without a name":   {clientRow(1, "", "1 00:00:00"), "row 1 (durin.client 1): the client has no name"},
		"a client with a long name": {clientRow(1, strings.Repeat("ö", 65), "1 00:00:00"), "longer than 64 characters"},
		"a hidden character":        {clientRow(1, "a\u202eb", "1 00:00:00"), "control character"},
		"a space after a client":    {clientRow(1, "web ", "1 00:00:00"), "begins or ends with a space"},
		"a client without a ttl":    {clientRow(1, "web", ""), "token_ttl: not a duration above zero"},
		"a client twice":            {client + clientRow(3, "web", "1 00:00:00"), "row 1 is a client of the same name"},
		"two clients of a key":      {client + clientRow(2, "cli", "1 00:00:00"), "another client has the same primary key"},
		"a session without a key":   {`{"model": "sessions.session", "fields": {"session_data": "x", "expire_date": "` + later + `"}}`, "the session has no key"},
		"a session without an end":  {sessionRow(sessionKey, "x", ""), "row 1 (sessions.session): expire_date: not a time"},
		"a session twice":           {sessionRow(sessionKey, vectorSession, later) + "," + sessionRow(sessionKey, vectorSession, later), "row 1 has the same key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := read(t, "["+test.text+"]", issuedOptions(t))
			problems := (*BadDumpError)(nil)
			if !errors.As(err, &problems) || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("Read: %v, want %s", err, test.want)
			}
			if advised := strings.Contains(problems.Advice, "durin.client durin.authtoken"); advised != (name == "no client") {
				t.Errorf("the advice is %q", problems.Advice)
			}
			for _, secret := range []string{token, sha512Hex, sessionKey} {
				if strings.Contains(fmt.Sprint(problems.List), secret) {
					t.Errorf("the problems have a secret: %v", problems.List)
				}
			}
		})
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1 00:00:00": 24 * time.Hour, "10:00:00": 10 * time.Hour, "00:10": 10 * time.Second, "15": 15 * time.Second,
		"1 02:03:04.500000": 26*time.Hour + 3*time.Minute + 4500*time.Millisecond, "0.000001": time.Microsecond,
		"3 days, 00:00:01": 72*time.Hour + time.Second, "1 day, 0:00:00": 24 * time.Hour,
		"P1DT02H03M04.5S": 26*time.Hour + 3*time.Minute + 4500*time.Millisecond, "P1D": 24 * time.Hour, "PT1S": time.Second,
		"999999999 23:59:59": 1<<63 - 1,
	} {
		if got, ok := ParseDuration(text); got != want || !ok {
			t.Errorf("%s is %s, %v; want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "-1 00:00:00", "1:2:3:4", "x", "1 day", "1h", "-P1D", "P1Y", "99999999999999999999", " 1"} {
		if got, ok := ParseDuration(text); ok {
			t.Errorf("%q is %s", text, got)
		}
	}
}

// TestRead_manySessions reads more sessions of nobody than memory would hold, and
// looks at the heap meanwhile.
func TestRead_manySessions(t *testing.T) {
	for name, row := range map[string]string{
		"anonymous": sessionRow(sessionKey, vectorAnonymous, later),
		"expired":   sessionRow(sessionKey, vectorSession, earlier),
		"forged":    sessionRow(sessionKey, "e30:1r31eq:x", later),
	} {
		t.Run(name, func(t *testing.T) {
			const n = 20_000
			text := io.MultiReader(strings.NewReader("["+row), &repeat{text: "," + row, left: n * int64(len(row)+1)}, strings.NewReader("]"))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			d, err := Read(t.Context(), text, issuedOptions(t))
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Close(); err != nil || d.Rows != n+1 || d.Tokens != 0 || d.LeftOut[0].Count != n+1 {
				t.Errorf("%+v, %v", d, err)
			}
			if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 6<<20 {
				t.Errorf("the heap grew by %d MiB", grown>>20)
			}
		})
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// jwt is a token with such a payload.
func jwt(payload string) string {
	return "eyJhbGciOiJIUzI1NiJ9." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2ln"
}

func outstandingRow(pk int, user, jti, token, expires string) string {
	return fmt.Sprintf(`{"model": "token_blacklist.outstandingtoken", "pk": %d, "fields": {"user": %s, "jti": %q, "token": %q, "created_at": "2026-11-20T00:00:00Z", "expires_at": %q}}`,
		pk, user, jti, token, expires)
}

func blacklistedRow(pk, token int) string {
	return fmt.Sprintf(`{"model": "token_blacklist.blacklistedtoken", "pk": %d, "fields": {"token": %d, "blacklisted_at": "2026-11-20T01:00:00Z"}}`, pk, token)
}

func TestRead_blacklist(t *testing.T) {
	user := userRow("1", `"username": "a"`)
	rows := []string{
		blacklistedRow(1, 2), // before the token that it is about
		outstandingRow(1, "1", "good", jwt(`{"token_type":"refresh","jti":"good"}`), later),
		outstandingRow(2, "1", "bad", jwt(`{"token_type":"refresh","iss":"https://i.example"}`), later),
		outstandingRow(3, "1", "past", jwt(`{"token_type":"refresh"}`), earlier),
		outstandingRow(4, "null", "orphan", jwt(`{"token_type":"refresh"}`), later),
		outstandingRow(5, "null", "bad orphan", jwt(`{"iss":1}`), later),
		outstandingRow(6, "1", "slides", jwt(`{"token_type":"sliding","refresh_exp":1795305600.5}`), earlier),
		outstandingRow(7, "1", "bad slides", jwt(`{"token_type":"sliding","refresh_exp":1795305600}`), earlier),
		outstandingRow(8, "1", "bad past", jwt(`{}`), earlier),
		blacklistedRow(2, 5), blacklistedRow(3, 7), blacklistedRow(4, 8), user,
	}
	d, err := Read(t.Context(), strings.NewReader("["+strings.Join(rows, ",")+"]"), issuedOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var got []string
	err = d.EachToken(func(token Token) error {
		got = append(got, fmt.Sprintf("%s %s %s|%s user %q until %s", token.Model, token.Created.Format(time.DateOnly), token.Issuer, token.JTI, token.UserID, token.Expires.Format(time.DateOnly)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`token_blacklist.outstandingtoken 2026-11-20 |good user "1" until 2026-11-22`,
		`token_blacklist.blacklistedtoken 2026-11-20 https://i.example|bad user "1" until 2026-11-22`,
		`token_blacklist.blacklistedtoken 2026-11-20 |bad orphan user "" until 2026-11-22`,
		`token_blacklist.blacklistedtoken 2026-11-20 |bad slides user "1" until 2026-11-22`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("tokens\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	left := fmt.Sprint(d.LeftOut)
	for _, reason := range []string{"expired 2", leftDeleted + " 1", leftSliding + " 1"} {
		if !strings.Contains(left, reason) {
			t.Errorf("left out: %s, want %s", left, reason)
		}
	}
	if d.Tokens != 4 || !d.Has(ModelOutstanding) || !d.Has(ModelBlacklisted) {
		t.Errorf("%d tokens, want 4", d.Tokens)
	}
}

func TestRead_blacklistProblems(t *testing.T) {
	good := jwt(`{"token_type":"refresh"}`)
	for want, rows := range map[string][]string{
		"the outstanding token is not in the dump":  {blacklistedRow(1, 2)},
		"is about the same token":                   {outstandingRow(2, "1", "a", good, later), blacklistedRow(1, 2), blacklistedRow(2, 2)},
		"has the same primary key":                  {outstandingRow(2, "1", "a", good, later), outstandingRow(2, "1", "b", good+"x", later)},
		"has the same key":                          {outstandingRow(1, "1", "a", good, later), outstandingRow(2, "1", "b", good, later)},
		"the token has no jti":                      {outstandingRow(1, "1", "", good, later)},
		"jti: longer than 255 characters":           {outstandingRow(1, "1", strings.Repeat("é", 256), good, later)},
		"token: not a JSON Web Token":               {outstandingRow(1, "1", "a", "secret", later), outstandingRow(2, "1", "b", "secret.!.c", later)},
		"token: its payload is not readable":        {outstandingRow(1, "1", "a", "a.c2VjcmV0.c", later), outstandingRow(2, "1", "b", jwt(`[]`), later)},
		"expires_at: not a time":                    {outstandingRow(1, "1", "a", good, "never"), outstandingRow(2, "1", "b", good+"x", "")},
		"token: longer than 16384 bytes":            {outstandingRow(1, "1", "a", jwt(strings.Repeat("x", 20_000)), later)},
		"user: a natural key of 2 parts":            {outstandingRow(1, `["a","b"]`, "a", good, later)},
		"token: a natural key":                      {`{"model": "token_blacklist.blacklistedtoken", "pk": 1, "fields": {"token": ["a"]}}`},
		"it has no token":                           {`{"model": "token_blacklist.blacklistedtoken", "pk": 1, "fields": {"token": null}}`},
		"the token has no primary key; dump token_": {`{"model": "token_blacklist.outstandingtoken", "fields": {"user": 1, "jti": "a"}}`},
	} {
		rows = append(rows, userRow("1", `"username": "a"`))
		_, err := Read(t.Context(), strings.NewReader("["+strings.Join(rows, ",")+"]"), issuedOptions(t))
		bad := (*BadDumpError)(nil)
		if !errors.As(err, &bad) {
			t.Errorf("%s: %v", want, err)
			continue
		}
		found := false
		for _, p := range bad.List {
			found = found || strings.Contains(p.Text, want)
			if strings.Contains(p.Text+p.PK, "secret") || strings.Contains(p.Text+p.PK, "eyJ") {
				t.Errorf("a problem has a token: %+v", p)
			}
		}
		if !found {
			t.Errorf("problems %+v, want %s", bad.List, want)
		}
	}
}

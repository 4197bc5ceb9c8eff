// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// refreshJWT is a refresh token of that jti.
func refreshJWT(jti string) string {
	payload := fmt.Sprintf(`{"token_type":"refresh","jti":%q,"user_id":"1"}`, jti)
	return "eyJhbGciOiJIUzI1NiJ9." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2ln"
}

func outstandingRow(pk int, user, jti, expires string) string {
	return fmt.Sprintf(`{"model": "token_blacklist.outstandingtoken", "pk": %d, "fields": {"user": %s, "jti": %q, "token": %q, "created_at": "2026-12-01T00:00:00Z", "expires_at": %q}}`,
		pk, user, jti, refreshJWT(jti), expires)
}

func blacklistedRow(token int) string {
	return fmt.Sprintf(`{"model": "token_blacklist.blacklistedtoken", "pk": %d, "fields": {"token": %d, "blacklisted_at": "2026-12-02T00:00:00Z"}}`, token, token)
}

var blacklistUser = userRow(1, "alice")

// refreshes reports whether a refresh token has a record that lives.
func (f *fixture) refreshes(jti string) bool {
	f.t.Helper()
	c, ok := f.record(issue.JWTDigest(refreshJWT(jti)))
	if ok && (c.Kind != tokenstore.KindRefresh || c.Family != revocation.JWT("", jti) || c.Origin != "django" || c.PasswordVersion != 1) {
		f.t.Errorf("the record of %s is %+v", jti, c)
	}
	return ok
}

func TestImport_blacklist(t *testing.T) {
	f := newFixture(t)
	rows := []string{
		blacklistedRow(2), outstandingRow(1, "1", "good", nextYear), outstandingRow(2, "1", "bad", nextYear),
		outstandingRow(3, "1", "past", lastYear), outstandingRow(4, "null", "orphan", nextYear), outstandingRow(5, "null", "bad orphan", nextYear),
		blacklistedRow(5), blacklistUser,
	}
	dry := f.imports("?dry_run=true", rows...)
	if f.refreshes("good") || f.revoked("") {
		t.Error("a dry run did something")
	}
	report := f.imports("", rows...)
	for _, r := range []ImportReport{dry, report} {
		if r.RefreshTokens != (ImportCounts{Created: 1, Skipped: 2}) || r.BlacklistedTokens != (ImportCounts{Created: 2}) || r.TokensRevoked != 0 {
			t.Errorf("refresh %+v, blacklisted %+v, revoked %d", r.RefreshTokens, r.BlacklistedTokens, r.TokensRevoked)
		}
	}
	if !f.refreshes("good") || f.refreshes("bad") || f.refreshes("past") || f.refreshes("orphan") {
		t.Error("not the good one alone refreshes")
	}
	for jti, want := range map[string]bool{"good": false, "bad": true, "past": false, "orphan": false, "bad orphan": true} {
		if got := f.revoked(revocation.JWT("", jti)); got != want {
			t.Errorf("%s is revoked: %t, want %t", jti, got, want)
		}
	}
	again := f.imports("?prune=true", rows...)
	if again.RefreshTokens != (ImportCounts{Unchanged: 1, Skipped: 2}) || again.BlacklistedTokens != (ImportCounts{Unchanged: 2}) {
		t.Errorf("again: refresh %+v, blacklisted %+v", again.RefreshTokens, again.BlacklistedTokens)
	}
	for _, answer := range []any{report, again, f.logs.All()} {
		if text := fmt.Sprintf("%+v", answer); strings.Contains(text, "eyJ") {
			t.Errorf("a token is in %s", text)
		}
	}
}

// Dumps may come in any order: what any of them says is revoked stays so.
func TestImport_blacklistOrder(t *testing.T) {
	before := []string{outstandingRow(1, "1", "a", nextYear), blacklistUser}
	after := []string{outstandingRow(1, "1", "a", nextYear), blacklistedRow(1), blacklistUser}
	for name, dumps := range map[string][][]string{
		"older first": {before, after}, "newer first": {after, before}, "older again": {before, after, before},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			var last ImportReport
			for _, rows := range dumps {
				last = f.imports("", rows...)
			}
			if f.refreshes("a") || !f.revoked(revocation.JWT("", "a")) {
				t.Error("the token is good")
			}
			if strings.HasSuffix(name, "again") && last.TokensRevoked != 1 {
				t.Errorf("%d tokens stay revoked, want 1", last.TokensRevoked)
			}
		})
	}
}

// What was used or ended here does not come back.
func TestImport_outstandingUsed(t *testing.T) {
	f := newFixture(t)
	rows := []string{outstandingRow(1, "1", "rotated", nextYear), outstandingRow(2, "1", "ended", nextYear), outstandingRow(3, "1", "stays", nextYear), blacklistUser}
	f.imports("", rows...)
	next := tokenstore.Credential{ID: "next", Kind: tokenstore.KindRefresh, Digest: sum256("next"), Family: revocation.JWT("", "rotated"), Created: f.now}
	if _, won, err := f.store.Rotate(t.Context(), issue.JWTDigest(refreshJWT("rotated")), []tokenstore.Credential{next}, nil, f.now, 0); !won || err != nil {
		t.Fatal(won, err)
	}
	c, _ := f.record(issue.JWTDigest(refreshJWT("ended")))
	must[any](f, "DELETE", "tokens/"+c.ID, "")
	report := f.imports("", rows...)
	if report.RefreshTokens != (ImportCounts{Unchanged: 1}) || report.TokensRevoked != 2 {
		t.Errorf("refresh %+v, revoked %d", report.RefreshTokens, report.TokensRevoked)
	}
	if f.refreshes("rotated") || f.refreshes("ended") || !f.refreshes("stays") {
		t.Error("a token came back, or the other one is gone")
	}
	// The project blacklists the one that was rotated here: its successor ends too.
	f.imports("", append(rows, blacklistedRow(1))...)
	if _, ok := f.record(sum256("next")); ok {
		t.Error("the successor of a blacklisted token lives")
	}
}

// Pruning ends what the project no longer has, with what it was given here.
func TestImport_outstandingPruned(t *testing.T) {
	f := newFixture(t)
	f.imports("", outstandingRow(1, "1", "a", nextYear), outstandingRow(2, "1", "b", nextYear), blacklistUser)
	report := f.imports("?prune=true", outstandingRow(2, "1", "b", nextYear), blacklistUser)
	if report.RefreshTokens != (ImportCounts{Unchanged: 1, Removed: 1}) || f.refreshes("a") || !f.refreshes("b") || !f.revoked(revocation.JWT("", "a")) {
		t.Errorf("refresh %+v", report.RefreshTokens)
	}
	report = f.imports("?prune=true", blacklistUser)
	if !f.refreshes("b") || !strings.Contains(fmt.Sprint(report.Notes), "the dump has no refresh tokens; those that were imported stay") {
		t.Errorf("notes %+v", report.Notes)
	}
}

// A blacklisted token is remembered until it has ended, with some leeway.
func TestImport_blacklistSwept(t *testing.T) {
	f := newFixture(t)
	f.imports("", outstandingRow(1, "1", "a", soon), blacklistedRow(1), blacklistUser)
	end, err := time.Parse(time.RFC3339, soon)
	if err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]bool{0: true, afterEnd: true} {
		if _, err := f.store.Sweep(t.Context(), end.Add(after), 100); err != nil || f.revoked(revocation.JWT("", "a")) != want {
			t.Errorf("swept %v after its end: %v, want remembered", after, err)
		}
	}
	if _, err := f.store.Sweep(t.Context(), end.Add(afterEnd+time.Second), 100); err != nil || f.revoked("") {
		t.Errorf("swept: %v, want none", err)
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// withClaims is a token of those claims that nobody signed.
func withClaims(t testing.TB, header, payload string) *Token {
	t.Helper()
	token, err := Parse(segments(header, payload))
	if err != nil {
		t.Fatalf("%v: %s %s", err, header, payload)
	}
	return token
}

func TestTime(t *testing.T) {
	for number, want := range map[string]time.Time{
		"0":                 time.Unix(0, 0),
		"1300819380":        time.Unix(1300819380, 0),
		"1300819380.5":      time.Unix(1300819380, 500_000_000),
		"1300819380.0":      time.Unix(1300819380, 0),
		"1.30081938e9":      time.Unix(1300819380, 0),
		"13008193800E-1":    time.Unix(1300819380, 0),
		"0.25":              time.Unix(0, 250_000_000),
		"253402300799":      time.Unix(253402300799, 0),
		"0e999999999":       time.Unix(0, 0),
		"1e-400":            time.Unix(0, 0),
		"0.000000000000001": time.Unix(0, 0),
	} {
		got, ok, err := withClaims(t, `{"alg":"RS256"}`, `{"exp":`+number+`}`).Time("exp")
		if err != nil || !ok || !got.Equal(want) {
			t.Errorf("%s: got %v, %t, %v", number, got, ok, err)
		}
	}
	for _, bad := range []string{
		"-1", "-0", "-0.0", "-1e9", "253402300800", "1e12", "1e308", "9223372036854775807", "9223372036854775808",
		strings.Repeat("9", 64), "253402300799.5", `"1300819380"`, `""`, "null", "true", "[]", "[1300819380]", "{}", `{"a":1}`,
	} {
		token := withClaims(t, `{"alg":"RS256"}`, `{"exp":`+bad+`}`)
		if got, ok, err := token.Time("exp"); !errors.Is(err, ErrClaim) || ok {
			t.Errorf("%s: got %v, %t, %v", bad, got, ok, err)
		}
	}
	if _, ok, err := withClaims(t, `{"alg":"RS256"}`, `{}`).Time("exp"); ok || err != nil {
		t.Errorf("absent: got %t, %v", ok, err)
	}
}

func TestString(t *testing.T) {
	token := withClaims(t, `{"alg":"RS256"}`, `{"sub":"al\u0069ce","email":null,"n":1,"l":["a"],"Name":"x","empty":""}`)
	for claim, want := range map[string]string{"sub": "alice", "empty": "", "Name": "x"} {
		if got, ok, err := token.String(claim); got != want || !ok || err != nil {
			t.Errorf("%s: got %q, %t, %v", claim, got, ok, err)
		}
	}
	for _, claim := range []string{"email", "n", "l"} {
		var named *ClaimError
		if _, ok, err := token.String(claim); ok || !errors.Is(err, ErrClaim) || !errors.As(err, &named) || named.Claim != claim {
			t.Errorf("%s: got %t, %v", claim, ok, err)
		}
	}
	for _, claim := range []string{"name", "NAME", "Sub", ""} {
		if _, ok, err := token.String(claim); ok || err != nil || token.Has(claim) {
			t.Errorf("%s: got %t, %v", claim, ok, err)
		}
	}
}

func TestAudience(t *testing.T) {
	for aud, want := range map[string][]string{
		`"a"`:                 {"a"},
		`["a"]`:               {"a"},
		`[ "a" , "b\u002c" ]`: {"a", "b,"},
		`[]`:                  {},
		`""`:                  {""},
	} {
		got, err := withClaims(t, `{"alg":"RS256"}`, `{"aud":`+aud+`}`).Audience()
		if err != nil || got == nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %q, %v", aud, got, err)
		}
	}
	for _, bad := range []string{"null", "1", "true", "{}", `["a",1]`, `["a",null]`, `[["a"]]`, `[{"a":"b"}]`, `{"a":"a"}`} {
		if got, err := withClaims(t, `{"alg":"RS256"}`, `{"aud":`+bad+`}`).Audience(); !errors.Is(err, ErrClaim) || got != nil {
			t.Errorf("%s: got %q, %v", bad, got, err)
		}
	}
	if got, err := withClaims(t, `{"alg":"RS256"}`, `{}`).Audience(); got != nil || err != nil {
		t.Errorf("absent: got %q, %v", got, err)
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package csrf

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestUnmask_vectors(t *testing.T) {
	raw, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		CSRF struct {
			Alphabet string
			Cases    []struct {
				Secret, Masked string
				Match          bool
			}
		}
	}
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	if vectors.CSRF.Alphabet != alphabet || len(vectors.CSRF.Cases) == 0 {
		t.Fatalf("alphabet %q, %d cases", vectors.CSRF.Alphabet, len(vectors.CSRF.Cases))
	}
	for _, v := range vectors.CSRF.Cases {
		if problem := malformed(v.Masked); problem != "" {
			if v.Match {
				t.Errorf("%s %s", v.Masked, problem)
			}
			continue
		}
		if got := same(unmask(v.Masked), unmask(v.Secret)); got != v.Match {
			t.Errorf("%s is a token of %s: %v, want %v", v.Masked, v.Secret, got, v.Match)
		}
	}
}

func TestMask(t *testing.T) {
	seen := make(map[string]bool)
	for range 200 {
		secret := newSecret()
		token := mask(secret)
		if malformed(secret) != "" || len(secret) != secretLength || malformed(token) != "" || len(token) != maskedLength {
			t.Fatalf("secret %q, token %q", secret, token)
		}
		if unmask(token) != secret || unmask(secret) != secret {
			t.Fatalf("unmask(%q) = %q, want %q", token, unmask(token), secret)
		}
		if seen[secret] || seen[token] || seen[token[:secretLength]] {
			t.Fatalf("%q or %q came before", secret, token)
		}
		seen[secret], seen[token], seen[token[:secretLength]] = true, true, true
	}
}

func TestMalformed(t *testing.T) {
	tests := map[string]string{
		"":                                  badLength,
		strings.Repeat("a", 31):             badLength,
		strings.Repeat("a", 32):             "",
		strings.Repeat("a", 33):             badLength,
		strings.Repeat("a", 63):             badLength,
		strings.Repeat("Z", 64):             "",
		strings.Repeat("9", 65):             badLength,
		strings.Repeat("a", 1<<16):          badLength,
		strings.Repeat("a", 31) + "-":       badCharacters,
		strings.Repeat("a", 31) + "\x00":    badCharacters,
		strings.Repeat("a", 31) + "\xff":    badCharacters,
		strings.Repeat("é", 16):             badCharacters,
		" " + strings.Repeat("a", 31):       badCharacters,
		strings.Repeat("a", 63) + "\u212a":  badLength,
		strings.Repeat("a", 30) + "\u0131":  badCharacters,
		strings.Repeat("a", 29) + "\u212a":  badCharacters,
		strings.Repeat("a", 64) + "\x00abc": badLength,
	}
	for token, want := range tests {
		if got := malformed(token); got != want {
			t.Errorf("malformed(%.70q) = %q, want %q", token, got, want)
		}
	}
}

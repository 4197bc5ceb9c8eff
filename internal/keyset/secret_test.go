// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package keyset_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

func TestWeakSecrets(t *testing.T) {
	jwk := func(text string) string {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	for _, secret := range []string{
		"",
		"secret",
		"changeme",
		"your-256-bit-secret",
		strings.Repeat("x", 31),
		"a-string-secret-at-least-256-bits-long",
		"a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
		"django-insecure-!x8v#k2m9qh4t8w1z3c5b7n0p6r4s2d1f3g5h7j9k",
		"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
		"404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970",
		"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
		jwk("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"),
		jwk("hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"),
		strings.Repeat("x", 64),
		strings.Repeat("secret", 12),
		strings.Repeat("passw0rd!", 8),
		strings.Repeat("\x00", 32),
		"abcdefghijklmnopqrstuvwxyz123456",
		"qwertyuiopasdfghjklzxcvbnm123456",
		"12345678901234567890123456789012",
		"0123456789abcdef0123456789abcdef",
		"change-me-please-change-me-please-change-me",
		"my-super-secret-jwt-secret-key-for-development",
		"your-secret-key-at-least-32-characters-long",
		"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n",
	} {
		if err := keyset.CheckSecret([]byte(secret), "HS256"); !errors.Is(err, keyset.ErrWeak) {
			t.Errorf("%.50q: %v", secret, err)
		} else if len(secret) > 8 && strings.Contains(err.Error(), secret) {
			t.Errorf("%.50q is in %v", secret, err)
		}
	}
}

func TestStrongSecrets(t *testing.T) {
	for range 1000 {
		raw := make([]byte, 32)
		_, _ = rand.Read(raw)
		for _, secret := range []string{
			string(raw), hex.EncodeToString(raw), base64.StdEncoding.EncodeToString(raw),
			rand.Text() + rand.Text(), "secret-key-" + rand.Text() + rand.Text(), "development:" + hex.EncodeToString(raw),
		} {
			if err := keyset.CheckSecret([]byte(secret), "HS256"); err != nil {
				t.Fatalf("%q: %v", secret, err)
			}
		}
	}
	// One of Django's get_random_secret_key().
	if err := keyset.CheckSecret([]byte("8w#0!kq)m5z@p^x1v7-4n&b2c9l+j3h=g6f(d%s8a*y_t0r!ue"), "HS384"); err != nil {
		t.Error(err)
	}
}

func TestSecretSize(t *testing.T) {
	secret := []byte("kZ8v-Qe3_Xr7bTn5LwYc1GhJ9dMf2PsA0uVtRiOyEqWzXxCcBbNnMmLlKkJjHhGgFfDdSsAa")
	for alg, size := range map[string]int{"": 32, "HS256": 32, "HS384": 48, "HS512": 64} {
		if err := keyset.CheckSecret(secret[:size], alg); err != nil {
			t.Error(alg, err)
		}
		if err := keyset.CheckSecret(secret[:size-1], alg); !errors.Is(err, keyset.ErrWeak) {
			t.Error(alg, err)
		}
	}
	if err := keyset.CheckSecret(secret, "RS256"); err == nil {
		t.Error("RS256 takes a secret")
	}
}

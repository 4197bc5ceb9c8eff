// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package password

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

func makeBcrypt(t *testing.T, password string) string {
	t.Helper()
	b, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// makeHash makes a new hash with a Hasher of its own.
func makeHash(t *testing.T, password string) string {
	t.Helper()
	encoded, err := New(Config{}).Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func TestHash(t *testing.T) {
	const password = " p\x00ss:wörd\n"
	encoded := makeHash(t, password)
	fields := strings.Split(encoded, "$")
	if len(fields) != 6 || strings.Join(fields[:4], "$") != "$argon2id$v=19$m=19456,t=2,p=1" {
		t.Fatalf("Hash = %s, want $argon2id$v=19$m=19456,t=2,p=1$…", encoded)
	}
	salt, err := base64.RawStdEncoding.DecodeString(fields[4])
	if err != nil || len(salt) != 16 {
		t.Errorf("the salt has %d bytes (%v), want 16", len(salt), err)
	}
	key := argon2.IDKey([]byte(password), salt, 2, 19456, 1, 32)
	if want := base64.RawStdEncoding.EncodeToString(key); fields[5] != want {
		t.Errorf("the key is %s, want %s", fields[5], want)
	}
	if NeedsRehash(encoded) {
		t.Error("a new hash needs a rehash")
	}
	if again := makeHash(t, password); again == encoded {
		t.Error("two hashes share a salt")
	}
}

func TestVerify(t *testing.T) {
	encoded := makeHash(t, "secret")
	tooLong := strings.Repeat("x", MaxLength+1)
	tooLongSum := md5.Sum([]byte(tooLong))
	tests := map[string]struct {
		encoded, password string
		weak              []string
		ok                bool
		err               error
	}{
		"right":          {encoded: encoded, password: "secret", ok: true},
		"wrong":          {encoded: encoded, password: "Secret"},
		"not trimmed":    {encoded: encoded, password: "secret "},
		"not cut at NUL": {encoded: encoded, password: "secret\x00"},
		"empty password": {encoded: encoded},
		"empty hash":     {},
		"unusable":       {encoded: "!", password: "!"},
		"too long a password": {
			encoded: hex.EncodeToString(tooLongSum[:]), password: tooLong,
			weak: []string{"unsalted_md5"},
		},
		"malformed":  {encoded: "password", password: "password", err: ErrMalformed},
		"too costly": {encoded: "$2b$31$" + bcrypt53, err: ErrTooCostly},
		"weak":       {encoded: "5f4dcc3b5aa765d61d8327deb882cf99", password: "password", err: ErrWeak},
		"weak but allowed": {
			encoded: "5f4dcc3b5aa765d61d8327deb882cf99", password: "password",
			weak: []string{"unsalted_md5"}, ok: true,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := New(Config{Weak: tt.weak})
			ok, err := h.Verify(t.Context(), tt.encoded, tt.password)
			if ok != tt.ok || !errors.Is(err, tt.err) {
				t.Errorf("Verify = %v, %v, want %v, %v", ok, err, tt.ok, tt.err)
			}
			if !ok && !h.slowest.knows(h.now(), newHash.cost()) {
				t.Error("a failure came without the work of a new hash")
			}
			if s := h.Stats(); s.Running != 0 || s.Memory != 0 || s.Waiting != 0 {
				t.Errorf("afterwards Stats = %+v, want nothing running", s)
			}
		})
	}
}

func TestHash_longest(t *testing.T) {
	h := New(Config{})
	longest := strings.Repeat("x", MaxLength)
	encoded, err := h.Hash(t.Context(), longest)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := h.Verify(t.Context(), encoded, longest); !ok || err != nil {
		t.Errorf("Verify = %v, %v, want true", ok, err)
	}
	if _, err := h.Hash(t.Context(), longest+"x"); !errors.Is(err, ErrTooLong) {
		t.Errorf("Hash = %v, want ErrTooLong", err)
	}
}

// A hash that is acceptable in itself may need more than this budget.
func TestVerify_budget(t *testing.T) {
	h := New(Config{Memory: 32 << 20})
	encoded := "$argon2id$v=19$m=65536,t=1,p=1$" + text16 + "$" + text32
	if _, err := h.Verify(t.Context(), encoded, "x"); !errors.Is(err, ErrTooCostly) {
		t.Errorf("Verify = %v, want ErrTooCostly", err)
	}
	if err := h.Check(encoded); !errors.Is(err, ErrTooCostly) {
		t.Errorf("Check = %v, want ErrTooCostly", err)
	}
	if err := New(Config{}).Check(encoded); err != nil {
		t.Errorf("Check with the default budget = %v, want nil", err)
	}
	if _, err := New(Config{Memory: 1}).Hash(t.Context(), "x"); err != nil {
		t.Errorf("Hash with the least memory = %v, want nil", err)
	}
}

func TestHasher_busy(t *testing.T) {
	encoded := makeBcrypt(t, "secret")
	synctest.Test(t, func(t *testing.T) {
		h := New(Config{Slots: 1, Queue: -1})
		if err := h.gate.enter(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		_, hashErr := h.Hash(t.Context(), "x")
		_, verifyErr := h.Verify(t.Context(), encoded, "x")
		_, malformedErr := h.Verify(t.Context(), "x", "x")
		for i, err := range []error{hashErr, verifyErr, malformedErr, h.Waste(t.Context(), "x")} {
			if !errors.Is(err, ErrBusy) {
				t.Errorf("call %d = %v, want ErrBusy", i, err)
			}
		}
		if got := h.Stats().Rejected; got != 4 {
			t.Errorf("Rejected = %d, want 4", got)
		}
		h.gate.leave(0)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := h.Verify(ctx, encoded, "secret"); !errors.Is(err, context.Canceled) {
			t.Errorf("Verify = %v, want context.Canceled", err)
		}
	})
}

// A login with the hash that new users get, the common case.
func BenchmarkVerify(b *testing.B) {
	h := New(Config{})
	encoded, err := h.Hash(b.Context(), "secret")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := h.Verify(b.Context(), encoded, "secret"); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

// A new user, or a password change.
func BenchmarkHash(b *testing.B) {
	h := New(Config{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Hash(b.Context(), "secret"); err != nil {
			b.Fatal(err)
		}
	}
}

// Loading a configuration checks each of its users' hashes.
func BenchmarkCheck(b *testing.B) {
	encoded := "$argon2id$v=19$m=19456,t=2,p=1$" + text16 + "$" + text32
	b.ReportAllocs()
	for b.Loop() {
		if err := Check(encoded, nil); err != nil {
			b.Fatal(err)
		}
	}
}

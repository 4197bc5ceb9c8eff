// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package argon2ref_test

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"golang.org/x/crypto/argon2"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password/argon2ref"
)

// The vectors of RFC 9106 section 5, and those that the reference
// implementation has for version 16.
func TestKey_vectors(t *testing.T) {
	tests := []struct {
		variant argon2ref.Variant
		version uint32
		want    string
	}{
		{argon2ref.D, argon2ref.Version19, "512b391b6f1162975371d30919734294f868e3be3984f3c1a13a4db9fabe4acb"},
		{argon2ref.I, argon2ref.Version19, "c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8"},
		{argon2ref.ID, argon2ref.Version19, "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"},
		{argon2ref.D, argon2ref.Version16, "96a9d4e5a1734092c85e29f410a45914a5dd1f5cbf08b2670da68a0285abf32b"},
		{argon2ref.I, argon2ref.Version16, "87aeedd6517ab830cd9765cd8231abb2e647a5dee08f7c05e02fcb763335d0fd"},
		{argon2ref.ID, argon2ref.Version16, "b64615f07789b66b645b67ee9ed3b377ae350b6bfcbb0fc95141ea8f322613c0"},
	}
	for _, tt := range tests {
		p := argon2ref.Parameters{
			Variant: tt.variant, Version: tt.version, Memory: 32, Passes: 3, Lanes: 4,
			Secret: bytes.Repeat([]byte{3}, 8), Data: bytes.Repeat([]byte{4}, 12),
		}
		got := argon2ref.Key(p, bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 16), 32)
		if hex.EncodeToString(got) != tt.want {
			t.Errorf("%s version %d = %x, want %s", tt.variant, tt.version, got, tt.want)
		}
	}
}

// Where x/crypto knows a variant, the two must agree on any parameters.
func TestKey_agrees(t *testing.T) {
	r := rand.New(rand.NewPCG(9106, 2021))
	between := func(least, most uint32) uint32 { return least + r.Uint32N(most-least+1) }
	for range 300 {
		p := argon2ref.Parameters{
			Variant: argon2ref.ID,
			Version: argon2ref.Version19,
			Passes:  between(1, 4),
			Lanes:   between(1, 5),
		}
		reference := argon2.IDKey
		if r.IntN(2) == 0 {
			p.Variant, reference = argon2ref.I, argon2.Key
		}
		// More than 128 blocks in a segment need a second block of addresses.
		p.Memory = between(8*p.Lanes, 1200)
		password, salt := make([]byte, r.IntN(40)), make([]byte, r.IntN(40))
		for i := range password {
			password[i] = byte(r.Uint32())
		}
		for i := range salt {
			salt[i] = byte(r.Uint32())
		}
		length := between(4, 200)
		want := reference(password, salt, p.Passes, p.Memory, uint8(p.Lanes), length)
		if got := argon2ref.Key(p, password, salt, length); !bytes.Equal(got, want) {
			t.Fatalf("Key(%+v, %x, %x, %d) = %x, want %x", p, password, salt, length, got, want)
		}
	}
}

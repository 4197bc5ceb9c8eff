// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package argon2ref computes the Argon2 hashes that golang.org/x/crypto/argon2
// does not: those of version 16, and Argon2d. Both only occur in old stores of
// users. It is written after RFC 9106, for clarity before speed.
package argon2ref

import (
	"encoding/binary"

	"golang.org/x/crypto/blake2b"
)

// The versions of Argon2. In version 16 a later pass overwrites the blocks of
// the one before; in version 19 it is added to them.
const (
	Version16 = 0x10
	Version19 = 0x13
)

// A Variant says where the positions of the blocks that are mixed come from:
// from the password (Argon2d), from a counter (Argon2i), or from a counter in
// the first half of the first pass only (Argon2id).
type Variant string

// The variants, as PHC strings call them.
const (
	D  Variant = "argon2d"
	I  Variant = "argon2i"
	ID Variant = "argon2id"
)

// number is the y of RFC 9106 section 3.2.
func (v Variant) number() uint32 {
	switch v {
	case D:
		return 0
	case I:
		return 1
	default:
		return 2
	}
}

// Parameters are the inputs of Argon2 beside the password and the salt. The
// caller has checked them: at least one pass and lane, at least 8 KiB of memory
// for each lane.
type Parameters struct {
	Variant Variant
	Version uint32
	Memory  uint32 // KiB
	Passes  uint32
	Lanes   uint32

	// Secret and Data are optional, and unknown to stored hashes.
	Secret, Data []byte
}

// slices is how often in a pass all lanes wait for each other.
const slices = 4

// Key returns the hash of the password under the salt.
func Key(p Parameters, password, salt []byte, length uint32) []byte {
	perLane := p.Memory / (slices * p.Lanes) * slices
	a := &state{
		Parameters: p,
		perLane:    perLane,
		segment:    perLane / slices,
		blocks:     make([]block, perLane*p.Lanes),
	}
	a.begin(p.seed(password, salt, length))
	for pass := range p.Passes {
		for slice := range uint32(slices) {
			for lane := range p.Lanes {
				a.fill(pass, slice, lane)
			}
		}
	}
	return a.end(length)
}

// seed returns H_0 of RFC 9106 section 3.2.
func (p Parameters) seed(password, salt []byte, length uint32) []byte {
	var in []byte
	number := func(n uint32) { in = binary.LittleEndian.AppendUint32(in, n) }
	for _, n := range []uint32{p.Lanes, length, p.Memory, p.Passes, p.Version, p.Variant.number()} {
		number(n)
	}
	for _, text := range [][]byte{password, salt, p.Secret, p.Data} {
		number(uint32(len(text)))
		in = append(in, text...)
	}
	h := blake2b.Sum512(in)
	return h[:]
}

// begin computes the first two blocks of every lane.
func (a *state) begin(seed []byte) {
	for lane := range a.Lanes {
		for i := range uint32(2) {
			in := append([]byte(nil), seed...)
			in = binary.LittleEndian.AppendUint32(in, i)
			in = binary.LittleEndian.AppendUint32(in, lane)
			a.blocks[lane*a.perLane+i].read(expand(in, blockBytes))
		}
	}
}

// end adds up the last block of every lane, and hashes the sum.
func (a *state) end(length uint32) []byte {
	var sum block
	for lane := range a.Lanes {
		sum.add(&a.blocks[(lane+1)*a.perLane-1])
	}
	return expand(sum.bytes(), length)
}

// expand is the variable-length hash H' of RFC 9106 section 3.3.
func expand(in []byte, length uint32) []byte {
	in = append(binary.LittleEndian.AppendUint32(nil, length), in...)
	if length <= blake2b.Size {
		return sum(in, int(length))
	}
	out := make([]byte, 0, length)
	v := sum(in, blake2b.Size)
	for out = append(out, v[:32]...); int(length)-len(out) > blake2b.Size; out = append(out, v[:32]...) {
		v = sum(v, blake2b.Size)
	}
	return append(out, sum(v, int(length)-len(out))...)
}

func sum(in []byte, length int) []byte {
	h, err := blake2b.New(length, nil)
	if err != nil {
		// Not reached: 1 <= length <= blake2b.Size.
		panic(err)
	}
	h.Write(in)
	return h.Sum(nil)
}

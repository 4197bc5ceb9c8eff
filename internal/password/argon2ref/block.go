// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package argon2ref

import (
	"encoding/binary"
	"math/bits"
)

const (
	blockBytes = 1024
	blockWords = blockBytes / 8
)

type block [blockWords]uint64

func (b *block) read(in []byte) {
	for i := range b {
		b[i] = binary.LittleEndian.Uint64(in[8*i:])
	}
}

func (b *block) bytes() []byte {
	out := make([]byte, 0, blockBytes)
	for _, w := range b {
		out = binary.LittleEndian.AppendUint64(out, w)
	}
	return out
}

func (b *block) add(other *block) {
	for i := range b {
		b[i] ^= other[i]
	}
}

// mix sets the block to G(x, y), the compression function of RFC 9106 section
// 3.5. It may be one of the two.
func (b *block) mix(x, y *block) {
	var r block
	for i := range r {
		r[i] = x[i] ^ y[i]
	}
	z := r
	for i := 0; i < blockWords; i += 16 {
		permute(
			&z[i], &z[i+1], &z[i+2], &z[i+3], &z[i+4], &z[i+5], &z[i+6], &z[i+7],
			&z[i+8], &z[i+9], &z[i+10], &z[i+11], &z[i+12], &z[i+13], &z[i+14], &z[i+15])
	}
	for i := 0; i < 16; i += 2 {
		permute(
			&z[i], &z[i+1], &z[i+16], &z[i+17], &z[i+32], &z[i+33], &z[i+48], &z[i+49],
			&z[i+64], &z[i+65], &z[i+80], &z[i+81], &z[i+96], &z[i+97], &z[i+112], &z[i+113])
	}
	for i := range b {
		b[i] = r[i] ^ z[i]
	}
}

// permute is P of RFC 9106 section 3.6: the round of BLAKE2b, columns first.
func permute(v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15 *uint64) {
	quarter(v0, v4, v8, v12)
	quarter(v1, v5, v9, v13)
	quarter(v2, v6, v10, v14)
	quarter(v3, v7, v11, v15)
	quarter(v0, v5, v10, v15)
	quarter(v1, v6, v11, v12)
	quarter(v2, v7, v8, v13)
	quarter(v3, v4, v9, v14)
}

func quarter(pa, pb, pc, pd *uint64) {
	a, b, c, d := *pa, *pb, *pc, *pd
	a = multiplyAdd(a, b)
	d = bits.RotateLeft64(d^a, -32)
	c = multiplyAdd(c, d)
	b = bits.RotateLeft64(b^c, -24)
	a = multiplyAdd(a, b)
	d = bits.RotateLeft64(d^a, -16)
	c = multiplyAdd(c, d)
	b = bits.RotateLeft64(b^c, -63)
	*pa, *pb, *pc, *pd = a, b, c, d
}

func multiplyAdd(x, y uint64) uint64 {
	return x + y + 2*(x&0xffffffff)*(y&0xffffffff)
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package credcache

import (
	"encoding/binary"
	"unsafe"
)

const (
	// A block holds the identity of a user with a few groups, so that most
	// entries need one, and is a multiple of a cache line.
	blockSize = 192
	linkSize  = 4
	payload   = blockSize - linkSize

	// inline is the size of identities that pass over the stack instead of
	// being allocated under a lock.
	inline = 2 * payload
)

// blocks is the memory that identities are kept in: chains of fixed-size
// pieces, each of which begins with the number of the next.
type blocks struct {
	memory []byte // the first block is unused, as none is no block
	free   uint32 // first block that was given back
	given  int    // how many are in the free chain
	fill   uint32 // blocks that were ever used
	total  int
}

// init makes room for n identities that need seven blocks for every four, and
// for one of the largest at least.
func (b *blocks) init(n int) {
	b.total = max(n+n/4*3+n%4, blocksFor(MaxIdentity))
	b.memory = make([]byte, (1+b.total)*blockSize)
}

func blocksFor(size int) int { return max(1, (size+payload-1)/payload) }

func (b *blocks) available() int { return b.given + b.total - int(b.fill) }

// write stores the bytes and returns the first block. There must be enough.
func (b *blocks) write(data []byte) uint32 {
	first := b.take()
	for at := first; ; {
		block := b.block(at)
		n := copy(block[linkSize:], data)
		data = data[n:]
		next := uint32(none)
		if len(data) > 0 {
			next = b.take()
		}
		binary.LittleEndian.PutUint32(block, next)
		if next == none {
			return first
		}
		at = next
	}
}

// read calls f with each part of the bytes at first, and where it begins.
func (b *blocks) read(first uint32, size int, f func(start int, part []byte)) {
	for at, start := first, 0; start < size; start += payload {
		block := b.block(at)
		f(start, block[linkSize:min(blockSize, linkSize+size-start)])
		at = binary.LittleEndian.Uint32(block)
	}
}

// release gives a chain back, and wipes it: an identity is personal data.
func (b *blocks) release(first uint32) {
	for at := first; at != none; {
		block := b.block(at)
		next := binary.LittleEndian.Uint32(block)
		clear(block)
		binary.LittleEndian.PutUint32(block, b.free)
		b.free = at
		b.given++
		at = next
	}
}

func (b *blocks) take() uint32 {
	if at := b.free; at != none {
		b.free = binary.LittleEndian.Uint32(b.block(at))
		b.given--
		return at
	}
	b.fill++
	return b.fill
}

func (b *blocks) block(at uint32) []byte {
	start := int(at) * blockSize
	return b.memory[start : start+blockSize : start+blockSize]
}

// bytes is the memory that the shard was given.
func (s *shard) bytes() int {
	return len(s.buckets)*linkSize + len(s.entries)*int(unsafe.Sizeof(entry{})) + len(s.blocks.memory)
}

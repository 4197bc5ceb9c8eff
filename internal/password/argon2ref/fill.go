// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package argon2ref

// state is the memory of one hash: lanes of blocks, one after the other.
type state struct {
	Parameters
	perLane uint32 // blocks in a lane
	segment uint32 // blocks of a lane in one slice
	blocks  []block
}

// fill computes the blocks of one lane in one slice of one pass.
func (a *state) fill(pass, slice, lane uint32) {
	counted := a.Variant == I || a.Variant == ID && pass == 0 && slice < slices/2
	var counter, addresses block
	if counted {
		copy(counter[:], []uint64{
			uint64(pass), uint64(lane), uint64(slice), uint64(len(a.blocks)),
			uint64(a.Passes), uint64(a.Variant.number()),
		})
	}
	for i := range a.segment {
		if counted && i%blockWords == 0 {
			var zero, once block
			counter[6]++
			once.mix(&zero, &counter)
			addresses.mix(&zero, &once)
		}
		if pass == 0 && slice == 0 && i < 2 {
			continue // computed by begin
		}
		at := slice*a.segment + i
		before := a.lane(lane, (at+a.perLane-1)%a.perLane)
		j := before[0]
		if counted {
			j = addresses[i%blockWords]
		}
		from := a.reference(j, pass, slice, lane, i)
		into := a.lane(lane, at)
		old := *into
		into.mix(before, from)
		if a.Version != Version16 && pass > 0 {
			into.add(&old)
		}
	}
}

func (a *state) lane(lane, i uint32) *block { return &a.blocks[lane*a.perLane+i] }

// reference picks the block that is mixed with the one before: RFC 9106
// sections 3.4.1.3 and 3.4.2.
func (a *state) reference(j uint64, pass, slice, lane, i uint32) *block {
	from := uint32(j>>32) % a.Lanes
	if pass == 0 && slice == 0 {
		from = lane
	}
	// The window: what is finished, without the block before this one.
	start, size := uint32(0), slice*a.segment
	if pass > 0 {
		start, size = (slice+1)%slices*a.segment, a.perLane-a.segment
	}
	if from == lane {
		size += i - 1
	} else if i == 0 {
		size--
	}
	x := j & 0xffffffff
	x = x * x >> 32
	back := uint32(uint64(size) * x >> 32)
	return a.lane(from, (start+size-1-back)%a.perLane)
}

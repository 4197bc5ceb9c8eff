// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package credcache

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Stamp says which announcements a verification has certainly seen the cause
// of: those before it.
type Stamp uint64

// What an entry rests on, each with stripes of its own.
const (
	byUser = iota
	byCredential
	byFamily
	byClient
	dimensions
)

// stripeCount is a power of two.
const stripeCount = 4096

// stripes holds, for groups of names that share a hash, the number of the last
// announcement that touched one of them.
type stripes struct {
	seq  atomic.Uint64
	all  atomic.Uint64
	last [dimensions][stripeCount]atomic.Uint64
}

// places are the stripes of one entry. Place 0 is nothing's, and never raised.
type places [dimensions]uint16

// Stamp is called before a verification begins, and its result handed to Put.
func (c *Cache) Stamp() Stamp { return Stamp(c.stripes.seq.Load()) }

// Touched ends the standing of every entry that the change is about. It is
// called after a change was committed and before the writer is told so.
func (c *Cache) Touched(change tokenstore.Change) {
	s := c.stripes.seq.Add(1)
	if change.All {
		raise(&c.stripes.all, s)
		return
	}
	names := [dimensions]string{change.UserKey, change.CredentialID, change.Family, change.ClientID}
	for i, place := range c.places(names) {
		if place != 0 {
			raise(&c.stripes.last[i][place], s)
		}
	}
}

// alive reports whether nothing at these places was touched since the stamp.
func (s *stripes) alive(at *places, stamp Stamp) bool {
	if Stamp(s.all.Load()) > stamp {
		return false
	}
	for i, place := range at {
		if Stamp(s.last[i][place].Load()) > stamp {
			return false
		}
	}
	return true
}

func (c *Cache) stripesOf(id *auth.Identity) places {
	return c.places([dimensions]string{id.Key, id.Credential, id.Family, id.Client})
}

func (c *Cache) places(names [dimensions]string) places {
	var at places
	for i, name := range names {
		if name != "" {
			at[i] = uint16(1 + maphash.String(c.seed, name)%(stripeCount-1))
		}
	}
	return at
}

// raise never lowers the word: of two announcements at once the later counts.
func raise(word *atomic.Uint64, to uint64) {
	for {
		old := word.Load()
		if old >= to || word.CompareAndSwap(old, to) {
			return
		}
	}
}

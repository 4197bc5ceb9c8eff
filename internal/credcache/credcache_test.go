// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package credcache

import (
	"bytes"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func TestGet(t *testing.T) {
	const bound = time.Minute
	tests := map[string]struct {
		do    func(c *Cache, now time.Time)
		after time.Duration
		bound time.Duration
		want  State
	}{
		"verified just now":                 {bound: bound, want: Fresh},
		"almost as old as the bound":        {after: bound - 1, bound: bound, want: Fresh},
		"as old as the bound":               {after: bound, bound: bound, want: Stale},
		"no bound":                          {bound: 0, want: Stale},
		"no bound, asked by one who waited": {after: -time.Second, bound: 0, want: Stale},
		"idle almost too long":              {after: time.Hour - 1, bound: bound, want: Stale},
		"idle too long":                     {after: time.Hour, bound: bound, want: Miss},
		"forgotten": {
			do:    func(c *Cache, _ time.Time) { c.Forget(keyOf(1)) },
			bound: bound, want: Miss,
		},
		"another's change": {
			do: func(c *Cache, _ time.Time) {
				place := c.stripesOf(typical(1))[byUser]
				other := "a"
				for c.places([dimensions]string{other})[byUser] == place {
					other += "a"
				}
				c.Touched(tokenstore.Change{UserKey: other})
			},
			bound: bound, want: Fresh,
		},
		"a change of nothing": {
			do:    func(c *Cache, _ time.Time) { c.Touched(tokenstore.Change{}) },
			bound: bound, want: Fresh,
		},
		"a change of everything": {
			do:    func(c *Cache, _ time.Time) { c.Touched(tokenstore.Change{All: true}) },
			bound: bound, want: Stale,
		},
		"rechecked after the change": {
			do: func(c *Cache, now time.Time) {
				c.Touched(changeOf(typical(1)))
				c.Put(keyOf(1), c.Stamp(), now, typical(1))
			},
			bound: bound, want: Fresh,
		},
		"a recheck that a second change overtook": {
			do: func(c *Cache, now time.Time) {
				c.Touched(changeOf(typical(1)))
				stamp := c.Stamp()
				c.Touched(changeOf(typical(1)))
				c.Put(keyOf(1), stamp, now, typical(1))
			},
			bound: bound, want: Stale,
		},
		"a late verification after a recheck": {
			do: func(c *Cache, now time.Time) {
				late := c.Stamp()
				c.Touched(changeOf(typical(1)))
				c.Put(keyOf(1), c.Stamp(), now, typical(1))
				c.Put(keyOf(1), late, now, typical(2))
			},
			bound: bound, want: Fresh,
		},
		"a slow verification after a quick one": {
			do:    func(c *Cache, now time.Time) { c.Put(keyOf(1), c.Stamp(), now.Add(-time.Second), typical(2)) },
			after: bound - time.Second, bound: bound, want: Fresh,
		},
		"an identity that expires": {
			do: func(c *Cache, now time.Time) {
				id := typical(1)
				id.Expires = now.Add(time.Second)
				c.Put(keyOf(1), c.Stamp(), now, id)
			},
			after: time.Second, bound: bound, want: Miss,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := New(64)
			now := c.start.Add(time.Second)
			c.Put(keyOf(1), c.Stamp(), now, typical(1))
			if test.do != nil {
				test.do(c, now)
			}
			var id auth.Identity
			got := c.Get(keyOf(1), now.Add(test.after), test.bound, &id)
			if got != test.want {
				t.Fatalf("Get = %d, want %d", got, test.want)
			}
			if got != Miss && id.ID != typical(1).ID {
				t.Errorf("Get filled in %q, want %q", id.ID, typical(1).ID)
			}
		})
	}
}

func TestKey(t *testing.T) {
	c := New(64)
	f := c.Fingerprint([]byte("token"), []byte("{}"))
	seen := map[Key]int{}
	for n := range 3 * shortSecret {
		secret := bytes.Repeat([]byte("s"), n)
		key := f.Key(secret)
		if key != f.Key(bytes.Clone(secret)) {
			t.Fatalf("the key of %d bytes differs from time to time", n)
		}
		if other, taken := seen[key]; taken {
			t.Fatalf("secrets of %d and %d bytes share a key", n, other)
		}
		seen[key] = n
	}
	secret := bytes.Repeat([]byte("s"), shortSecret)
	if n := testing.AllocsPerRun(100, func() { f.Key(secret) }); n != 0 {
		t.Errorf("Key allocates %v times", n)
	}
}

func TestFingerprint(t *testing.T) {
	c := New(64)
	b := func(parts ...string) (out [][]byte) {
		for _, part := range parts {
			out = append(out, []byte(part))
		}
		return out
	}
	want := c.Fingerprint(b("ab", "c")...)
	if got := c.Fingerprint(b("ab", "c")...); got != want {
		t.Error("the same parts have two fingerprints")
	}
	for _, parts := range [][][]byte{b("a", "bc"), b("abc"), b("ab", "c", ""), b("c", "ab"), b(), b("")} {
		if c.Fingerprint(parts...) == want {
			t.Errorf("%q has the fingerprint of ab, c", parts)
		}
	}
	if New(64).Fingerprint(b("ab", "c")...) == want {
		t.Error("two caches share a key")
	}
}

func TestGet_allocations(t *testing.T) {
	c := New(64)
	c.Put(keyOf(1), c.Stamp(), c.start, typical(1))
	key := keyOf(1)
	var id auth.Identity
	if n := testing.AllocsPerRun(100, func() { c.Get(key, c.start, time.Minute, &id) }); n > 2 {
		t.Errorf("Get allocates %v times, want 2 at most", n)
	}
}

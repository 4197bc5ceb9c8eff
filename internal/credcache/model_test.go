// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package credcache

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// model is what a Cache of unlimited size, without stripes that collide, would
// know.
type model struct {
	seq     Stamp
	all     Stamp
	touched [dimensions]map[string]Stamp
	entries map[int]remembered
}

type remembered struct {
	id            auth.Identity
	stamp         Stamp
	checked, used time.Time
}

func (m *model) touch(change tokenstore.Change) {
	m.seq++
	if change.All {
		m.all = m.seq
		return
	}
	for i, name := range [...]string{change.UserKey, change.CredentialID, change.Family, change.ClientID} {
		if name != "" {
			m.touched[i][name] = m.seq
		}
	}
}

func (m *model) put(key int, stamp Stamp, now time.Time, id *auth.Identity) {
	used := now
	if old, ok := m.entries[key]; ok {
		if old.stamp > stamp || old.stamp == stamp && old.checked.After(now) {
			return
		}
		if old.used.After(used) {
			used = old.used
		}
	}
	m.entries[key] = remembered{*id, stamp, now, used}
	m.expire(key, now)
}

func (m *model) expire(key int, now time.Time) {
	e := m.entries[key]
	if now.Sub(e.used) >= time.Hour || !e.id.Expires.IsZero() && !e.id.Expires.After(now) {
		delete(m.entries, key)
	}
}

func (m *model) get(key int, now time.Time, bound time.Duration) (State, auth.Identity) {
	m.expire(key, now)
	e, ok := m.entries[key]
	if !ok {
		return Miss, auth.Identity{}
	}
	if now.After(e.used) {
		e.used = now
		m.entries[key] = e
	}
	fresh := bound > 0 && now.Sub(e.checked) < bound && m.all <= e.stamp
	for i, name := range [...]string{e.id.Key, e.id.Credential, e.id.Family, e.id.Client} {
		fresh = fresh && m.touched[i][name] <= e.stamp
	}
	if fresh {
		return Fresh, e.id
	}
	return Stale, e.id
}

var names = [...]string{"", "a", "b", "c"}

// distinct returns a cache in which the names have stripes of their own.
func distinct() *Cache {
	for {
		c := New(4096)
		places := map[uint16]bool{}
		for _, name := range names {
			places[c.places([dimensions]string{name})[0]] = true
		}
		if len(places) == len(names) {
			return c
		}
	}
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := distinct()
		m := &model{entries: map[int]remembered{}}
		for i := range m.touched {
			m.touched[i] = map[string]Stamp{}
		}
		var (
			now    = c.start.Truncate(time.Second).Add(time.Second)
			stamps = []Stamp{0}
			name   = rapid.SampledFrom(names[:])
			key    = rapid.IntRange(0, 5)
			bounds = rapid.SampledFrom([]time.Duration{-1, 0, time.Second, time.Minute, 2 * time.Hour})
			pauses = rapid.SampledFrom([]time.Duration{0, time.Second, time.Minute, 59 * time.Minute, time.Hour})
		)
		t.Repeat(map[string]func(*rapid.T){
			"stamp": func(t *rapid.T) {
				stamp := c.Stamp()
				if stamp != m.seq {
					t.Fatalf("Stamp() = %d, want %d", stamp, m.seq)
				}
				stamps = append(stamps, stamp)
			},
			"put": func(t *rapid.T) {
				n := key.Draw(t, "key")
				id := &auth.Identity{
					ID:         fmt.Sprint("user", n),
					Key:        name.Draw(t, "user"),
					Credential: name.Draw(t, "credential"),
					Family:     name.Draw(t, "family"),
					Client:     name.Draw(t, "client"),
					Groups:     rapid.SampledFrom([][]string{nil, {"staff"}, {"a", "b"}}).Draw(t, "groups"),
					Name:       string(make([]byte, rapid.IntRange(0, 3*payload).Draw(t, "name"))),
				}
				if rapid.Bool().Draw(t, "expires") {
					id.Expires = now.Add(pauses.Draw(t, "life")).UTC().Round(0)
				}
				stamp := rapid.SampledFrom(stamps).Draw(t, "stamp")
				began := now.Add(-rapid.SampledFrom([]time.Duration{0, time.Second}).Draw(t, "took"))
				c.Put(keyOf(n), stamp, began, id)
				m.put(n, stamp, began, id)
			},
			"get": func(t *rapid.T) {
				n, bound := key.Draw(t, "key"), bounds.Draw(t, "bound")
				var id auth.Identity
				got := c.Get(keyOf(n), now, bound, &id)
				want, wantID := m.get(n, now, bound)
				if got != want || got != Miss && !reflect.DeepEqual(id, wantID) {
					t.Fatalf("Get(%d, bound %v) = %v %+v, want %v %+v", n, bound, got, id, want, wantID)
				}
			},
			"forget": func(t *rapid.T) {
				n := key.Draw(t, "key")
				c.Forget(keyOf(n))
				delete(m.entries, n)
			},
			"touch": func(t *rapid.T) {
				change := tokenstore.Change{
					All:     rapid.IntRange(0, 9).Draw(t, "all") == 0,
					UserKey: name.Draw(t, "user"), CredentialID: name.Draw(t, "credential"),
					Family: name.Draw(t, "family"), ClientID: name.Draw(t, "client"),
				}
				c.Touched(change)
				m.touch(change)
			},
			"wait": func(t *rapid.T) { now = now.Add(pauses.Draw(t, "pause")) },
			"": func(t *rapid.T) {
				for i := range c.shards {
					checkShard(t, &c.shards[i])
				}
			},
		})
	})
}

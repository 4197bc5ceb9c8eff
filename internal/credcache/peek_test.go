// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package credcache

import (
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// TestPeek looks at an entry as it ages: what Peek says is what Get then says,
// and looking neither counts nor keeps the entry alive.
func TestPeek(t *testing.T) {
	c := New(64)
	f := c.Fingerprint([]byte("test"))
	key, other := f.Key([]byte("secret")), f.Key([]byte("other"))
	start := time.Now()
	c.Put(&key, c.Stamp(), start, &auth.Identity{Method: "test", Key: "store:1"})
	before := c.Stats()
	for _, step := range []struct {
		name  string
		key   *Key
		after time.Duration
		bound time.Duration
		want  State
	}{
		{"unknown", &other, 0, time.Minute, Miss},
		{"fresh", &key, time.Second, time.Minute, Fresh},
		{"no bound", &key, time.Second, 0, Stale},
		{"old", &key, time.Minute, time.Minute, Stale},
		{"nearly idle", &key, maxIdle - time.Second, time.Minute, Stale},
		{"idle", &key, maxIdle, time.Minute, Miss},
	} {
		if got := c.Peek(step.key, start.Add(step.after), step.bound); got != step.want {
			t.Errorf("%s: Peek = %v, want %v", step.name, got, step.want)
		}
	}
	if after := c.Stats(); after != before {
		t.Errorf("looking changed %+v to %+v", before, after)
	}
	var id auth.Identity
	if got := c.Get(&key, start.Add(time.Second), time.Minute, &id); got != Fresh || id.Key != "store:1" {
		t.Errorf("Get = %v, %+v", got, id)
	}
	c.Touched(tokenstore.Change{UserKey: "store:1"})
	if got := c.Peek(&key, start.Add(time.Second), time.Minute); got != Stale {
		t.Errorf("Peek after a change = %v, want stale", got)
	}
}

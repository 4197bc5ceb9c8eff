// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"strconv"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// However many keys somebody makes up, the memory is bounded, and one that is
// under attack is not forgotten for them.
func TestAttempt_bounded(t *testing.T) {
	store, now := New(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	defer store.Close()
	b := tokenstore.Backoff{Free: 2, Base: time.Minute, Max: time.Hour, Quiet: time.Hour}
	attempt := func(key string) time.Duration {
		t.Helper()
		wait, err := store.Attempt(t.Context(), key, b, now)
		if err != nil {
			t.Fatal(err)
		}
		return wait
	}
	attempt("victim")
	attempt("victim")
	now = now.Add(time.Second)
	for i := range maxAttempts + 10 {
		attempt(strconv.Itoa(i))
		if n := len(store.db.state.attempts); n > maxAttempts {
			t.Fatalf("%d keys are kept, want %d at most", n, maxAttempts)
		}
	}
	if attempt("victim") == 0 {
		t.Error("the wait of the victim was forgotten")
	}
	now = now.Add(2 * time.Hour)
	for i := range maxAttempts {
		attempt("later " + strconv.Itoa(i))
	}
	if _, kept := store.db.state.attempts["victim"]; kept {
		t.Error("what has ended is kept while there is no room")
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A watcher that does not keep up must learn that it missed something, and must
// not be waited for.
func TestWatch_tooSlow(t *testing.T) {
	defer goleak.VerifyNone(t)
	store := New()
	defer store.Close()
	entered, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		first := true
		done <- store.Watch(t.Context(), func(tokenstore.Change) {
			if first {
				first = false
				close(entered)
				<-release
			}
		})
	}()
	<-entered
	client := tokenstore.Client{ID: "c"}
	for range backlog + 1 {
		var err error
		if client, err = store.PutClient(t.Context(), client); err != nil {
			t.Fatal(err)
		}
	}
	close(release)
	if err := <-done; !errors.Is(err, tokenstore.ErrUnavailable) {
		t.Errorf("Watch = %v, want an error that wraps ErrUnavailable", err)
	}
}

// The journal of a panic must not reach into the next write.
func TestWrite_afterPanic(t *testing.T) {
	store := New()
	defer store.Close()
	func() {
		defer func() { _ = recover() }()
		_ = store.write(t.Context(), func(s *state) error {
			put(s, s.groups, "g", nil)
			panic("oops")
		})
	}()
	if _, err := store.Client(t.Context(), "absent"); !errors.Is(err, tokenstore.ErrNotFound) {
		t.Fatalf("Client after a panic = %v, want ErrNotFound", err)
	}
	if groups, err := store.Groups(t.Context()); err != nil || len(groups) != 0 {
		t.Errorf("Groups after a panic = %v, %v, want none", groups, err)
	}
	if n := len(store.db.state.journal); n != 0 {
		t.Errorf("%d entries in the journal after a panic, want 0", n)
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/memory"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/storetest"
)

// A failing store that is told nothing must be as good as the one within.
func TestFailing_conforms(t *testing.T) {
	storetest.Run(t, func(t *testing.T) tokenstore.Store {
		store := storetest.Failing(memory.New())
		t.Cleanup(func() { store.Close() })
		return store
	})
}

func TestFailing(t *testing.T) {
	ctx, inner := t.Context(), memory.New()
	store := storetest.Failing(inner)
	remember := func(key string) (bool, error) { return store.Remember(ctx, key, time.Unix(1, 0)) }
	known := func(key string) bool {
		known, err := inner.Known(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		return known
	}

	store.FailAt(2)
	if fresh, err := remember("a"); !fresh || err != nil {
		t.Errorf("first call = %t, %v, want true", fresh, err)
	}
	if fresh, err := remember("b"); fresh || !errors.Is(err, tokenstore.ErrUnavailable) || known("b") {
		t.Errorf("second call = %t, %v (stored: %t), want ErrUnavailable and nothing stored", fresh, err, known("b"))
	}
	if fresh, err := remember("b"); !fresh || err != nil {
		t.Errorf("third call = %t, %v, want true", fresh, err)
	}
	if got, want := store.Calls(), []string{"Remember", "Remember", "Remember"}; !slices.Equal(got, want) || store.Count() != 3 {
		t.Errorf("Calls = %q, Count = %d, want %q", got, store.Count(), want)
	}

	store.LoseAt(1)
	if fresh, err := remember("c"); fresh || !errors.Is(err, storetest.ErrInjected) || !known("c") {
		t.Errorf("lost call = %t, %v (stored: %t), want ErrInjected and the key stored", fresh, err, known("c"))
	}

	store.FailAt(2)
	err := store.InTx(ctx, func(s tokenstore.Store) error { return s.Forget(ctx, "a") })
	if !errors.Is(err, storetest.ErrInjected) || !known("a") {
		t.Errorf("InTx whose only call fails = %v (a known: %t), want ErrInjected and nothing changed", err, known("a"))
	}
	if got, want := store.Calls(), []string{"InTx", "Forget"}; !slices.Equal(got, want) {
		t.Errorf("Calls = %q, want %q", got, want)
	}

	store.FailAt(0)
	store.Down(true)
	for range 3 {
		if _, err := remember("d"); !errors.Is(err, storetest.ErrInjected) || known("d") {
			t.Errorf("call of a store that is down = %v, want ErrInjected", err)
		}
	}
	store.Down(false)
	if fresh, err := remember("d"); !fresh || err != nil {
		t.Errorf("call of a store that is up again = %t, %v, want true", fresh, err)
	}
}

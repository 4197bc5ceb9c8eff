// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package storetest is the suite that every tokenstore.Store passes unchanged.
//
// The author of a driver writes one test:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) tokenstore.Store {
//			store := open(t, t.TempDir())
//			t.Cleanup(func() { store.Close() })
//			return store
//		})
//	}
//
// A driver that needs a server skips the test, with the reason, where there is
// none. The suite never waits for time to pass: it says what the time is. Its
// clock is far from the real one, so that a driver which looks at its own fails.
package storetest

import (
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Run checks that the stores which open returns keep the contract of
// tokenstore.Store, and that of tokenstore.Transactor and tokenstore.Verifier
// if they have their methods. Each call of open must return a new and empty
// store, and see to its Close. Closing a store twice must do no harm.
func Run(t *testing.T, open func(t *testing.T) tokenstore.Store) {
	t.Helper()
	areas := []struct {
		name  string
		tests []test
	}{
		{"credentials", credentialTests},
		{"fidelity", fidelityTests},
		{"limits", limitTests},
		{"slots", slotTests},
		{"touch", touchTests},
		{"consume", consumeTests},
		{"rotation", rotationTests},
		{"revocation", revocationTests},
		{"revoked families", familyTests},
		{"tombstones", tombstoneTests},
		{"paging", pagingTests},
		{"users", userTests},
		{"passwords", passwordTests},
		{"names", nameTests},
		{"groups", groupTests},
		{"clients", clientTests},
		{"nonces", nonceTests},
		{"counters", counterTests},
		{"attempts", attemptTests},
		{"foreign users", foreignTests},
		{"sweep", sweepTests},
		{"watch", watchTests},
		{"concurrency", concurrencyTests},
		{"transactions", transactionTests},
		{"lifecycle", lifecycleTests},
	}
	for _, area := range areas {
		t.Run(area.name, func(t *testing.T) {
			for _, test := range area.tests {
				t.Run(test.name, func(t *testing.T) { test.run(newFixture(t, open)) })
			}
		})
	}
}

// A test is one promise of the contract, examined in a store of its own.
type test struct {
	name string
	run  func(f *fixture)
}

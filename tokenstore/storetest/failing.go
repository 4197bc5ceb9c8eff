// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// ErrInjected is the failure of a FailingStore. It wraps ErrUnavailable.
var ErrInjected = fmt.Errorf("injected: %w", tokenstore.ErrUnavailable)

// A FailingStore counts the calls of a store, and lets those fail that it was
// told to. It is for tests of what uses a store: let the N-th call fail, for
// every N that occurs, and see that nobody is let in who should not be.
//
// The calls within a transaction count as well, and InTx before them. Close is
// neither counted nor failed. If the store is no Transactor, InTx returns
// errors.ErrUnsupported.
type FailingStore struct {
	store tokenstore.Store
	plan  *plan
}

// A plan says which calls fail; a store shares it with its transactions.
type plan struct {
	mu    sync.Mutex
	calls []string
	fail  int // the call of this number, from 1, does not reach the store
	lose  int // the call of this number does, and its result is lost
	all   bool
}

// Failing returns a store that works as the other one until it is told to fail.
func Failing(store tokenstore.Store) *FailingStore {
	return &FailingStore{store: store, plan: new(plan)}
}

// FailAt lets the n-th call from now fail without reaching the store, and sets
// the count of calls to zero. With 0 none fails.
func (f *FailingStore) FailAt(n int) {
	f.plan.mu.Lock()
	defer f.plan.mu.Unlock()
	f.plan.calls, f.plan.fail, f.plan.lose = nil, n, 0
}

// LoseAt lets the n-th call from now do its work and then report ErrInjected,
// as if the answer had been lost, and sets the count of calls to zero.
func (f *FailingStore) LoseAt(n int) {
	f.plan.mu.Lock()
	defer f.plan.mu.Unlock()
	f.plan.calls, f.plan.fail, f.plan.lose = nil, 0, n
}

// Down lets every call fail, until it is called with false.
func (f *FailingStore) Down(down bool) {
	f.plan.mu.Lock()
	defer f.plan.mu.Unlock()
	f.plan.all = down
}

// Calls are the methods that were called since the last FailAt or LoseAt.
func (f *FailingStore) Calls() []string {
	f.plan.mu.Lock()
	defer f.plan.mu.Unlock()
	return append([]string(nil), f.plan.calls...)
}

// Count is the number of Calls.
func (f *FailingStore) Count() int { return len(f.Calls()) }

// enter counts a call. It returns the call's failure, or what leave decides
// about its result.
func (p *plan) enter(method string) (leave func(error) error, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, method)
	if p.all || len(p.calls) == p.fail {
		return nil, fmt.Errorf("%s: %w", method, ErrInjected)
	}
	if len(p.calls) == p.lose {
		return func(error) error { return fmt.Errorf("losing the answer of %s: %w", method, ErrInjected) }, nil
	}
	return func(err error) error { return err }, nil
}

// call0, call1, call2 make a call with that many results besides the error.
func call0(f *FailingStore, method string, call func() error) error {
	leave, err := f.plan.enter(method)
	if err != nil {
		return err
	}
	return leave(call())
}

func call1[T any](f *FailingStore, method string, call func() (T, error)) (T, error) {
	result, _, err := call2(f, method, func() (T, struct{}, error) {
		result, err := call()
		return result, struct{}{}, err
	})
	return result, err
}

func call2[T, U any](f *FailingStore, method string, call func() (T, U, error)) (T, U, error) {
	var (
		noT T
		noU U
	)
	leave, err := f.plan.enter(method)
	if err != nil {
		return noT, noU, err
	}
	t, u, result := call()
	if err := leave(result); errors.Is(err, ErrInjected) {
		return noT, noU, err
	}
	return t, u, result
}

// Close closes the store.
func (f *FailingStore) Close() error { return f.store.Close() }

// InTx counts and fails as a call of its own; then those of fn do.
func (f *FailingStore) InTx(ctx context.Context, fn func(tokenstore.Store) error) error {
	tx, ok := f.store.(tokenstore.Transactor)
	if !ok {
		return errors.ErrUnsupported
	}
	return call0(f, "InTx", func() error {
		return tx.InTx(ctx, func(s tokenstore.Store) error {
			return fn(&FailingStore{store: s, plan: f.plan})
		})
	})
}

// Interface guards
var (
	_ tokenstore.Store      = (*FailingStore)(nil)
	_ tokenstore.Transactor = (*FailingStore)(nil)
)

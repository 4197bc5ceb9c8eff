// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package livestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errBroken = errors.New("disk on fire")

var identifiers atomic.Int64

// driver opens a fake store as its test tells it to.
type driver struct {
	identifier string
	store      *fake

	mu    sync.Mutex
	opens int
	open  func(ctx context.Context) error
}

func newDriver() *driver {
	return &driver{
		identifier: fmt.Sprint("fake:", identifiers.Add(1)),
		store:      &fake{feed: make(chan any), answers: map[string]error{}},
		open:       func(context.Context) error { return nil },
	}
}

func (d *driver) Identifier() string { return d.identifier }

func (d *driver) Open(ctx context.Context) (tokenstore.Store, error) {
	d.mu.Lock()
	d.opens++
	open := d.open
	d.mu.Unlock()
	if err := open(ctx); err != nil {
		return nil, err
	}
	return d.store, nil
}

func (d *driver) OpenExisting(ctx context.Context) (tokenstore.Store, error) { return d.Open(ctx) }

func (d *driver) opened() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.opens
}

func (d *driver) answers(open func(ctx context.Context) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = open
}

// fake is a store that answers as told, and whose feed is a channel of
// tokenstore.Change, and of error to end it.
type fake struct {
	feed chan any

	mu         sync.Mutex
	answers    map[string]error
	calls      []string
	touched    map[string]touch
	credential tokenstore.Credential
	won        bool
	swept      int
	attempts   []tokenstore.Attempts
	closed     int
	during     func() // called while an operation is under way
}

func (f *fake) did(call string) error {
	f.mu.Lock()
	f.calls = append(f.calls, call)
	err, during := f.answers[call], f.during
	f.mu.Unlock()
	if during != nil {
		during()
	}
	return err
}

func (f *fake) count(call string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		if c == call {
			n++
		}
	}
	return n
}

func (f *fake) answer(call string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[call] = err
}

func (f *fake) Lookup(context.Context, []byte, time.Time) (c tokenstore.Credential, u tokenstore.User, err error) {
	return c, u, f.did("lookup")
}

func (f *fake) Create(context.Context, tokenstore.Credential, int, bool) error {
	return f.did("create")
}

func (f *fake) Touch(_ context.Context, digest []byte, used, expires time.Time) error {
	f.mu.Lock()
	if f.touched == nil {
		f.touched = map[string]touch{}
	}
	if f.answers["touch"] == nil {
		f.touched[string(digest)] = touch{used, expires}
	}
	f.mu.Unlock()
	return f.did("touch")
}

func (f *fake) Consume(context.Context, []byte, time.Time) (tokenstore.Credential, error) {
	return f.credential, f.did("consume")
}

func (f *fake) Rotate(context.Context, []byte, []tokenstore.Credential, []byte, time.Time, time.Duration) ([]byte, bool, error) {
	return nil, f.won, f.did("rotate")
}

func (f *fake) Delete(context.Context, tokenstore.Filter, ...[]byte) (int, error) {
	return 0, f.did("delete")
}

func (f *fake) Revoke(context.Context, string, time.Time) error { return f.did("revoke") }

func (f *fake) Revoked(context.Context, string) (bool, error) { return false, f.did("revoked") }

func (f *fake) List(context.Context, tokenstore.Filter, string, int) ([]tokenstore.Credential, string, error) {
	return nil, "", f.did("list")
}

func (f *fake) User(context.Context, string) (u tokenstore.User, err error) { return u, f.did("user") }

func (f *fake) UserByName(context.Context, string) (u tokenstore.User, err error) {
	return u, f.did("user_by_name")
}

func (f *fake) UserByOrigin(context.Context, string, string) (u tokenstore.User, err error) {
	return u, f.did("user_by_origin")
}

func (f *fake) Users(context.Context, string, int) ([]tokenstore.User, string, error) {
	return nil, "", f.did("users")
}

func (f *fake) PutUser(_ context.Context, u tokenstore.User) (tokenstore.User, error) {
	err := f.did("put_user")
	if err != nil {
		return tokenstore.User{}, err
	}
	if u.Key == "" {
		u.Key = "store:new"
	}
	return u, nil
}
func (f *fake) Rehash(context.Context, string, string, string) error { return f.did("rehash") }
func (f *fake) DeleteUser(context.Context, string) error             { return f.did("delete_user") }
func (f *fake) PutGroup(context.Context, tokenstore.Group) error     { return f.did("put_group") }
func (f *fake) Groups(context.Context) ([]tokenstore.Group, error)   { return nil, f.did("groups") }
func (f *fake) DeleteGroup(context.Context, string) error            { return f.did("delete_group") }

func (f *fake) DeleteClient(context.Context, string) error { return f.did("delete_client") }

func (f *fake) Known(context.Context, string) (bool, error) { return false, f.did("known") }
func (f *fake) Forget(context.Context, string) error        { return f.did("forget") }
func (f *fake) Backup(context.Context, io.Writer) error     { return f.did("backup") }
func (f *fake) Verify(context.Context) ([]string, error)    { return nil, f.did("verify") }
func (f *fake) Client(context.Context, string) (c tokenstore.Client, err error) {
	return c, f.did("client")
}

func (f *fake) PutClient(_ context.Context, c tokenstore.Client) (tokenstore.Client, error) {
	return c, f.did("put_client")
}

func (f *fake) Clients(context.Context, string, string, int) ([]tokenstore.Client, string, error) {
	return nil, "", f.did("clients")
}

func (f *fake) Remember(context.Context, string, time.Time) (bool, error) {
	return false, f.did("remember")
}

func (f *fake) Hit(context.Context, string, int, time.Duration, time.Time) (time.Duration, error) {
	return 0, f.did("hit")
}

func (f *fake) Attempt(context.Context, string, tokenstore.Backoff, time.Time) (time.Duration, error) {
	return 0, f.did("attempt")
}

func (f *fake) Refund(context.Context, string) error { return f.did("refund") }

func (f *fake) Attempted(_ context.Context, key string) (tokenstore.Attempts, error) {
	for _, counted := range f.attempts {
		if counted.Key == key {
			return counted, f.did("attempted")
		}
	}
	return tokenstore.Attempts{Key: key}, f.did("attempted")
}

func (f *fake) Attempts(context.Context, string, string, int) ([]tokenstore.Attempts, string, error) {
	return f.attempts, "", f.did("attempts")
}

func (f *fake) InTx(_ context.Context, do func(tokenstore.Store) error) error {
	if err := do(f); err != nil {
		return err
	}
	return f.did("in_tx")
}

// Sweep finds f.swept records, as many as max at a time.
func (f *fake) Sweep(_ context.Context, _ time.Time, max int) (int, error) {
	f.mu.Lock()
	n := min(max, f.swept)
	f.swept -= n
	f.mu.Unlock()
	return n, f.did("sweep")
}

func (f *fake) Watch(ctx context.Context, changed func(tokenstore.Change)) error {
	if err := f.did("watch"); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case event := <-f.feed:
			switch event := event.(type) {
			case tokenstore.Change:
				changed(event)
			case error:
				return event
			}
		}
	}
}

func (f *fake) Close() error {
	f.mu.Lock()
	f.closed++
	f.mu.Unlock()
	return f.did("close")
}

// plain hides what a fake can do beyond a tokenstore.Store.
type plain struct{ tokenstore.Store }

// acquire returns a Store that is released at the end of the test, and its log.
func acquire(t *testing.T, d tokenstore.Driver) (*Store, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	s, err := Acquire(d, Options{Logger: zap.New(core)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Release(); err != nil {
			t.Errorf("Release: %v", err)
		}
	})
	return s, logs
}

// heard collects what a subscriber is told.
type heard struct {
	mu      sync.Mutex
	changes []tokenstore.Change
}

func (h *heard) listen(change tokenstore.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changes = append(h.changes, change)
}

// take returns what was heard since the last take.
func (h *heard) take() []tokenstore.Change {
	h.mu.Lock()
	defer h.mu.Unlock()
	taken := slices.Clone(h.changes)
	h.changes = nil
	return taken
}

func messages(logs *observer.ObservedLogs) []string {
	var out []string
	for _, entry := range logs.All() {
		out = append(out, entry.Level.String()+" "+entry.Message)
	}
	return out
}

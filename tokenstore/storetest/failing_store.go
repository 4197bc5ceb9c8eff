// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"context"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// The methods are written out, rather than promoted, so that one which the
// contract gains cannot go uncounted.

func (f *FailingStore) Lookup(ctx context.Context, digest []byte, now time.Time) (tokenstore.Credential, tokenstore.User, error) {
	return call2(f, "Lookup", func() (tokenstore.Credential, tokenstore.User, error) { return f.store.Lookup(ctx, digest, now) })
}

func (f *FailingStore) Create(ctx context.Context, c tokenstore.Credential, max int, evict bool) error {
	return call0(f, "Create", func() error { return f.store.Create(ctx, c, max, evict) })
}

func (f *FailingStore) Touch(ctx context.Context, digest []byte, used, expires time.Time) error {
	return call0(f, "Touch", func() error { return f.store.Touch(ctx, digest, used, expires) })
}

func (f *FailingStore) Consume(ctx context.Context, digest []byte, now time.Time) (tokenstore.Credential, error) {
	return call1(f, "Consume", func() (tokenstore.Credential, error) { return f.store.Consume(ctx, digest, now) })
}

func (f *FailingStore) Rotate(ctx context.Context, old []byte, next []tokenstore.Credential, sealed []byte, now time.Time, grace time.Duration) ([]byte, bool, error) {
	return call2(f, "Rotate", func() ([]byte, bool, error) { return f.store.Rotate(ctx, old, next, sealed, now, grace) })
}

func (f *FailingStore) Delete(ctx context.Context, filter tokenstore.Filter, digests ...[]byte) (int, error) {
	return call1(f, "Delete", func() (int, error) { return f.store.Delete(ctx, filter, digests...) })
}

func (f *FailingStore) Revoke(ctx context.Context, family string, until time.Time) error {
	return call0(f, "Revoke", func() error { return f.store.Revoke(ctx, family, until) })
}

func (f *FailingStore) Revoked(ctx context.Context, family string) (bool, error) {
	return call1(f, "Revoked", func() (bool, error) { return f.store.Revoked(ctx, family) })
}

func (f *FailingStore) List(ctx context.Context, filter tokenstore.Filter, cursor string, n int) ([]tokenstore.Credential, string, error) {
	return call2(f, "List", func() ([]tokenstore.Credential, string, error) { return f.store.List(ctx, filter, cursor, n) })
}

func (f *FailingStore) User(ctx context.Context, key string) (tokenstore.User, error) {
	return call1(f, "User", func() (tokenstore.User, error) { return f.store.User(ctx, key) })
}

func (f *FailingStore) UserByName(ctx context.Context, name string) (tokenstore.User, error) {
	return call1(f, "UserByName", func() (tokenstore.User, error) { return f.store.UserByName(ctx, name) })
}

func (f *FailingStore) UserByOrigin(ctx context.Context, origin, id string) (tokenstore.User, error) {
	return call1(f, "UserByOrigin", func() (tokenstore.User, error) { return f.store.UserByOrigin(ctx, origin, id) })
}

func (f *FailingStore) Users(ctx context.Context, cursor string, n int) ([]tokenstore.User, string, error) {
	return call2(f, "Users", func() ([]tokenstore.User, string, error) { return f.store.Users(ctx, cursor, n) })
}

func (f *FailingStore) PutUser(ctx context.Context, u tokenstore.User) (tokenstore.User, error) {
	return call1(f, "PutUser", func() (tokenstore.User, error) { return f.store.PutUser(ctx, u) })
}

func (f *FailingStore) Rehash(ctx context.Context, key, old, new string) error {
	return call0(f, "Rehash", func() error { return f.store.Rehash(ctx, key, old, new) })
}

func (f *FailingStore) DeleteUser(ctx context.Context, key string) error {
	return call0(f, "DeleteUser", func() error { return f.store.DeleteUser(ctx, key) })
}

func (f *FailingStore) PutGroup(ctx context.Context, g tokenstore.Group) error {
	return call0(f, "PutGroup", func() error { return f.store.PutGroup(ctx, g) })
}

func (f *FailingStore) Groups(ctx context.Context) ([]tokenstore.Group, error) {
	return call1(f, "Groups", func() ([]tokenstore.Group, error) { return f.store.Groups(ctx) })
}

func (f *FailingStore) DeleteGroup(ctx context.Context, name string) error {
	return call0(f, "DeleteGroup", func() error { return f.store.DeleteGroup(ctx, name) })
}

func (f *FailingStore) Client(ctx context.Context, id string) (tokenstore.Client, error) {
	return call1(f, "Client", func() (tokenstore.Client, error) { return f.store.Client(ctx, id) })
}

func (f *FailingStore) PutClient(ctx context.Context, c tokenstore.Client) (tokenstore.Client, error) {
	return call1(f, "PutClient", func() (tokenstore.Client, error) { return f.store.PutClient(ctx, c) })
}

func (f *FailingStore) DeleteClient(ctx context.Context, id string) error {
	return call0(f, "DeleteClient", func() error { return f.store.DeleteClient(ctx, id) })
}

func (f *FailingStore) Clients(ctx context.Context, prefix, cursor string, n int) ([]tokenstore.Client, string, error) {
	return call2(f, "Clients", func() ([]tokenstore.Client, string, error) { return f.store.Clients(ctx, prefix, cursor, n) })
}

func (f *FailingStore) Remember(ctx context.Context, key string, until time.Time) (bool, error) {
	return call1(f, "Remember", func() (bool, error) { return f.store.Remember(ctx, key, until) })
}

func (f *FailingStore) Known(ctx context.Context, key string) (bool, error) {
	return call1(f, "Known", func() (bool, error) { return f.store.Known(ctx, key) })
}

func (f *FailingStore) Hit(ctx context.Context, key string, limit int, per time.Duration, now time.Time) (time.Duration, error) {
	return call1(f, "Hit", func() (time.Duration, error) { return f.store.Hit(ctx, key, limit, per, now) })
}

func (f *FailingStore) Attempt(ctx context.Context, key string, b tokenstore.Backoff, now time.Time) (time.Duration, error) {
	return call1(f, "Attempt", func() (time.Duration, error) { return f.store.Attempt(ctx, key, b, now) })
}

func (f *FailingStore) Refund(ctx context.Context, key string) error {
	return call0(f, "Refund", func() error { return f.store.Refund(ctx, key) })
}

func (f *FailingStore) Attempted(ctx context.Context, key string) (tokenstore.Attempts, error) {
	return call1(f, "Attempted", func() (tokenstore.Attempts, error) { return f.store.Attempted(ctx, key) })
}

func (f *FailingStore) Attempts(ctx context.Context, prefix, cursor string, n int) ([]tokenstore.Attempts, string, error) {
	return call2(f, "Attempts", func() ([]tokenstore.Attempts, string, error) { return f.store.Attempts(ctx, prefix, cursor, n) })
}

func (f *FailingStore) Forget(ctx context.Context, key string) error {
	return call0(f, "Forget", func() error { return f.store.Forget(ctx, key) })
}

func (f *FailingStore) Sweep(ctx context.Context, before time.Time, max int) (int, error) {
	return call1(f, "Sweep", func() (int, error) { return f.store.Sweep(ctx, before, max) })
}

func (f *FailingStore) Watch(ctx context.Context, changed func(tokenstore.Change)) error {
	return call0(f, "Watch", func() error { return f.store.Watch(ctx, changed) })
}

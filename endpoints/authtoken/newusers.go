// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authtoken

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	// maxPending is how many changes wait one by one. Beyond them all users are
	// looked through.
	maxPending = 1000

	// skew is how much later this clock may be than that of who adds a user.
	skew = time.Minute

	// retryAfter is how long a store is left alone that did not answer, twice as
	// long each time, up to maxRetryAfter.
	retryAfter    = time.Second
	maxRetryAfter = time.Minute
)

// A feed tells of changes of the store, by whomever.
type feed interface {
	Subscribe(changed func(tokenstore.Change)) (cancel func())
}

// followUsers makes the tokens of new users from now on.
func (e *Endpoint) followUsers(ctx caddy.Context) error {
	changes, ok := e.issuer.Store().(feed)
	if !ok {
		return fmt.Errorf("auto_create: a store of type %T does not tell of new users", e.issuer.Store())
	}
	f := &follower{
		issuer: e.issuer,
		logger: e.logger,
		since:  firstKey(time.Now().Add(-skew)),
		known:  make(map[string]bool),
		wake:   make(chan struct{}, 1),
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	// The first word is about what was there before. The next one comes when
	// the store is open, which is not for a Provision to bring about.
	cancel := changes.Subscribe(f.changed)
	f.forget()
	go func() {
		defer close(done)
		f.run(running)
	}()
	e.stop = sync.OnceFunc(func() {
		cancel()
		stop()
		<-done
	})
	return nil
}

// firstKey is what the keys of users begin with who are added at a time, and
// those of all later ones are above.
func firstKey(at time.Time) string {
	const timePart = 10 // of a ULID
	return tokenstore.NewUserKey(at)[:len(tokenstore.UserKeyPrefix)+timePart]
}

// A follower makes tokens for users who are new. Each is looked at once: a
// token that is revoked later stays revoked.
type follower struct {
	issuer *issue.Issuer
	logger *zap.Logger
	since  string // the key of a user who would be the oldest new one
	known  map[string]bool
	wake   chan struct{}

	mu      sync.Mutex
	pending map[string]bool
	all     bool
}

// changed keeps in mind whom a change is about, if that user can be new: keys
// sort by the time they were made at.
func (f *follower) changed(change tokenstore.Change) {
	if !change.All && (change.UserKey < f.since || tokenstore.IsForeign(change.UserKey)) {
		return
	}
	f.keep(change.All, change.UserKey)
}

// keep has users looked at, or all of them.
func (f *follower) keep(all bool, keys ...string) {
	f.mu.Lock()
	if f.pending == nil {
		f.pending = make(map[string]bool)
	}
	f.all = f.all || all
	for _, key := range keys {
		if f.all || len(f.pending) == maxPending {
			f.all = true
			break
		}
		f.pending[key] = true
	}
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// forget drops what was kept in mind.
func (f *follower) forget() {
	f.take()
	select {
	case <-f.wake:
	default:
	}
}

// take returns what was kept in mind, and drops it.
func (f *follower) take() (pending map[string]bool, all bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	pending, all = f.pending, f.all
	f.pending, f.all = nil, false
	return pending, all
}

func (f *follower) run(ctx context.Context) {
	for wait := retryAfter; ; {
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
		}
		pending, all := f.take()
		err := f.look(ctx, pending, all)
		if err == nil || ctx.Err() != nil {
			wait = retryAfter
			continue
		}
		f.logger.Warn("making the tokens of new users; trying again", zap.Error(err), zap.Duration("after", wait))
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, maxRetryAfter)
		f.keep(all, slices.Collect(maps.Keys(pending))...)
	}
}

// look makes the tokens of those users who are new, or of all who are.
func (f *follower) look(ctx context.Context, pending map[string]bool, all bool) error {
	if !all {
		for key := range pending {
			if err := f.welcome(ctx, key); err != nil {
				return err
			}
		}
		return nil
	}
	for cursor := ""; ; {
		page, next, err := f.issuer.Store().Users(ctx, cursor, tokenstore.MaxPage)
		if err != nil {
			return err
		}
		for _, user := range page {
			if user.Key < f.since {
				continue
			}
			if err := f.welcome(ctx, user.Key); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		cursor = next
	}
}

// welcome makes the token of a user who was not seen before. One who is gone
// or inactive gets none; one who is enabled later gets it when asking.
func (f *follower) welcome(ctx context.Context, key string) error {
	if f.known[key] {
		return nil
	}
	if _, err := token(ctx, f.issuer, key); err != nil && !errors.Is(err, tokenstore.ErrNotFound) {
		return err
	}
	f.known[key] = true
	return nil
}

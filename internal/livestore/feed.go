// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package livestore

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	// A feed that ended is followed again after feedMin to feedMax, longer
	// each time until one lasted for feedSteady.
	feedMin    = 100 * time.Millisecond
	feedMax    = 2 * time.Second
	feedSteady = 10 * time.Second
)

var errFeedEnded = errors.New("the feed ended")

// feed is how changes reach the subscribers, and whether all of them do.
type feed struct {
	trusted     atomic.Bool
	subscribers atomic.Pointer[[]*subscriber]

	mu    sync.Mutex // of writes to what follows, and to the two above
	round int        // counts the Watches; what an old one says is no news
	err   error      // why it is down, if it ever was up or failed
}

type subscriber struct{ changed func(tokenstore.Change) }

func (f *feed) subscribe(changed func(tokenstore.Change)) (cancel func()) {
	added := &subscriber{changed}
	f.mu.Lock()
	list := append(slices.Clone(f.list()), added)
	f.subscribers.Store(&list)
	f.mu.Unlock()
	changed(tokenstore.Change{All: true})
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		list := slices.DeleteFunc(slices.Clone(f.list()), func(s *subscriber) bool { return s == added })
		f.subscribers.Store(&list)
	}
}

func (f *feed) list() []*subscriber {
	if list := f.subscribers.Load(); list != nil {
		return *list
	}
	return nil
}

func (f *feed) announce(changes ...tokenstore.Change) {
	for _, change := range changes {
		for _, s := range f.list() {
			s.changed(change)
		}
	}
}

// receiver returns what a new Watch reports to. The feed is up when the
// subscribers have heard that everything may have changed: from then on they
// hear of each change, and what they knew before is forgotten. Up is called
// when that happens.
func (f *feed) receiver(up func()) func(tokenstore.Change) {
	f.mu.Lock()
	f.round++
	round := f.round
	f.mu.Unlock()
	return func(change tokenstore.Change) {
		f.announce(change)
		if change.All && f.rise(round) {
			up()
		}
	}
}

// rise reports whether the feed came up by this round's first word.
func (f *feed) rise(round int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.round != round || f.trusted.Load() {
		return false
	}
	f.err = nil
	f.trusted.Store(true)
	return true
}

// down ends the trust first, so that nothing is taken for granted while the
// subscribers are told.
func (f *feed) down(err error) {
	f.mu.Lock()
	f.round++
	f.err = err
	f.trusted.Store(false)
	f.mu.Unlock()
	f.announce(tokenstore.Change{All: true})
}

func (f *feed) failure() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// follow watches the store from when it is open until the last Release.
func (s *shared) follow() {
	select {
	case <-s.opening.opened:
	case <-s.ctx.Done():
		return
	}
	inner := s.inner.Load()
	if inner == nil {
		return // closed meanwhile
	}
	var warned atomic.Bool
	up := func() {
		if warned.Swap(false) {
			s.logger().Info("token store reports changes again")
		}
	}
	delay := feedMin
	for {
		began := time.Now()
		err := (*inner).Watch(s.ctx, s.feed.receiver(up))
		if s.ctx.Err() != nil {
			return // Destruct tells the subscribers
		}
		if err == nil {
			err = errFeedEnded
		}
		s.feed.down(err)
		if !warned.Swap(true) {
			s.logger().Warn("token store does not report changes; asking it on every request", zap.Error(err))
		}
		if time.Since(began) >= feedSteady {
			delay = feedMin
		}
		if !s.sleep(delay) {
			return
		}
		delay = min(2*delay, feedMax)
	}
}

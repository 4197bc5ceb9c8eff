// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package entra

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// maxRemembered is how many users' groups are remembered. Only users with
	// more groups than a token has room for are.
	maxRemembered = 10_000

	// failedLife is for how long a failure is the answer, so that users of a
	// Graph that is down do not all wait for it.
	failedLife = 2 * time.Second

	// refusedLife is for how long a token that was refused is not asked about
	// again.
	refusedLife = 10 * time.Second
)

// memory remembers the groups of users. The zero value is ready.
type memory struct {
	flights singleflight.Group
	lock    sync.Mutex
	known   map[string]remembered
}

type remembered struct {
	groups []string
	err    error
	until  time.Time
}

// recall returns the groups under key, or what ask returns, which is asked once
// for all who want to know at the same time. A refusal is the token's own and
// remembered for it alone.
func (m *memory) recall(ctx context.Context, key, compact string, clock func() time.Time, life, patience time.Duration, ask func(context.Context) ([]string, error)) ([]string, error) {
	now := clock()
	digest := sha256.Sum256([]byte(compact))
	ofToken := key + "|" + string(digest[:16])
	for _, name := range []string{key, ofToken} {
		if found, ok := m.find(name, now); ok {
			return found.groups, found.err
		}
	}
	// Those who wait do not depend on the client who came first.
	asked := m.flights.DoChan(ofToken, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		groups, err := ask(ctx)
		now := clock()
		entry := remembered{groups, err, now.Add(life)}
		name := key
		if err != nil {
			entry.until = now.Add(failedLife)
			if _, refused := errors.AsType[*RefusalError](err); refused {
				entry.until, name = now.Add(refusedLife), ofToken
			}
		}
		m.put(name, entry, now)
		return groups, err
	})
	select {
	case result := <-asked:
		groups, _ := result.Val.([]string)
		return groups, result.Err
	case <-ctx.Done():
		return nil, unavailable(0, ctx.Err())
	}
}

func (m *memory) find(key string, now time.Time) (remembered, bool) {
	m.lock.Lock()
	defer m.lock.Unlock()
	found, ok := m.known[key]
	return found, ok && now.Before(found.until)
}

func (m *memory) put(key string, entry remembered, now time.Time) {
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.known == nil {
		m.known = make(map[string]remembered)
	}
	if _, there := m.known[key]; !there && len(m.known) >= maxRemembered {
		m.makeRoom(now)
	}
	m.known[key] = entry
}

// makeRoom forgets what is over, or any: it is asked for again.
func (m *memory) makeRoom(now time.Time) {
	for key, entry := range m.known {
		if !now.Before(entry.until) {
			delete(m.known, key)
		}
	}
	for key := range m.known {
		if len(m.known) < maxRemembered {
			return
		}
		delete(m.known, key)
	}
}

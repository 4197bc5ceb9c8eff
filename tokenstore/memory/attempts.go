// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// maxAttempts bounds how many keys have attempts, which clients can make up. A
// new key then takes the place of those that matter least.
const maxAttempts = 100_000

// attempts are what is counted under a key, and when that may be swept.
type attempts struct {
	tokenstore.Attempts
	ends time.Time
}

var errNoKey = errors.New("counting an attempt without a key")

func (o ops) Attempt(ctx context.Context, key string, b tokenstore.Backoff, now time.Time) (wait time.Duration, err error) {
	if key == "" {
		return 0, errNoKey
	}
	key = tokenstore.AttemptKey(key)
	err = o.write(ctx, func(s *state) error {
		counted, known := s.attempts[key]
		if wait = b.Wait(counted.Attempts, now); wait > 0 {
			return nil
		}
		if !known && len(s.attempts) >= maxAttempts {
			s.forgetAttempts(now)
		}
		counted.Key = key
		next := b.Count(counted.Attempts, now)
		put(s, s.attempts, key, attempts{next, b.Ends(next)})
		return nil
	})
	return wait, err
}

// forgetAttempts makes room for an eighth of maxAttempts: by what has ended, and
// then by the lowest counts, the oldest first, so that who makes up keys does not
// make us forget one that is under attack.
func (s *state) forgetAttempts(now time.Time) {
	var live []attempts
	for key, a := range s.attempts {
		if a.ends.After(now) {
			live = append(live, a)
		} else {
			drop(s, s.attempts, key)
		}
	}
	excess := len(live) - maxAttempts*7/8
	if excess <= 0 {
		return
	}
	slices.SortFunc(live, func(a, b attempts) int {
		return cmp.Or(cmp.Compare(a.Count, b.Count), a.Last.Compare(b.Last))
	})
	for _, a := range live[:excess] {
		drop(s, s.attempts, a.Key)
	}
}

func (o ops) Refund(ctx context.Context, key string) error {
	key = tokenstore.AttemptKey(key)
	return o.write(ctx, func(s *state) error {
		counted, known := s.attempts[key]
		if counted.Count--; !known {
			return nil
		}
		if counted.Count <= 0 {
			drop(s, s.attempts, key)
		} else {
			put(s, s.attempts, key, counted)
		}
		return nil
	})
}

func (o ops) Attempted(ctx context.Context, key string) (counted tokenstore.Attempts, err error) {
	key = tokenstore.AttemptKey(key)
	err = o.read(ctx, func(s *state) error {
		counted = s.attempts[key].Attempts
		return nil
	})
	if err != nil {
		return tokenstore.Attempts{}, err
	}
	counted.Key = key
	return counted, nil
}

func (o ops) Attempts(ctx context.Context, prefix, cursor string, n int) (page []tokenstore.Attempts, next string, err error) {
	after, err := parseCursor(attemptCursors, cursor)
	if err != nil {
		return nil, "", err
	}
	err = o.read(ctx, func(s *state) error {
		for key, counted := range s.attempts {
			if strings.HasPrefix(key, prefix) && key > after {
				page = append(page, counted.Attempts)
			}
		}
		return nil
	})
	slices.SortFunc(page, func(a, b tokenstore.Attempts) int { return cmp.Compare(a.Key, b.Key) })
	if n = clamp(n); len(page) > n {
		page = page[:n]
		next = newCursor(attemptCursors, page[n-1].Key)
	}
	return page, next, err
}

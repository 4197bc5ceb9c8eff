// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func (o ops) Lookup(ctx context.Context, digest []byte, now time.Time) (c tokenstore.Credential, u tokenstore.User, err error) {
	err = o.read(ctx, func(s *state) error {
		e := s.records[string(digest)]
		own, err := s.standing(e, now)
		if err != nil && !errors.Is(err, tokenstore.ErrInactive) {
			return err
		}
		c = copied(e.Credential)
		if !e.userless() {
			u = s.withGroups(own)
		}
		return err
	})
	return c, u, err
}

func (o ops) Create(ctx context.Context, c tokenstore.Credential, max int, evict bool) error {
	return o.write(ctx, func(s *state) error { return s.create(c, max, evict) })
}

func (o ops) Touch(ctx context.Context, digest []byte, used, expires time.Time) error {
	return o.write(ctx, func(s *state) error {
		e := s.records[string(digest)]
		if e == nil || e.spent {
			return nil
		}
		used, expires := cut(used), cut(expires)
		judged := !used.IsZero() && s.lives(e, used)
		s.set(e, func(e *entry) {
			if judged && used.After(e.LastUsed) {
				e.LastUsed = used
			}
			if judged && !e.Expires.IsZero() && expires.After(e.Expires) {
				e.Expires = expires
			}
		})
		return nil
	})
}

func (o ops) Consume(ctx context.Context, digest []byte, now time.Time) (c tokenstore.Credential, err error) {
	err = o.write(ctx, func(s *state) error {
		e := s.records[string(digest)]
		if e != nil && e.spent {
			s.reused(e)
			return tokenstore.ErrReused
		}
		if _, err := s.standing(e, now); err != nil {
			return err
		}
		c = copied(e.Credential)
		s.spend(e, now, func(*entry) {})
		return nil
	})
	return c, err
}

func (o ops) Rotate(ctx context.Context, old []byte, next []tokenstore.Credential, sealed []byte, now time.Time, grace time.Duration) (reply []byte, won bool, err error) {
	if len(sealed) > tokenstore.MaxData {
		return nil, false, tokenstore.ErrTooLarge
	}
	err = o.write(ctx, func(s *state) error {
		e := s.records[string(old)]
		if e != nil && e.spent {
			reply, err = s.again(e, now)
			return err
		}
		if _, err := s.standing(e, now); err != nil {
			return err
		}
		s.spend(e, now, func(e *entry) {
			e.rotated, e.sealed, e.until = true, bytes.Clone(sealed), now.Add(grace)
		})
		for _, c := range next {
			if err := s.create(c, 0, false); err != nil {
				return err
			}
		}
		reply, won = bytes.Clone(sealed), true
		return nil
	})
	return reply, won, err
}

// again answers a rotation of a spent record.
func (s *state) again(e *entry, now time.Time) ([]byte, error) {
	if !e.rotated || !now.Before(e.until) {
		s.reused(e)
		return nil, tokenstore.ErrReused
	}
	if !s.bound(e) || !e.userless() && !s.people[e.UserKey].Active {
		return nil, tokenstore.ErrNotFound
	}
	return bytes.Clone(e.sealed), nil
}

func (o ops) Delete(ctx context.Context, f tokenstore.Filter, digests ...[]byte) (n int, err error) {
	if f == (tokenstore.Filter{}) && len(digests) == 0 {
		return 0, errors.New("deleting without a filter or digests")
	}
	err = o.write(ctx, func(s *state) error {
		if len(digests) == 0 {
			for _, e := range s.selected(f) {
				n += s.count(e)
			}
		}
		for _, digest := range digests {
			if e := s.records[string(digest)]; e != nil && matches(f, e) {
				n += s.count(e)
			}
		}
		if f.Family != "" {
			s.changed(tokenstore.Change{Family: f.Family})
		}
		return nil
	})
	return n, err
}

// count revokes a record, and returns 1 unless it was spent before.
func (s *state) count(e *entry) int {
	s.revoke(e)
	if e.spent {
		return 0
	}
	return 1
}

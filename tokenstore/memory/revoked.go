// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"context"
	"errors"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func (o ops) Revoke(ctx context.Context, family string, until time.Time) error {
	if family == "" {
		return errors.New("revoking a family without a name")
	}
	if tooLong(family) {
		return tokenstore.ErrTooLarge
	}
	return o.write(ctx, func(s *state) error {
		s.denounce(family, until)
		for _, e := range s.selected(tokenstore.Filter{Family: family}) {
			s.revoke(e)
		}
		s.changed(tokenstore.Change{Family: family})
		return nil
	})
}

// denounce remembers that a family is revoked, until the later of two times.
func (s *state) denounce(family string, until time.Time) {
	if !until.IsZero() {
		until = cut(until)
	}
	known, ok := s.revoked[family]
	if ok && (known.IsZero() || !until.IsZero() && !until.After(known)) {
		return
	}
	put(s, s.revoked, family, until)
	if !ok {
		s.schedule.expect(mortal{mortalFamily, family}, until)
	}
}

func (o ops) Revoked(ctx context.Context, family string) (revoked bool, err error) {
	err = o.read(ctx, func(s *state) error {
		_, revoked = s.revoked[family]
		revoked = revoked || family == "" && len(s.revoked) > 0
		return nil
	})
	return revoked, err
}

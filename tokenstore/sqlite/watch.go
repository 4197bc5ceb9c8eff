// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const pollEvery = 50 * time.Millisecond

// Watch is tokenstore.Store's. It sees the changes of other processes too, by
// asking for the version of the data, which takes microseconds.
func (s *Store) Watch(ctx context.Context, changed func(tokenstore.Change)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	st := s.state.Load()
	if st.err != nil {
		return st.err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	news := make(chan []tokenstore.Change)
	ended := make(chan error, 1)
	if !s.background(func() { ended <- s.poll(ctx, st, news) }) {
		return errClosed
	}
	return sqlstore.Deliver(news, ended, sqlstore.MaxSilence, changed)
}

// poll sends what changed, and nothing as a sign of life.
func (s *Store) poll(ctx context.Context, st *state, news chan<- []tokenstore.Change) error {
	err := st.handle.guest(ctx, func(raw *sql.Conn) error {
		conn := sqlstore.NewConn(raw, sqlstore.SQLite)
		defer conn.Close()
		return s.follow(ctx, st, conn, news)
	})
	if err == errRetired {
		err = fmt.Errorf("%w: %s was opened anew", tokenstore.ErrUnavailable, s.driver.Path)
	}
	return s.ending(ctx, err)
}

// follow is poll on a connection.
func (s *Store) follow(ctx context.Context, st *state, conn *sqlstore.Conn, news chan<- []tokenstore.Change) error {
	// The version is read before the feed, so that a change between both is seen
	// again and none is missed.
	version, err := dataVersion(ctx, conn)
	if err != nil {
		return err
	}
	seq, err := sqlstore.FeedEnd(ctx, conn)
	if err != nil {
		return err
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var changes []tokenstore.Change
	for {
		select {
		case news <- changes:
		case <-st.handle.retired:
			return errRetired
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case <-tick.C:
		case <-st.handle.retired:
			return errRetired
		case <-ctx.Done():
			return ctx.Err()
		}
		if now := s.state.Load(); now != st {
			return errRetired
		}
		if err := st.handle.check(); err != nil {
			s.suspect()
			return err
		}
		now, err := dataVersion(ctx, conn)
		if err != nil {
			return err
		}
		changes = nil
		if now == version {
			continue
		}
		version = now
		if changes, seq, err = sqlstore.FeedSince(ctx, conn, seq); err != nil {
			return err
		}
	}
}

// ending says why Watch ends: because the store was closed, the caller has gone,
// or the file failed.
func (s *Store) ending(ctx context.Context, err error) error {
	if s.ctx.Err() != nil {
		return errClosed
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return unavailable(s.driver.Path, err)
}

// dataVersion changes when another connection has committed, be it of this
// process or of another one.
func dataVersion(ctx context.Context, conn *sqlstore.Conn) (version int64, err error) {
	_, err = conn.Row(ctx, `PRAGMA data_version`, nil, &version)
	return version, err
}

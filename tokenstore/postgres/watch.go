// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	// pollEvery is how often the feed is read without a wake-up, and pollTimeout
	// how long that may take: both together are less than sqlstore.MaxSilence.
	pollEvery   = 250 * time.Millisecond
	pollTimeout = 1500 * time.Millisecond

	// coalesce is how long wake-ups that follow each other are taken for one.
	coalesce = 5 * time.Millisecond
)

// Watch is tokenstore.Store's. It has a connection of its own. Changes are read
// from a table, in the order of their commits; a NOTIFY only says that there are
// some, so that nothing is lost with it.
func (s *Store) Watch(ctx context.Context, changed func(tokenstore.Change)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if st := s.state.Load(); st.err != nil {
		return st.err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	news := make(chan []tokenstore.Change)
	ended := make(chan error, 1)
	if !s.background(func() { ended <- s.ending(ctx, s.follow(ctx, news)) }) {
		return errClosed
	}
	return sqlstore.Deliver(news, ended, time.Duration(s.driver.ConnectTimeout)+sqlstore.MaxSilence, changed)
}

// ending says why Watch ends: because the store was closed, the caller has gone,
// or the database failed.
func (s *Store) ending(ctx context.Context, err error) error {
	if s.ctx.Err() != nil {
		return errClosed
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return s.driver.unavailable(err)
}

// follow sends what changed, and nothing as a sign of life.
func (s *Store) follow(ctx context.Context, news chan<- []tokenstore.Change) error {
	connecting, cancel := context.WithTimeout(ctx, time.Duration(s.driver.ConnectTimeout)+margin)
	conn, err := s.driver.single(connecting, feedSuffix)
	cancel()
	if err != nil {
		return err
	}
	defer hangUp(ctx, conn)
	se := s.driver.session(conn)
	se.limit = pollTimeout
	feed := sqlstore.Over(se, dialect)
	if err := s.driver.recognize(ctx, conn, s.id); err != nil {
		return err
	}
	moved, err := s.leads(ctx, conn)
	if err != nil {
		return err
	}
	// To listen comes first, so that what follows is woken for.
	if err := se.Script(ctx, `LISTEN `+s.driver.channel()); err != nil {
		return err
	}
	seq, err := sqlstore.FeedEnd(ctx, feed)
	if err != nil {
		return err
	}
	var changes []tokenstore.Change
	for {
		select {
		case news <- changes:
		case <-moved:
			return errMoved
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := await(ctx, conn); err != nil {
			return err
		}
		if changes, seq, err = sqlstore.FeedSince(ctx, feed, seq); err != nil {
			return err
		}
	}
}

// await returns when there is something to read, or it is time to look. Wake-ups
// that never pause keep nobody from reading.
func await(ctx context.Context, conn *pgx.Conn) error {
	woken, err := wait(ctx, conn, pollEvery)
	for until := time.Now().Add(coalesce); woken && err == nil && time.Now().Before(until); {
		woken, err = wait(ctx, conn, time.Until(until))
	}
	return err
}

func wait(ctx context.Context, conn *pgx.Conn, patience time.Duration) (woken bool, err error) {
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err = conn.WaitForNotification(waiting)
	switch {
	case err == nil:
		return true, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	case waiting.Err() != nil && !conn.IsClosed():
		return false, nil
	default:
		return false, err
	}
}

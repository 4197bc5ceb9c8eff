// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5"
)

// errMoved says that connections lead to another server than the feed does.
var errMoved = errors.New("another server has taken the place of the one that is followed")

// started tells servers apart: a copy of one starts at another moment.
const started = `SELECT extract(epoch FROM pg_postmaster_start_time())::text`

// A server is where the connections of a store lead. After a failover the former
// primary may be there still, and tell whoever is connected that nothing changes.
type server struct {
	mu    sync.Mutex
	is    string
	moved chan struct{} // closed when is changes
}

// meet notes where a new connection leads. Moved is closed once another leads
// elsewhere, and changed says that this one does.
func (s *server) meet(ctx context.Context, conn *pgx.Conn) (moved <-chan struct{}, changed bool, err error) {
	var is string
	if err := conn.QueryRow(ctx, started, pgx.QueryExecModeExec).Scan(&is); err != nil {
		return nil, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	changed = s.is != "" && s.is != is
	if changed {
		close(s.moved)
	}
	if s.is != is {
		s.is, s.moved = is, make(chan struct{})
	}
	return s.moved, changed, nil
}

// leads notes where a new connection leads. If that is not where the others lead,
// they are given up, and feeds end.
func (s *Store) leads(ctx context.Context, conn *pgx.Conn) (moved <-chan struct{}, err error) {
	moved, changed, err := s.server.meet(ctx, conn)
	if st := s.state.Load(); changed && st != nil && st.pool != nil {
		st.pool.Reset()
	}
	return moved, err
}

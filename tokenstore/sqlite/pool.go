// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"sync"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
)

// A pool keeps the connections that nobody uses. The one that was used last is
// handed out first, since its pages are still in the processor's cache.
type pool struct {
	free chan struct{} // one for each connection; who receives may pop

	mu    sync.Mutex
	conns []*sqlstore.Conn
}

func newPool(n int) *pool {
	return &pool{free: make(chan struct{}, n), conns: make([]*sqlstore.Conn, 0, n)}
}

func (p *pool) pop() *sqlstore.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.conns) - 1
	conn := p.conns[last]
	p.conns = p.conns[:last]
	return conn
}

func (p *pool) put(conn *sqlstore.Conn) {
	p.mu.Lock()
	p.conns = append(p.conns, conn)
	p.mu.Unlock()
	p.free <- struct{}{}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
)

// minReaders is how many connections read at the same time at least.
const minReaders = 4

// Every connection caches pages of its own, in KiB. The system caches the file:
// more takes memory, and no time off a look-up among a million.
const cachePragma = "cache_size(-2048)"

// A handle is an open file: one connection that writes and several that read.
type handle struct {
	id      string // of the store
	file    identity
	log     identity
	index   identity // of the log
	busy    time.Duration
	write   *sql.DB
	read    *sql.DB
	readers *pool
	writer  *writer
	retired chan struct{} // closed when no new use may begin
	guests  sync.RWMutex  // held by those who read on a connection of their own
	aside   string        // what the log is named while another file is in the file's place
}

// open opens an existing file, and brings its schema up to date.
func open(ctx context.Context, file identity, busy time.Duration) (h *handle, err error) {
	h = &handle{file: file, busy: busy, retired: make(chan struct{})}
	defer func() {
		if err != nil {
			h.abandon()
		}
	}()
	if h.write, err = sql.Open("sqlite", dsn(file.path, "mode=rw", busy,
		"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "journal_size_limit(67108864)", "temp_store(MEMORY)", cachePragma)); err != nil {
		return h, err
	}
	h.write.SetMaxOpenConns(1)
	raw, err := h.write.Conn(ctx)
	if err != nil {
		return h, err
	}
	h.writer = newWriter(h, sqlstore.NewConn(raw, sqlstore.SQLite))
	if err := migrate(ctx, h.writer.conn); err != nil {
		return h, err
	}
	if _, h.id, err = sqlstore.Version(ctx, h.writer.conn); err != nil {
		return h, err
	}
	if h.log, err = identify(file.path + "-wal"); err != nil {
		return h, err
	}
	if h.index, err = identify(file.path + "-shm"); err != nil {
		return h, err
	}
	// Only now is it certain that the file that was examined is the open one.
	if err := file.check(); err != nil {
		return h, err
	}
	return h, h.openReaders(ctx)
}

func (h *handle) openReaders(ctx context.Context) (err error) {
	n := max(minReaders, runtime.GOMAXPROCS(0))
	h.readers = newPool(n)
	if h.read, err = h.openReading(); err != nil {
		return err
	}
	for range n {
		conn, err := h.read.Conn(ctx)
		if err != nil {
			return err
		}
		h.readers.put(sqlstore.NewConn(conn, sqlstore.SQLite))
	}
	return nil
}

// openReading opens connections that cannot write.
func (h *handle) openReading() (*sql.DB, error) {
	return sql.Open("sqlite", dsn(h.file.path, "mode=rw", h.busy, "query_only(1)", cachePragma))
}

// guest runs f on a connection of its own. While there is one SQLite keeps what it
// knows of the log, and takes another log of the name for it, so that close waits.
func (h *handle) guest(ctx context.Context, f func(*sql.Conn) error) error {
	h.guests.RLock()
	defer h.guests.RUnlock()
	select {
	case <-h.retired:
		return errRetired
	default:
	}
	db, err := h.openReading()
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return f(conn)
}

// migrate applies what is missing of the schema, one transaction for each step.
// Another process may do the same: then one waits for the other.
func migrate(ctx context.Context, conn *sqlstore.Conn) error {
	for more := true; more; {
		if _, err := conn.Exec(ctx, `BEGIN IMMEDIATE`); err != nil {
			return err
		}
		done, err := sqlstore.Migrate(ctx, conn, newID())
		if err == nil && done {
			_, err = conn.Exec(ctx, fmt.Sprintf(`PRAGMA application_id = %d`, applicationID))
		}
		if err == nil {
			_, err = conn.Exec(ctx, `COMMIT`)
		}
		if err != nil {
			_, _ = conn.Exec(ctx, `ROLLBACK`) // the cause is known already
			return err
		}
		more = done
	}
	return nil
}

// using runs f on a connection that reads.
func (h *handle) using(ctx context.Context, f func(*sqlstore.Conn) error) error {
	// A canceled caller must not win the race for a free connection.
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := h.file.check(); err != nil {
		return err
	}
	select {
	case <-h.readers.free:
		conn := h.readers.pop()
		defer h.readers.put(conn)
		return f(conn)
	case <-h.retired:
		return errRetired
	case <-ctx.Done():
		return ctx.Err()
	}
}

// check fails if the file, its log, or the index of that is not the open one any
// more. The index holds the locks: processes with one each would write at once.
func (h *handle) check() error {
	if err := h.file.check(); err != nil {
		return err
	}
	if err := h.log.check(); err != nil {
		return err
	}
	return h.index.check()
}

// close waits for those who use the handle, and closes it.
func (h *handle) close() error {
	h.guests.Lock()
	defer h.guests.Unlock()
	var errs []error
	h.writer.stop()
	for range cap(h.readers.free) {
		<-h.readers.free
		errs = append(errs, h.readers.pop().Close())
	}
	errs = append(errs, h.read.Close(), h.writer.conn.Close(), h.write.Close())
	return errors.Join(errs...)
}

// abandon closes what open has opened before it failed.
func (h *handle) abandon() {
	if h.read != nil {
		for range len(h.readers.free) {
			_ = h.readers.pop().Close()
		}
		_ = h.read.Close()
	}
	if h.writer != nil {
		_ = h.writer.conn.Close()
	}
	if h.write != nil {
		_ = h.write.Close()
	}
}

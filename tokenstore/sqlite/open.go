// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// errNoStore says that there is no file, and has never been one.
var errNoStore = fmt.Errorf("there is no store yet: %w", fs.ErrNotExist)

// purpose says what opening a store may change.
type purpose int

const (
	existing purpose = iota // a file that is there, and nothing else
	serving                 // creates the file, or its marker, if it has none
)

// Open opens the store, and creates it on first use.
func (d *Driver) Open(ctx context.Context) (tokenstore.Store, error) {
	h, err := d.connect(ctx, serving)
	if err != nil {
		d.reports.Failure(err)
		return nil, err
	}
	return newStore(ctx, d, h), nil
}

// OpenExisting opens the store for a command, and creates nothing.
func (d *Driver) OpenExisting(ctx context.Context) (tokenstore.Store, error) {
	h, err := d.connect(ctx, existing)
	if err != nil {
		return nil, err
	}
	return newStore(ctx, d, h), nil
}

// Check reports what would keep the store from being opened. It changes nothing.
func (d *Driver) Check(ctx context.Context) error {
	connecting.Lock()
	defer connecting.Unlock()
	_, _, err := d.inspect(ctx)
	if errors.Is(err, errNoStore) {
		return nil
	}
	return unavailable(d.Path, err)
}

// Init creates the store, or takes a file that is there. With force it also gives
// up a store that was lost, or replaced by the one that is there.
func (d *Driver) Init(ctx context.Context, force bool) error {
	if force {
		connecting.Lock()
		_, _, err := d.inspect(ctx)
		connecting.Unlock()
		var other *mismatch
		switch {
		case errors.Is(err, errLost) || errors.As(err, &other):
			if err := d.storage.Delete(ctx, d.markerKey()); err != nil {
				return fmt.Errorf("removing the marker of %s: %w", d.Path, err)
			}
		case err != nil && !errors.Is(err, errNoStore):
			return unavailable(d.Path, err)
		}
	}
	h, err := d.connect(ctx, serving)
	if err != nil {
		return err
	}
	return h.close()
}

// busyPause is how long to wait for other processes that open the file too.
const busyPause = 20 * time.Millisecond

// connect opens the file, if it is the right one.
func (d *Driver) connect(ctx context.Context, why purpose) (*handle, error) {
	patience := time.NewTimer(time.Duration(d.BusyTimeout))
	defer patience.Stop()
	for {
		h, err := d.tryConnect(ctx, why)
		if code(err) != sqlite3.SQLITE_BUSY {
			return h, unavailableUnlessMissing(d.Path, err)
		}
		// SQLite does not wait where two might wait for each other, as where both
		// turn a new file into one with a log.
		select {
		case <-time.After(busyPause):
		case <-patience.C:
			return nil, unavailable(d.Path, err)
		case <-ctx.Done():
			return nil, unavailable(d.Path, ctx.Err())
		}
	}
}

func unavailableUnlessMissing(path string, err error) error {
	if errors.Is(err, errNoStore) {
		return err
	}
	return unavailable(path, err)
}

// connecting is held while a file is examined and opened. To close a file that
// was opened without locks, as examine does, would drop the locks that the same
// process takes on it meanwhile.
var connecting sync.Mutex

func (d *Driver) tryConnect(ctx context.Context, why purpose) (*handle, error) {
	connecting.Lock()
	defer connecting.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	_, m, err := d.inspect(ctx)
	created := errors.Is(err, errNoStore) && why == serving
	if created {
		if err = create(d.Path); err == nil && !d.AllowNetworkFilesystem {
			err = refuseNetwork(d.Path)
		}
	}
	if err != nil {
		return nil, err
	}
	file, err := identify(d.Path)
	if err != nil {
		return nil, err
	}
	if why == existing && file.info.Size() == 0 {
		return nil, errNoStore
	}
	h, err := open(ctx, file, time.Duration(d.BusyTimeout))
	if err != nil {
		return nil, err
	}
	if m == nil && why == serving {
		if err := d.storeMarker(ctx, h.id); err != nil {
			h.abandon()
			return nil, err
		}
		if !created {
			d.logger.Info("taking a store that was restored or moved here", zap.String("file", d.Path))
		}
	}
	return h, nil
}

// inspect says whether the store may be opened, and changes nothing. It returns
// errNoStore if the store may be created.
func (d *Driver) inspect(ctx context.Context) (found contents, m *marker, err error) {
	if m, err = d.loadMarker(ctx); err != nil {
		return found, nil, err
	}
	info, err := os.Stat(d.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && m != nil:
		return found, m, d.lost(fmt.Errorf("%s is gone", d.Path))
	case errors.Is(err, fs.ErrNotExist):
		return found, nil, errNoStore
	case err != nil:
		return found, m, err
	case !info.Mode().IsRegular():
		return found, m, errors.New("it is not a regular file")
	case info.Size() == 0 && m != nil:
		return found, m, d.lost(fmt.Errorf("%s is empty", d.Path))
	}
	if !d.AllowNetworkFilesystem {
		if err := refuseNetwork(d.Path); err != nil {
			return found, m, err
		}
	}
	if info.Size() == 0 {
		return found, nil, nil
	}
	found, err = examine(ctx, d.Path, time.Duration(d.BusyTimeout))
	if err == nil && m != nil && m.ID != found.id {
		err = &mismatch{d.Path}
	}
	return found, m, err
}

// errLost says that there was a store, and its file is gone.
var errLost = errors.New("the store is lost")

const remedy = "restore the file, or give the old store up with: caddy rest-auth store init --force"

func (d *Driver) lost(cause error) error {
	if errors.Is(cause, errLost) {
		return cause
	}
	return fmt.Errorf("%w: %w: %w; %s", tokenstore.ErrUnavailable, errLost, cause, remedy)
}

// A mismatch is a file that is a store, and not the one that belongs there.
type mismatch struct{ path string }

func (m *mismatch) Error() string {
	return m.path + " is another store than the one that was created there; " + remedy
}

func (m *mismatch) Unwrap() error { return tokenstore.ErrUnavailable }

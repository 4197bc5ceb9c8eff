// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package htpasswd

import (
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

const (
	// interval is how long it is taken for true what was seen of the file.
	interval = 250 * time.Millisecond

	// settle is how long a file must have been left alone to be believed: one
	// that is written in place is short for a moment, and lacks users.
	settle = 100 * time.Millisecond

	// patience is how long the file is believed after it was last seen in order:
	// while it is missing, broken, being written or read. Whom it lacks cannot
	// be known, so nobody is let in afterwards.
	patience = time.Second

	// glance is how long a request waits for a file to be read while the one
	// before it still stands, which is enough for all but the largest.
	glance = 100 * time.Millisecond

	// endurance is how long a request waits for a file that it cannot do
	// without.
	endurance = 2 * time.Second

	// coarse is the precision of the worst clocks of file systems. A file that
	// was younger when it was read may have changed without showing it.
	coarse = 2 * time.Second
)

// File is an htpasswd file that is read again when it has changed. It is
// looked at when a user is asked for, and is safe for concurrent use.
type File struct {
	path   string
	check  func(hash string) error
	logger *zap.Logger
	now    func() time.Time

	current atomic.Pointer[view]
	turn    chan struct{} // held by whoever looks at the file

	// Of the holder of the turn.
	read   *content // what the table of current was made of, without its text
	fresh  bool     // read when it was younger than coarse
	broken *broken  // what was read last and is of no use
}

// broken is a file that need not be read again to know that it is broken.
type broken struct {
	stamp stamp
	err   error
}

// view is what is known of the file.
type view struct {
	table *table    // the last good one
	good  time.Time // when the file was last seen to say this
	err   error     // why it is not to be believed
	next  time.Time // when to look again
}

// stands reports whether the view may be believed a moment longer.
func (v *view) stands(now time.Time) bool { return v.err == nil && now.Sub(v.good) < patience }

// Open reads the file. A file that is broken is an error, which names the line.
// One that is missing, or may not be read, is none: Find fails until it is there.
func Open(path string, check func(hash string) error, logger *zap.Logger) (*File, error) {
	f := &File{path: path, check: check, logger: logger, now: time.Now, turn: make(chan struct{}, 1)}
	now := f.now()
	v := &view{table: new(table), good: now, next: now.Add(interval)}
	t, _, err := f.load(v.table, now)
	if err != nil {
		var absent *fs.PathError
		if !errors.As(err, &absent) && !errors.Is(err, errMoving) {
			return nil, err
		}
		v.err = err
		f.tell(new(view), v)
	}
	if err == nil {
		v.table = t
	}
	f.current.Store(v)
	return f, nil
}

// Name returns the path of the file.
func (f *File) Name() string { return f.path }

// Find returns the hash of the user of that canonical name, and whether there
// is such a user. It fails while the file cannot be used.
func (f *File) Find(name string) (hash string, ok bool, err error) {
	v := f.look(endurance)
	if v.err != nil {
		return "", false, v.err
	}
	hash, ok = v.table.find(name)
	return hash, ok, nil
}

// Owns reports whether the file has a user of that canonical name, or had when
// it could last be used.
func (f *File) Owns(name string) bool {
	_, ok := f.look(glance).table.find(name)
	return ok
}

// look returns what is known of the file now. It waits no longer than that for
// a file that has to be looked at, and not much longer than a glance if what is
// known of it still stands.
func (f *File) look(limit time.Duration) *view {
	now := f.now()
	v := f.current.Load()
	if now.Before(v.next) {
		return v
	}
	stands := v.stands(now)
	select {
	case f.turn <- struct{}{}:
		go f.renew()
		if stands {
			limit = glance
		}
	default:
		if stands {
			return v
		}
	}
	switch {
	case f.await(limit):
		return f.current.Load()
	case v.stands(f.now()):
		return v
	}
	return &view{table: v.table, err: fmt.Errorf("%s: %w", f.path, errSilent)}
}

var errSilent = errors.New("the file system does not answer")

// await waits until nobody looks at the file.
func (f *File) await(limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case f.turn <- struct{}{}:
		<-f.turn
		return true
	case <-timer.C:
		return false
	}
}

// renew brings the view up to date and ends the turn. No request waits for the
// end of a large file.
func (f *File) renew() {
	defer func() { <-f.turn }()
	v := f.current.Load()
	if f.now().Before(v.next) {
		return
	}
	next := f.examine(v)
	if v.err == nil && errors.Is(next.err, errMoving) {
		// Nobody has asked for a while, and just then somebody writes.
		time.Sleep(settle)
		next = f.examine(v)
	}
	f.tell(v, next)
	f.current.Store(next)
}

// examine returns the view after v.
func (f *File) examine(v *view) *view {
	t, good, err := f.inspect(v.table, f.now())
	if err == nil {
		return &view{table: t, good: good, next: good.Add(interval)}
	}
	now := f.now() // a large file took its time
	next := &view{table: v.table, good: v.good, err: err, next: now.Add(interval)}
	if errors.Is(err, errMoving) {
		next.next = now.Add(settle)
	}
	if v.stands(now) {
		next.err = nil
		if end := v.good.Add(patience); end.Before(next.next) {
			next.next = end
		}
	}
	return next
}

// inspect returns the table that the file holds, and when it did so. Old is
// what was read before.
func (f *File) inspect(old *table, now time.Time) (*table, time.Time, error) {
	seen, err := look(f.path)
	if err != nil {
		return nil, now, err
	}
	known := f.read != nil && seen.same(f.read.stamp)
	if known && !f.fresh {
		return old, now, nil
	}
	age := seen.age(now)
	if !known && age >= 0 && age < settle {
		return nil, now, fmt.Errorf("%s: %w", f.path, errMoving)
	}
	if f.broken != nil && seen.same(f.broken.stamp) && age >= coarse {
		return nil, now, f.broken.err
	}
	return f.load(old, now)
}

// load is inspect for a file that has to be read.
func (f *File) load(old *table, now time.Time) (*table, time.Time, error) {
	found, err := read(f.path)
	if err != nil {
		return nil, now, err
	}
	f.broken = nil
	t := old
	if f.read == nil || found.digest != f.read.digest {
		if t, err = parse(found.text, f.check); err != nil {
			err = fmt.Errorf("%s: %w", f.path, err)
			f.broken = &broken{found.stamp, err}
			return nil, now, err
		}
		// That took its time, if the file is large.
		now = f.now()
		if seen, err := look(f.path); err != nil || !seen.same(found.stamp) {
			return nil, now, fmt.Errorf("%s: %w", f.path, errMoving)
		}
		if f.read != nil {
			f.logger.Info("htpasswd file loaded", zap.String("file", f.path), zap.Int("users", t.len()))
		}
	}
	found.text = nil
	f.read = found
	age := found.stamp.age(now)
	f.fresh = age >= 0 && age < coarse
	return t, now, nil
}

// tell writes down that the file went out of order, and that it is in order again.
func (f *File) tell(before, after *view) {
	switch {
	case before.err == nil && after.err != nil:
		f.logger.Error("htpasswd file cannot be used; logins that need it are answered 503", zap.String("file", f.path), zap.Error(after.err))
	case before.err != nil && after.err == nil:
		f.logger.Info("htpasswd file is in order again", zap.String("file", f.path))
	}
}

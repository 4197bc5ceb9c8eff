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

	// patience is how long the last good file stands in for one that is
	// missing, broken or being written. Whom it lacks cannot be known, so
	// nobody is let in afterwards.
	patience = time.Second

	// patienceOfOthers is how long a request waits for another's look at a
	// file that does not answer.
	patienceOfOthers = 2 * time.Second

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
	read    *content  // what current was made of, without its text
	fresh   bool      // read when it was younger than coarse
	broken  *broken   // what was read last and is of no use
	trouble time.Time // since when the file cannot be used, if not zero
}

// broken is a file that need not be read again to know that it is broken.
type broken struct {
	stamp stamp
	err   error
}

// view is what is known of the file.
type view struct {
	table   *table // the last good one
	err     error  // why it is not to be believed
	checked time.Time
	next    time.Time // when to look again
}

// Open reads the file. A file that is broken is an error, which names the line.
// One that is missing, or may not be read, is none: Find fails until it is there.
func Open(path string, check func(hash string) error, logger *zap.Logger) (*File, error) {
	f := &File{path: path, check: check, logger: logger, now: time.Now, turn: make(chan struct{}, 1)}
	now := f.now()
	v := &view{table: new(table), checked: now, next: now.Add(interval)}
	err := f.load(v, now)
	if err != nil {
		var absent *fs.PathError
		if !errors.As(err, &absent) && !errors.Is(err, errMoving) {
			return nil, err
		}
		f.trouble = now.Add(-patience)
		f.fail(v, now, err)
	}
	f.current.Store(v)
	return f, nil
}

// Name returns the path of the file.
func (f *File) Name() string { return f.path }

// Find returns the hash of the user of that canonical name, and whether there
// is such a user. It fails while the file cannot be used.
func (f *File) Find(name string) (hash string, ok bool, err error) {
	v := f.look()
	if v.err != nil {
		return "", false, v.err
	}
	hash, ok = v.table.find(name)
	return hash, ok, nil
}

// Owns reports whether the file has a user of that canonical name, or had when
// it could last be used.
func (f *File) Owns(name string) bool {
	_, ok := f.look().table.find(name)
	return ok
}

// look returns what is known of the file now.
func (f *File) look() *view {
	now := f.now()
	v := f.current.Load()
	if now.Before(v.next) {
		return v
	}
	select {
	case f.turn <- struct{}{}:
	default:
		if now.Sub(v.checked) < patience {
			return v // another request is looking
		}
		if !f.await() {
			return &view{table: v.table, err: fmt.Errorf("%s: %w", f.path, errSilent)}
		}
	}
	defer func() { <-f.turn }()
	now = f.now()
	v = f.current.Load()
	if now.Before(v.next) {
		return v
	}
	next := &view{table: v.table, err: v.err, checked: now, next: now.Add(interval)}
	f.renew(next, now)
	f.current.Store(next)
	return next
}

var errSilent = errors.New("the file system does not answer")

func (f *File) await() bool {
	timer := time.NewTimer(patienceOfOthers)
	defer timer.Stop()
	select {
	case f.turn <- struct{}{}:
		return true
	case <-timer.C:
		return false
	}
}

// renew brings the view up to date.
func (f *File) renew(v *view, now time.Time) {
	seen, err := look(f.path)
	if err != nil {
		f.fail(v, now, err)
		return
	}
	if f.read != nil && seen.same(f.read.stamp) && !f.fresh {
		f.recover(v)
		return
	}
	age := seen.age(now)
	if age >= 0 && age < settle && (f.read == nil || !seen.same(f.read.stamp)) {
		f.fail(v, now, fmt.Errorf("%s: %w", f.path, errMoving))
		v.next = now.Add(settle - age)
		return
	}
	if f.broken != nil && seen.same(f.broken.stamp) && age >= coarse {
		f.fail(v, now, f.broken.err)
		return
	}
	if err := f.load(v, now); err != nil {
		f.fail(v, now, err)
	}
}

// load reads the file and puts it into the view.
func (f *File) load(v *view, now time.Time) error {
	found, err := read(f.path)
	if err != nil {
		return err
	}
	f.broken = nil
	if f.read == nil || found.digest != f.read.digest {
		t, err := parse(found.text, f.check)
		if err != nil {
			err = fmt.Errorf("%s: %w", f.path, err)
			f.broken = &broken{found.stamp, err}
			return err
		}
		if f.read != nil {
			f.logger.Info("htpasswd file loaded", zap.String("file", f.path), zap.Int("users", t.len()))
		}
		v.table = t
	}
	found.text = nil
	f.read = found
	age := found.stamp.age(now)
	f.fresh = age >= 0 && age < coarse
	f.recover(v)
	return nil
}

func (f *File) recover(v *view) {
	if v.err != nil {
		f.logger.Info("htpasswd file is in order again", zap.String("file", f.path))
	}
	v.err, f.trouble = nil, time.Time{}
}

// fail keeps the last good table for a while, and then nothing.
func (f *File) fail(v *view, now time.Time, err error) {
	if f.trouble.IsZero() {
		f.trouble = now
	}
	if v.err != nil {
		v.err = err
		return
	}
	if now.Sub(f.trouble) < patience {
		return
	}
	f.logger.Error("htpasswd file cannot be used; logins that need it are answered 503", zap.String("file", f.path), zap.Error(err))
	v.err = err
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"
	"slices"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/django"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// What can be done before the transaction, or beside it, is not waited for by
// those who wait for it.

// Bounds of what is read ahead. Records may be large.
const (
	aheadRecords = 16
	aheadBatches = 2
)

var errStopped = errors.New("stopped")

// ahead passes every record of all to use, and reads on while use works.
func ahead[T any](all func(func(T) error) error, use func(T) error) error {
	full := make(chan []T, aheadBatches)
	stop := make(chan struct{})
	var failure error // is set before full is closed
	go func() {
		defer close(full)
		var some []T
		send := func() error {
			select {
			case full <- some:
				some = nil
				return nil
			case <-stop:
				return errStopped
			}
		}
		failure = all(func(record T) error {
			if some = append(some, record); len(some) < aheadRecords {
				return nil
			}
			return send()
		})
		if failure == nil {
			failure = send()
		}
	}()
	defer func() { // also if use panics
		close(stop)
		for range full {
			continue
		}
	}()
	for some := range full {
		for _, record := range some {
			if err := use(record); err != nil {
				return err
			}
		}
	}
	return failure
}

// marksAtOnce is how many marks share a transaction.
const marksAtOnce = 500

// passwordMarks marks the passwords of new users before there are these users.
// Only an import that finds the user there asks for a mark, so that one is no harm
// if nothing comes of the import.
type passwordMarks struct {
	*importer
	marks []string
}

func (p *passwordMarks) add(ctx context.Context, in django.User) error {
	if v := p.judge(in.Password); v.reason == "" && v.marked && !p.DryRun {
		p.marks = append(p.marks, p.mark(markPassword, originID(in), v.hash))
	}
	if len(p.marks) < marksAtOnce {
		return nil
	}
	return p.flush(ctx)
}

func (p *passwordMarks) flush(ctx context.Context) error {
	slices.Sort(p.marks) // neighbours are cheaper to add
	remember := func(store tokenstore.Store) error {
		for _, mark := range p.marks {
			if _, err := store.Remember(ctx, mark, forever); err != nil {
				return err
			}
		}
		return nil
	}
	defer func() { p.marks = p.marks[:0] }()
	transactor, ok := p.store.(tokenstore.Transactor)
	if !ok || len(p.marks) == 0 {
		return remember(p.store)
	}
	if err := transactor.InTx(ctx, remember); !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return remember(p.store)
}

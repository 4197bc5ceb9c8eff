// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package livestore

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func lookup(ctx context.Context, s *Store) error {
	_, _, err := s.Lookup(ctx, make([]byte, 32), time.Now())
	return err
}

func TestAcquire_opensNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		s, _ := acquire(t, d)
		time.Sleep(time.Hour)
		if n := d.opened(); n != 0 {
			t.Errorf("Acquire opened the store %d times", n)
		}
		if opened, err := s.Status(); opened || err != nil {
			t.Errorf("Status() = %t, %v, want false, nil", opened, err)
		}
	})
}

func TestUse_opensOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		d.answers(func(context.Context) error { time.Sleep(time.Second); return nil })
		s, logs := acquire(t, d)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if err := lookup(t.Context(), s); err != nil {
					t.Errorf("Lookup during a slow open: %v", err)
				}
			})
		}
		wg.Wait()
		if n := d.opened(); n != 1 {
			t.Errorf("the store was opened %d times, want once", n)
		}
		if opened, err := s.Status(); !opened || err != nil {
			t.Errorf("Status() = %t, %v, want true, nil", opened, err)
		}
		if got := messages(logs); len(got) != 0 {
			t.Errorf("logged %q, want nothing", got)
		}
	})
}

func TestUse_waitsNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		d.answers(func(context.Context) error { time.Sleep(10 * time.Second); return nil })
		s, logs := acquire(t, d)
		began := time.Now()
		if err := lookup(t.Context(), s); !errors.Is(err, tokenstore.ErrUnavailable) {
			t.Errorf("Lookup = %v, want ErrUnavailable", err)
		}
		if took := time.Since(began); took != openWait {
			t.Errorf("Lookup waited %v, want %v", took, openWait)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := lookup(ctx, s)
		if !errors.Is(err, tokenstore.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Lookup = %v, want ErrUnavailable and the context's error", err)
		}
		if took := time.Since(began); took != openWait+time.Second {
			t.Errorf("Lookup outlived its context by %v", took-openWait-time.Second)
		}

		time.Sleep(10 * time.Second)
		if err := lookup(t.Context(), s); err != nil {
			t.Errorf("Lookup in the open store: %v", err)
		}
		want := []string{"warn opening the token store takes long; until then requests that need it are refused", "info token store is open"}
		if got := messages(logs); !slices.Equal(got, want) {
			t.Errorf("logged %q, want %q", got, want)
		}
	})
}

func TestUse_healsUnnoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		d.answers(func(context.Context) error { return errBroken })
		s, logs := acquire(t, d)
		began := time.Now()
		for range 100 {
			err := lookup(t.Context(), s)
			if !errors.Is(err, tokenstore.ErrUnavailable) || !errors.Is(err, errBroken) {
				t.Fatalf("Lookup = %v, want ErrUnavailable and the cause", err)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("100 requests waited %v for a store that had failed already", took)
		}
		if n := d.opened(); n != 1 {
			t.Errorf("100 requests at once opened the store %d times", n)
		}
		if opened, err := s.Status(); opened || !errors.Is(err, errBroken) {
			t.Errorf("Status() = %t, %v, want false, %v", opened, err, errBroken)
		}

		time.Sleep(time.Minute) // alone, it tries every openMax
		if n, most := d.opened(), int(time.Minute/openMax)+5; n < 20 || n > most {
			t.Errorf("the store was opened %d times in a minute, want 20 to %d", n, most)
		}
		d.answers(func(context.Context) error { return nil })
		_ = lookup(t.Context(), s)
		time.Sleep(2 * openMin) // asked for, it does not wait for its turn
		if err := lookup(t.Context(), s); err != nil {
			t.Errorf("Lookup in the healed store: %v", err)
		}
		want := []string{"error opening token store", "info token store is open"}
		if got := messages(logs); !slices.Equal(got, want) {
			t.Errorf("logged %q, want %q", got, want)
		}
	})
}

func TestOpen_logsDistinctErrorsAndFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		n := 0
		d.answers(func(context.Context) error {
			n++
			return errors.New(time.Duration(n / 3).String())
		})
		s, logs := acquire(t, d)
		s.Start()
		time.Sleep(5 * time.Second)
		if got := logs.Len(); got != 2 {
			t.Errorf("logged %d lines in five attempts, want one for each of 2 errors", got)
		}
		time.Sleep(time.Hour)
		if got := logs.Len(); got != maxComplaints {
			t.Errorf("logged %d lines of errors without end, want %d", got, maxComplaints)
		}
	})
}

func TestRelease_whileOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		d.answers(func(context.Context) error { time.Sleep(time.Second); return nil })
		s, _ := acquire(t, d)
		s.Start()
		waiting := make(chan error)
		go func() { waiting <- lookup(t.Context(), s) }()
		synctest.Wait()
		if err := s.Release(); err != nil {
			t.Errorf("Release: %v", err)
		}
		if err := <-waiting; !errors.Is(err, tokenstore.ErrUnavailable) {
			t.Errorf("Lookup = %v, want ErrUnavailable", err)
		}
		if d.store.closed != 1 {
			t.Errorf("a store that opened too late was closed %d times, want once", d.store.closed)
		}
	})
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package livestore

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func TestTouch_merged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		s, _ := acquire(t, d)
		now := time.Now()
		for _, in := range []touch{
			{used: now.Add(time.Second), expires: now.Add(time.Hour)},
			{used: now.Add(2 * time.Second)},
			{used: now, expires: now.Add(time.Minute)},
			{expires: now.Add(24 * time.Hour)}, // raises nothing
		} {
			if err := s.Touch(t.Context(), digest, in.used, in.expires); err != nil {
				t.Fatal(err)
			}
		}
		if n := d.store.count("touch"); n != 0 {
			t.Errorf("Touch reached the store %d times at once", n)
		}
		time.Sleep(touchInterval)
		synctest.Wait()
		want := touch{now.Add(2 * time.Second), now.Add(time.Hour)}
		if got := d.store.touched[string(digest)]; got != want || d.store.count("touch") != 1 {
			t.Errorf("%d touches wrote %v, want one of %v", d.store.count("touch"), got, want)
		}
		time.Sleep(10 * touchInterval)
		if n := d.store.count("touch"); n != 1 {
			t.Errorf("the touch was written %d times", n)
		}
	})
}

func TestTouch_batched(t *testing.T) {
	for name, wrapped := range map[string]bool{"with transactions": false, "without": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDriver()
				var driver tokenstore.Driver = d
				transactions := 3
				if wrapped {
					driver, transactions = plainDriver{d}, 0
				}
				s, _ := acquire(t, driver)
				if err := lookup(t.Context(), s); err != nil {
					t.Fatal(err)
				}
				for i := range 2*touchBatch + 2 {
					_ = s.Touch(t.Context(), fmt.Appendf(nil, "digest number %06d", i), time.Now(), time.Time{})
				}
				if err := s.Release(); err != nil {
					t.Fatal(err)
				}
				if got := len(d.store.touched); got != 2*touchBatch+2 || d.store.count("in_tx") != transactions {
					t.Errorf("Release wrote %d touches in %d transactions, want %d in %d", got, d.store.count("in_tx"), 2*touchBatch+2, transactions)
				}
			})
		})
	}
}

func pending(s *Store) int {
	s.shared.touches.mu.Lock()
	defer s.shared.touches.mu.Unlock()
	return len(s.shared.touches.pending)
}

func TestTouch_failing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		s, logs := acquire(t, d)
		d.store.answer("touch", fmt.Errorf("writing: %w", tokenstore.ErrUnavailable))
		for i := range maxTouches + 10 {
			if err := s.Touch(t.Context(), fmt.Appendf(nil, "digest number %06d", i), time.Now(), time.Time{}); err != nil {
				t.Fatalf("Touch = %v, want nil: nobody decides by it", err)
			}
		}
		if n := pending(s); n != maxTouches {
			t.Errorf("%d touches are pending, want %d", n, maxTouches)
		}
		time.Sleep(touchSilence)
		synctest.Wait()
		if n := pending(s); n != maxTouches {
			t.Errorf("%d touches are pending while the store is away, want %d", n, maxTouches)
		}
		if logs.Len() != 1 {
			t.Errorf("logged %d lines in %v, want one", logs.Len(), touchSilence)
		}
		d.store.answer("touch", nil)
		time.Sleep(touchInterval)
		synctest.Wait()
		if n := len(d.store.touched); n != maxTouches {
			t.Errorf("%d touches were written when the store was back, want %d", n, maxTouches)
		}
	})
}

func TestTouch_digestOutOfBounds(t *testing.T) {
	s, _ := acquire(t, newDriver())
	for _, n := range []int{0, tokenstore.MinDigest - 1, tokenstore.MaxDigest + 1} {
		if err := s.Touch(t.Context(), make([]byte, n), time.Now(), time.Time{}); !errors.Is(err, tokenstore.ErrTooLarge) {
			t.Errorf("Touch of a digest of %d bytes = %v, want ErrTooLarge", n, err)
		}
	}
}

// A round is bounded, and what it leaves is not left for long.
func TestSweep_much(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		s, _ := acquire(t, d)
		const rounds = 10
		d.store.swept = rounds * int(sweepTimeout/sweepPause) * sweepBatch
		s.Start()
		time.Sleep(2*sweepInterval + rounds*(sweepTimeout+sweepPause))
		synctest.Wait()
		if d.store.swept != 0 {
			t.Errorf("%d records are left of what had ended", d.store.swept)
		}
	})
}

func TestSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		s, logs := acquire(t, d)
		d.store.swept = 3*sweepBatch + 1
		s.Start()
		time.Sleep(2 * sweepInterval)
		synctest.Wait()
		if d.store.swept != 0 {
			t.Errorf("%d records are left of what had ended", d.store.swept)
		}
		if got := messages(logs); len(got) != 1 || got[0] != "debug swept token store" {
			t.Errorf("logged %q, want one line at debug", got)
		}
		before := d.store.count("sweep")
		time.Sleep(time.Hour)
		if n := d.store.count("sweep") - before; n < 40 || n > 120 {
			t.Errorf("swept %d times in an hour, want about 60", n)
		}
		if logs.Len() != 1 {
			t.Errorf("logged %q though nothing happened", messages(logs)[1:])
		}
		d.store.answer("sweep", errBroken)
		time.Sleep(time.Hour)
		if n := logs.Len() - 1; n < 5 || n > 7 {
			t.Errorf("logged %d errors in an hour, want one every %v", n, sweepSilence)
		}
	})
}

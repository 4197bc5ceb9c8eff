// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package outbound_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

var (
	errDown = errors.New("the provider is down")
	policy  = outbound.Policy{Interval: 15 * time.Minute, MinInterval: 30 * time.Second, StaleBound: 24 * time.Hour, MaxBackoff: 30 * time.Second}
)

// source is a provider whose answers are numbered.
type source struct {
	fetches atomic.Int64
	down    atomic.Bool
	takes   atomic.Int64 // nanoseconds
	life    time.Duration
}

func (s *source) fetch(ctx context.Context) (*int64, time.Duration, error) {
	n := s.fetches.Add(1)
	if takes := time.Duration(s.takes.Load()); takes > 0 {
		select {
		case <-time.After(takes):
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
	if s.down.Load() {
		return nil, 0, errDown
	}
	return &n, s.life, nil
}

// keep runs test with a document of the source, where time is the test's.
func keep(t *testing.T, s *source, test func(t *testing.T, d *outbound.Document[int64])) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := outbound.Keep(policy, s.fetch, nil)
		defer d.Close()
		test(t, d)
	})
}

func value(t *testing.T, d *outbound.Document[int64]) int64 {
	t.Helper()
	n, err := d.Value(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return *n
}

func unavailable(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, outbound.ErrUnavailable) || outbound.RetryAfter(err) < time.Second {
		t.Errorf("%v, retry after %v", err, outbound.RetryAfter(err))
	}
}

func TestNothingIsFetchedBeforeItIsWanted(t *testing.T) {
	s := new(source)
	keep(t, s, func(t *testing.T, d *outbound.Document[int64]) {
		time.Sleep(time.Hour)
		if s.fetches.Load() != 0 {
			t.Error("fetched without being started")
		}
		d.Start()
		d.Start()
		synctest.Wait()
		if s.fetches.Load() != 1 || value(t, d) != 1 {
			t.Error(s.fetches.Load())
		}
	})
}

func TestRefresh(t *testing.T) {
	for _, row := range []struct {
		life     time.Duration
		min, max int64 // fetches in a day
	}{
		{0, 96, 121},                 // 12 to 15 minutes
		{30 * time.Minute, 48, 61},   // 24 to 30
		{7 * 24 * time.Hour, 24, 31}, // an hour at most
		{time.Second, 1440, 1801},    // a minute at least
	} {
		s := &source{life: row.life}
		keep(t, s, func(t *testing.T, d *outbound.Document[int64]) {
			d.Start()
			time.Sleep(24 * time.Hour)
			synctest.Wait()
			if n := s.fetches.Load(); n < row.min || n > row.max {
				t.Errorf("life %v: %d fetches", row.life, n)
			}
		})
	}
}

// Nobody waits for a refresh, however long it takes.
func TestStaleWhileRevalidate(t *testing.T) {
	s := new(source)
	keep(t, s, func(t *testing.T, d *outbound.Document[int64]) {
		value(t, d)
		s.takes.Store(int64(time.Hour))
		time.Sleep(16 * time.Minute)
		synctest.Wait()
		began := time.Now()
		if value(t, d) != 1 || s.fetches.Load() != 2 || time.Since(began) != 0 {
			t.Error(s.fetches.Load(), time.Since(began))
		}
		time.Sleep(time.Hour)
		if value(t, d) != 2 {
			t.Error("the new answer is not used")
		}
	})
}

func TestLastGoodBound(t *testing.T) {
	s := new(source)
	keep(t, s, func(t *testing.T, d *outbound.Document[int64]) {
		value(t, d)
		s.down.Store(true)
		time.Sleep(24*time.Hour - time.Second)
		if value(t, d) != 1 {
			t.Error("the last good answer is gone")
		}
		time.Sleep(time.Minute)
		_, err := d.Value(t.Context())
		unavailable(t, err)
		if !errors.Is(err, errDown) {
			t.Error(err)
		}
		if state := d.State(); state.Value != nil || state.Failures == 0 {
			t.Error(state)
		}
		// It heals without being asked.
		before := s.fetches.Load()
		s.down.Store(false)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if s.fetches.Load() != before+1 || d.State().Value == nil || d.State().Failures != 0 {
			t.Error(s.fetches.Load()-before, d.State())
		}
	})
}

// A provider that is down at the start is asked ever less often, and nobody
// waits for it after the first time.
func TestBackoff(t *testing.T) {
	s := new(source)
	s.takes.Store(int64(time.Second))
	s.down.Store(true)
	keep(t, s, func(t *testing.T, d *outbound.Document[int64]) {
		began := time.Now()
		_, err := d.Value(t.Context())
		unavailable(t, err)
		if took := time.Since(began); took != time.Second {
			t.Error("waited", took)
		}
		for range 1000 {
			_, err := d.Value(t.Context())
			unavailable(t, err)
		}
		if time.Since(began) != time.Second || s.fetches.Load() != 1 {
			t.Error(time.Since(began), s.fetches.Load())
		}
		time.Sleep(time.Hour)
		if n := s.fetches.Load(); n < 110 || n > 160 {
			t.Errorf("%d fetches in an hour", n)
		}
		s.down.Store(false)
		time.Sleep(32 * time.Second)
		value(t, d)
	})
}

// Who comes while nothing is known waits, and not for long.
func TestPatience(t *testing.T) {
	s := new(source)
	s.takes.Store(int64(time.Minute))
	keep(t, s, func(t *testing.T, d *outbound.Document[int64]) {
		began := time.Now()
		_, err := d.Value(t.Context())
		unavailable(t, err)
		if took := time.Since(began); took != 2*time.Second {
			t.Error("waited", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err = d.Value(ctx); !errors.Is(err, outbound.ErrUnavailable) || time.Since(began) != 3*time.Second {
			t.Error(err, time.Since(began))
		}
		time.Sleep(time.Minute)
		value(t, d)
	})
}

// Ten thousand at once who miss something share one fetch, and so do those who
// come within the least interval.
func TestDemand(t *testing.T) {
	s := new(source)
	keep(t, s, func(t *testing.T, d *outbound.Document[int64]) {
		d.Start()
		time.Sleep(time.Minute)
		s.takes.Store(int64(time.Second))
		var missed sync.WaitGroup
		var refused atomic.Int64
		for range 10000 {
			missed.Go(func() {
				n, err := d.Demand(t.Context(), time.Now())
				switch {
				case errors.Is(err, outbound.ErrUnavailable):
					refused.Add(1) // so many may not wait
				case err != nil || *n != 2:
					t.Error(n, err)
				}
			})
		}
		synctest.Wait()
		if value(t, d) != 1 {
			t.Error("who misses nothing waits")
		}
		missed.Wait()
		if s.fetches.Load() != 2 || refused.Load() != 10000-1024 {
			t.Error(s.fetches.Load(), refused.Load())
		}
		for range 10 {
			if n, err := d.Demand(t.Context(), time.Now()); err != nil || *n != 2 {
				t.Error(n, err)
			}
			time.Sleep(2 * time.Second)
		}
		time.Sleep(10 * time.Second)
		if n, err := d.Demand(t.Context(), time.Now()); err != nil || *n != 3 {
			t.Error(n, err)
		}
	})
}

// The first fetch of all is not repeated for those who waited for it.
func TestDemandAfterTheFirstFetch(t *testing.T) {
	s := new(source)
	s.takes.Store(int64(time.Second))
	keep(t, s, func(t *testing.T, d *outbound.Document[int64]) {
		for range 100 {
			since := time.Now()
			value(t, d)
			if n, err := d.Demand(t.Context(), since); err != nil || *n != 1 {
				t.Error(n, err)
			}
		}
		if s.fetches.Load() != 1 {
			t.Error(s.fetches.Load())
		}
	})
}

// Whether what is missed exists cannot be said while the provider is down.
func TestDemandWhileDown(t *testing.T) {
	s := new(source)
	keep(t, s, func(t *testing.T, d *outbound.Document[int64]) {
		value(t, d)
		time.Sleep(time.Minute)
		s.down.Store(true)
		for range 100 {
			_, err := d.Demand(t.Context(), time.Now())
			unavailable(t, err)
			if value(t, d) != 1 {
				t.Error("the last good answer is gone")
			}
		}
		if s.fetches.Load() != 2 {
			t.Error(s.fetches.Load())
		}
		s.down.Store(false)
		time.Sleep(2 * time.Second)
		if n, err := d.Demand(t.Context(), time.Now()); err != nil || *n != 3 {
			t.Error(n, err)
		}
	})
}

func TestRenew(t *testing.T) {
	s := new(source)
	keep(t, s, func(t *testing.T, d *outbound.Document[int64]) {
		for want := int64(2); want < 5; want++ {
			value(t, d)
			if n, err := d.Renew(t.Context()); err != nil || *n != want {
				t.Error(n, err)
			}
		}
		s.down.Store(true)
		if _, err := d.Renew(t.Context()); !errors.Is(err, errDown) {
			t.Error(err)
		}
		s.takes.Store(int64(time.Hour))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := d.Renew(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// synctest fails if a goroutine is left.
func TestClose(t *testing.T) {
	for name, before := range map[string]func(*outbound.Document[int64]){
		"never started": func(*outbound.Document[int64]) {},
		"fetching":      func(d *outbound.Document[int64]) { d.Start(); synctest.Wait() },
		"waiting":       func(d *outbound.Document[int64]) { d.Start(); time.Sleep(2 * time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := new(source)
				s.takes.Store(int64(time.Minute))
				d := outbound.Keep(policy, s.fetch, nil)
				before(d)
				n := s.fetches.Load()
				d.Close()
				d.Close()
				d.Start()
				time.Sleep(time.Hour)
				if s.fetches.Load() != n {
					t.Error("fetched after Close")
				}
				if _, err := d.Value(t.Context()); name != "waiting" && !errors.Is(err, outbound.ErrUnavailable) {
					t.Error(err)
				}
				if _, err := d.Demand(t.Context(), time.Now()); name != "waiting" && !errors.Is(err, outbound.ErrUnavailable) {
					t.Error(err)
				}
			})
		})
	}
}

func TestSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(source)
		var d *outbound.Document[int64]
		var told []int
		d = outbound.Keep(policy, s.fetch, func(old, now outbound.State[int64]) {
			if now.Value != nil && *d.State().Value != *now.Value {
				t.Error("told before the answer is in use")
			}
			told = append(told, now.Failures-old.Failures)
		})
		d.Start()
		time.Sleep(time.Second)
		s.down.Store(true)
		time.Sleep(15 * time.Minute)
		d.Close()
		if len(told) < 2 || told[0] != 0 || told[1] != 1 {
			t.Error(told)
		}
	})
}

func BenchmarkValue(b *testing.B) {
	s := new(source)
	d := outbound.Keep(policy, s.fetch, nil)
	defer d.Close()
	for b.Loop() {
		if _, err := d.Value(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

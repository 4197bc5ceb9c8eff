// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package htpasswd

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

// TestFile_quiet has changes that nobody asked for until long afterwards: what
// was known before them is not served, not even once.
func TestFile_quiet(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*fixture)
		want   string
	}{
		"missing":             {func(fx *fixture) { _ = os.Remove(fx.path) }, "error"},
		"broken":              {func(fx *fixture) { fx.write("alice\n") }, "error"},
		"removed":             {func(fx *fixture) { fx.write("bob:" + apr1Hash + "\n") }, "absent"},
		"removed, and broken": {func(fx *fixture) { fx.write("bob:" + apr1Hash + "\nalice\n") }, "error"},
	} {
		t.Run(name, func(t *testing.T) {
			fx := newFixture(t, first)
			test.change(fx)
			fx.advance(time.Hour)
			got, ok, err := fx.Find("alice")
			if ok || (err != nil) != (test.want == "error") {
				t.Errorf("the first to ask got %q, %v, %v", got, ok, err)
			}
			fx.expect(test.want)
		})
	}
}

// TestFile_quietAndMoving has a request that comes after a long time, while the
// file is written: it waits for the end of that.
func TestFile_quietAndMoving(t *testing.T) {
	fx := newFixture(t, first)
	fx.write(second)
	fx.advance(time.Hour)
	fx.now = func() time.Time { return time.Now().Add(time.Hour) }
	if err := os.Chtimes(fx.path, fx.now(), fx.now()); err != nil {
		t.Fatal(err)
	}
	fx.expect(bcryptHash)
	if fx.errors() > 0 {
		t.Errorf("logged %v", fx.logs.All())
	}
}

// TestFile_large has a file that takes a second and a half to read. No request
// pays for it while the one before it stands.
func TestFile_large(t *testing.T) {
	path := filepath.Join(t.TempDir(), "htpasswd")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(first)
	synctest.Test(t, func(t *testing.T) {
		var effort atomic.Int64
		file, err := Open(path, func(hash string) error {
			time.Sleep(time.Duration(effort.Load()))
			return strict(hash)
		}, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		const long = 1500 * time.Millisecond
		effort.Store(int64(long))
		write(second)
		start := time.Now()
		for _, step := range []struct {
			at, until time.Duration
			want      string
		}{
			{interval, interval + glance, apr1Hash},
			{900 * time.Millisecond, 900 * time.Millisecond, apr1Hash},
			{patience, interval + long, bcryptHash},
		} {
			time.Sleep(step.at - time.Since(start))
			if hash, _, err := file.Find("alice"); hash != step.want || err != nil || time.Since(start) != step.until {
				t.Errorf("at %v: %q, %v at %v, want %q at %v", step.at, hash, err, time.Since(start), step.want, step.until)
			}
		}
		// It changes while it is read: what was read is not what it says.
		time.Sleep(interval)
		write("alice:" + apr1Hash + "\n")
		file.Find("alice")
		time.Sleep(long / 2)
		effort.Store(0)
		write("bob:" + apr1Hash + "\n")
		time.Sleep(patience - long/2)
		if hash, ok, err := file.Find("alice"); ok || err != nil {
			t.Errorf("Find = %q, %v, %v, want nobody", hash, ok, err)
		}
	})
}

// TestFile_silent has a file system that hangs while another request looks.
func TestFile_silent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "htpasswd")
	if err := os.WriteFile(path, []byte(first), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		file, err := Open(path, strict, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		file.turn <- struct{}{} // the other request's
		time.Sleep(patience / 2)
		if hash, _, err := file.Find("alice"); hash != apr1Hash || err != nil {
			t.Errorf("Find = %q, %v, want what was known a moment ago", hash, err)
		}
		time.Sleep(patience)
		start := time.Now()
		if _, _, err := file.Find("alice"); err == nil || time.Since(start) != endurance {
			t.Errorf("Find = %v after %v", err, time.Since(start))
		}
		// Requests that need nothing else of the file do not wait for it.
		start = time.Now()
		if !file.Owns("alice") || time.Since(start) != glance {
			t.Errorf("whose names are taken is lost, or known after %v", time.Since(start))
		}
		<-file.turn
		if hash, _, err := file.Find("alice"); hash != apr1Hash || err != nil {
			t.Errorf("Find = %q, %v", hash, err)
		}
	})
}

// TestFile_concurrent rewrites the file in place while it is used: alice is in
// every version, and is never missed.
func TestFile_concurrent(t *testing.T) {
	fx := newFixture(t, first)
	fx.now = time.Now
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if hash, ok, err := fx.Find("alice"); err != nil || !ok || hash != apr1Hash && hash != bcryptHash {
					t.Errorf("Find = %q, %v, %v", hash, ok, err)
					return
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	for i := range 6 {
		for range 5 {
			fx.write([]string{first, second}[i%2])
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(2 * settle)
	}
	time.Sleep(interval + settle)
	fx.expect(bcryptHash)
	close(stop)
	wg.Wait()
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package htpasswd

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// fixture is a file with a clock that stands still but when it is advanced, and
// when the file is written: how old that is comes from the file system.
type fixture struct {
	*File
	t     *testing.T
	path  string
	base  time.Time
	ahead time.Duration
	logs  *observer.ObservedLogs
}

func newFixture(t *testing.T, text string) *fixture {
	t.Helper()
	fx := &fixture{t: t, path: filepath.Join(t.TempDir(), "htpasswd")}
	if text != "" {
		fx.write(text)
	}
	fx.open()
	return fx
}

func (fx *fixture) open() {
	fx.t.Helper()
	core, logs := observer.New(zap.InfoLevel)
	file, err := Open(fx.path, strict, zap.New(core))
	if err != nil {
		fx.t.Fatal(err)
	}
	fx.base = time.Now()
	file.now = func() time.Time { return fx.base.Add(fx.ahead) }
	fx.File, fx.logs = file, logs
}

func (fx *fixture) write(text string) {
	fx.t.Helper()
	if err := os.WriteFile(fx.path, []byte(text), 0o600); err != nil {
		fx.t.Fatal(err)
	}
	fx.base = time.Now()
}

// replace does as editors do.
func (fx *fixture) replace(text string) {
	fx.t.Helper()
	if err := os.WriteFile(fx.path+"~", []byte(text), 0o600); err != nil {
		fx.t.Fatal(err)
	}
	if err := os.Rename(fx.path+"~", fx.path); err != nil {
		fx.t.Fatal(err)
	}
	fx.base = time.Now()
}

// expect asks for alice: a hash, "absent" or "error". However busy the machine is,
// a look that is due is over.
func (fx *fixture) expect(want string) {
	fx.t.Helper()
	fx.look(endurance)
	fx.turn <- struct{}{}
	<-fx.turn
	got, ok, err := fx.Find("alice")
	switch {
	case err != nil:
		got = "error"
	case !ok:
		got = "absent"
	}
	if got != want {
		fx.t.Errorf("%v ahead: %q (%v), want %q", fx.ahead, got, err, want)
	}
}

func (fx *fixture) advance(d time.Duration) { fx.ahead += d }

// errors returns how many ERROR lines there are.
func (fx *fixture) errors() int { return fx.logs.FilterLevelExact(zap.ErrorLevel).Len() }

const (
	first  = "alice:" + apr1Hash + "\nbob:" + apr1Hash + "\n"
	second = "alice:" + bcryptHash + "\n"
)

func TestFile_changed(t *testing.T) {
	for name, write := range map[string]func(*fixture, string){"in place": (*fixture).write, "replaced": (*fixture).replace} {
		t.Run(name, func(t *testing.T) {
			fx := newFixture(t, first)
			fx.expect(apr1Hash)
			write(fx, second)
			fx.advance(interval + settle)
			fx.expect(bcryptHash)
			write(fx, "bob:"+apr1Hash+"\n")
			fx.advance(interval + settle)
			fx.expect("absent")
			write(fx, "")
			fx.advance(interval + settle)
			fx.expect("absent")
			if fx.errors() > 0 || fx.logs.FilterMessage("htpasswd file loaded").Len() != 3 {
				t.Errorf("logged %v", fx.logs.All())
			}
		})
	}
}

// TestFile_sameStamp has a change that size and time of the file do not show.
func TestFile_sameStamp(t *testing.T) {
	fx := newFixture(t, "alice:"+apr1Hash+"\n")
	info, err := os.Stat(fx.path)
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(apr1Hash, "0ofp", "1ofp", 1)
	fx.write("alice:" + other + "\n")
	if err := os.Chtimes(fx.path, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	fx.advance(interval + settle)
	fx.expect(other)
}

// TestFile_coarse has a file system whose clock is too coarse to show a change:
// what was read when it was young is read again.
func TestFile_coarse(t *testing.T) {
	fx := newFixture(t, "alice:"+apr1Hash+"\n")
	other := strings.Replace(apr1Hash, "0ofp", "1ofp", 1)
	fx.write("alice:" + other + "\n")
	seen, err := look(fx.path)
	if err != nil {
		t.Fatal(err)
	}
	fx.read.stamp = seen // as if it had been there before
	fx.advance(interval + settle)
	fx.expect(other)
	fx.advance(coarse)
	fx.expect(other)
	fx.advance(interval)
	if fx.expect(other); fx.fresh {
		t.Error("an old file is read again and again")
	}
}

func TestFile_halfWritten(t *testing.T) {
	fx := newFixture(t, first)
	// Cut at the end of a line: without a fault, and without alice.
	fx.write("bob:" + apr1Hash + "\n")
	fx.advance(interval)
	fx.young()
	fx.expect(apr1Hash)
	// Cut within a line.
	fx.write("bob:" + apr1Hash + "\nalice:" + bcryptHash[:30])
	fx.advance(interval + settle)
	fx.expect(apr1Hash)
	fx.write("bob:" + apr1Hash + "\nalice:" + bcryptHash)
	fx.advance(interval + settle)
	fx.expect(bcryptHash)
	if fx.errors() > 0 {
		t.Errorf("logged %v", fx.logs.All())
	}
}

// young makes the file look as if it had just been written.
func (fx *fixture) young() {
	fx.t.Helper()
	just := fx.now().Add(-settle / 2)
	if err := os.Chtimes(fx.path, just, just); err != nil {
		fx.t.Fatal(err)
	}
}

func TestFile_broken(t *testing.T) {
	fx := newFixture(t, first)
	fx.write("alice\n")
	fx.advance(interval + settle)
	fx.expect(apr1Hash)
	fx.advance(patience - interval - settle - 50*time.Millisecond)
	fx.expect(apr1Hash)
	fx.advance(50 * time.Millisecond)
	fx.expect("error")
	if !fx.Owns("bob") || fx.Owns("carol") {
		t.Error("a broken file has lost whose names are taken")
	}
	fx.advance(time.Hour)
	fx.expect("error")
	fx.expect("error")
	lines := fx.logs.FilterLevelExact(zap.ErrorLevel).All()
	if len(lines) != 1 || !strings.Contains(lines[0].ContextMap()["error"].(string), "line 1: no name") {
		t.Errorf("logged %v", lines)
	}
	fx.ahead = 0
	fx.write(second)
	fx.current.Load().next = time.Time{}
	fx.advance(interval + settle)
	fx.expect(bcryptHash)
	if fx.logs.FilterMessage("htpasswd file is in order again").Len() != 1 {
		t.Errorf("logged %v", fx.logs.All())
	}
}

func TestFile_missing(t *testing.T) {
	fx := newFixture(t, "")
	fx.expect("error")
	if fx.errors() != 1 || fx.Owns("alice") {
		t.Errorf("logged %v", fx.logs.All())
	}
	fx.write(first)
	fx.advance(interval + settle)
	fx.expect(apr1Hash)
	if err := os.Remove(fx.path); err != nil {
		t.Fatal(err)
	}
	fx.advance(interval)
	fx.expect(apr1Hash)
	fx.advance(patience - interval)
	fx.expect("error")
	fx.replace(first)
	fx.advance(interval + settle)
	fx.expect(apr1Hash)
	if fx.errors() != 2 {
		t.Errorf("logged %v", fx.logs.All())
	}
}

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

func TestOpen_errors(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, maxSize+1); err != nil {
		t.Fatal(err)
	}
	des := filepath.Join(dir, "des")
	if err := os.WriteFile(des, []byte("# old\nalice:"+desHash+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		dir:                         "not a regular file",
		os.DevNull:                  "not a regular file",
		large:                       "larger than 268435456 bytes",
		des:                         "line 2: password hash is not understood: its format is unknown",
		filepath.Join(des, "below"): "", // not there
	} {
		_, err := Open(path, strict, zap.NewNop())
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasSuffix(err.Error(), want) || !strings.HasPrefix(err.Error(), path)) {
			t.Errorf("Open(%s) = %v, want %q", path, err, want)
		}
		if err != nil && strings.Contains(err.Error(), desHash) {
			t.Errorf("the error quotes a hash: %v", err)
		}
	}
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

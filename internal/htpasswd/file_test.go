// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package htpasswd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
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

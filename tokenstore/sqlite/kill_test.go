// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// workers write at the same time, so that their writes share transactions.
const workers = 4

// toil is a process that writes until it is killed, and says so before and after
// each write: "create 5" when it begins, "created 5" when it was acknowledged.
func toil(s *Store, number int) error {
	ctx, failed := context.Background(), make(chan error, workers)
	for w := range workers {
		go func() {
			for i := number*1_000_000 + w*10_000; ; i++ {
				if err := toilOnce(ctx, s, i); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	return <-failed
}

// output keeps the lines of the workers apart.
var output sync.Mutex

func say(what string, i int) {
	output.Lock()
	defer output.Unlock()
	fmt.Fprintln(os.Stdout, what, i)
}

func toilOnce(ctx context.Context, s *Store, i int) error {
	if err := s.Create(ctx, record(i), 0, false); err != nil {
		return err
	}
	say("created", i)
	if _, err := s.PutUser(ctx, tokenstore.User{Name: fmt.Sprint("user", i), Active: true}); err != nil {
		return err
	}
	say("put", i)
	if i%2 == 0 {
		return nil
	}
	say("delete", i)
	if n, err := s.Delete(ctx, tokenstore.Filter{}, digest(i)); n != 1 || err != nil {
		return fmt.Errorf("Delete = %d: %w", n, err)
	}
	say("deleted", i)
	return nil
}

// acknowledged is what processes said that they had done.
type acknowledged struct{ records, users map[int]string }

// TestAcknowledgedWritesSurviveKill kills a process that writes, again and again,
// and looks for everything that it was told.
func TestAcknowledgedWritesSurviveKill(t *testing.T) {
	kills, checkEvery := 500, 100
	if testing.Short() || raceEnabled {
		kills, checkEvery = 25, 5
	}
	d := newDriver(t)
	told := acknowledged{records: make(map[int]string), users: make(map[int]string)}
	for i := range kills {
		told.kill(t, d, i)
		if (i+1)%checkEvery == 0 {
			told.check(t, d)
		}
	}
	if len(told.records) < kills || len(told.users) < kills/2 {
		t.Errorf("only %d records and %d users were acknowledged", len(told.records), len(told.users))
	}
}

// kill starts a process, kills it at some moment, and notes what it said.
func (a acknowledged) kill(t *testing.T, d *Driver, number int) {
	t.Helper()
	cmd := child(t.Context(), d, "toil", number)
	out, err := scan(cmd)
	if err != nil {
		t.Fatal(err)
	}
	for first := true; out.Scan(); first = false {
		if first {
			time.AfterFunc(rand.N(15*time.Millisecond), func() { _ = cmd.Process.Kill() })
		}
		var what string
		var i int
		if _, err := fmt.Sscan(out.Text(), &what, &i); err != nil {
			continue // the line was cut short
		}
		if what == "put" {
			a.users[i] = what
		} else {
			a.records[i] = what
		}
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("process %d = %v, want it killed", number, err)
	}
}

func (a acknowledged) check(t *testing.T, d *Driver) {
	t.Helper()
	s := openStore(t, d)
	defer s.Close()
	for i, what := range a.records {
		_, _, err := s.Lookup(t.Context(), digest(i), t0)
		switch {
		case what == "created" && err != nil:
			t.Errorf("record %d was acknowledged, and Lookup = %v", i, err)
		case what == "deleted" && !errors.Is(err, tokenstore.ErrNotFound):
			t.Errorf("record %d was revoked, and Lookup = %v", i, err)
		}
	}
	for i := range a.users {
		if _, err := s.UserByName(t.Context(), fmt.Sprint("user", i)); err != nil {
			t.Errorf("user %d was acknowledged, and UserByName = %v", i, err)
		}
	}
	if problems, err := s.Verify(t.Context()); len(problems) > 0 || err != nil {
		t.Errorf("Verify = %q, %v, want no problems", problems, err)
	}
}

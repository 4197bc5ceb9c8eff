// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/goleak"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Environment of a test that runs itself again as another process.
const (
	childTask    = "SQLITE_TEST_TASK"
	childPath    = "SQLITE_TEST_PATH"
	childStorage = "SQLITE_TEST_STORAGE"
	childNumber  = "SQLITE_TEST_NUMBER"
)

func TestMain(m *testing.M) {
	name := os.Getenv(childTask)
	if name == "" {
		goleak.VerifyTestMain(m)
		return
	}
	number, err := strconv.Atoi(os.Getenv(childNumber))
	if err == nil {
		err = map[string]task{"create": createOne, "toil": toil}[name].run(number)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

type task func(s *Store, number int) error

// child prepares another process that works on the driver's store.
func child(ctx context.Context, d *Driver, name string, number int) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childTask+"="+name, childPath+"="+d.Path,
		childStorage+"="+d.storage.(*certmagic.FileStorage).Path, childNumber+"="+strconv.Itoa(number))
	cmd.Stderr = os.Stderr
	return cmd
}

func (f task) run(number int) error {
	store, err := driverAt(os.Getenv(childPath), os.Getenv(childStorage)).Open(context.Background())
	if err != nil {
		return err
	}
	return errors.Join(f(store.(*Store), number), store.Close())
}

// createOne is a process that makes one record and one user.
func createOne(s *Store, number int) error {
	ctx := context.Background()
	if err := s.Create(ctx, record(number), 0, false); err != nil {
		return err
	}
	_, err := s.PutUser(ctx, tokenstore.User{Key: fmt.Sprint("store:", number), Name: fmt.Sprint("user", number), Active: true})
	return err
}

func TestProcessesThatStartAtOnce(t *testing.T) {
	d := newDriver(t)
	const processes = 4
	var running []*exec.Cmd
	for i := range processes {
		cmd := child(t.Context(), d, "create", i)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		running = append(running, cmd)
	}
	for i, cmd := range running {
		if err := cmd.Wait(); err != nil {
			t.Errorf("process %d: %v", i, err)
		}
	}
	s := openStore(t, d)
	for i := range processes {
		if _, _, err := s.Lookup(t.Context(), digest(i), t0); err != nil {
			t.Errorf("Lookup of process %d's record = %v", i, err)
		}
	}
}

func TestChangesOfAnotherProcessAreSeen(t *testing.T) {
	d := newDriver(t)
	s := openStore(t, d)
	ctx, cancel := context.WithCancel(t.Context())
	seen, ended := make(chan tokenstore.Change, 100), make(chan error, 1)
	go func() { ended <- s.Watch(ctx, func(c tokenstore.Change) { seen <- c }) }()
	if first := <-seen; !first.All {
		t.Fatalf("first change %+v, want all", first)
	}
	cmd := child(t.Context(), d, "create", 7)
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	select {
	case c := <-seen:
		if c != (tokenstore.Change{UserKey: "store:7"}) {
			t.Errorf("change %+v, want that of the user", c)
		}
	case <-time.After(time.Second):
		t.Error("no change within a second")
	}
	if _, _, err := s.Lookup(t.Context(), digest(7), t0); err != nil {
		t.Errorf("Lookup = %v, want the other process's record", err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch = %v, want context.Canceled", err)
	}
}

// scan reads the lines that a child prints.
func scan(cmd *exec.Cmd) (*bufio.Scanner, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return bufio.NewScanner(out), cmd.Start()
}

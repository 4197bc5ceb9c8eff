// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package serverkey

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyserver/certmagic"
)

func TestKey(t *testing.T) {
	dir := t.TempDir()
	keys := New(&certmagic.FileStorage{Path: dir})
	a, err := keys.Key(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if a == [Size]byte{} {
		t.Fatal("the key is all zeros")
	}
	if again, err := keys.Key(t.Context(), "a"); again != a || err != nil {
		t.Errorf("the second call returned another key, %v", err)
	}
	if b, err := keys.Key(t.Context(), "b"); b == a || err != nil {
		t.Errorf("two names share a key, %v", err)
	}
	other := New(&certmagic.FileStorage{Path: dir})
	if elsewhere, err := other.Key(t.Context(), "a"); elsewhere != a || err != nil {
		t.Errorf("another process has another key, %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, "rest_auth", "keys", "a"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v; want mode 0600", info.Mode(), err)
	}
}

// Nodes that start together agree on one key.
func TestKeyRace(t *testing.T) {
	dir := t.TempDir()
	var group sync.WaitGroup
	found := make([][Size]byte, 3) // each waits a second for the lock
	for i := range found {
		group.Go(func() {
			var err error
			if found[i], err = New(&certmagic.FileStorage{Path: dir}).Key(t.Context(), "k"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, key := range found {
		if key != found[0] {
			t.Fatal("two nodes have different keys")
		}
	}
}

// A damaged key is never replaced: everything derived from it would change.
func TestKeyDamaged(t *testing.T) {
	storage := &certmagic.FileStorage{Path: t.TempDir()}
	if err := storage.Store(t.Context(), directory+"k", []byte("short")); err != nil {
		t.Fatal(err)
	}
	if _, err := New(storage).Key(t.Context(), "k"); err == nil {
		t.Fatal("a damaged key was accepted")
	}
	if stored, _ := storage.Load(t.Context(), directory+"k"); string(stored) != "short" {
		t.Error("the damaged key was replaced")
	}
}

type downStorage struct{ certmagic.Storage }

var errDown = errors.New("down")

func (downStorage) Load(context.Context, string) ([]byte, error) { return nil, errDown }

type hungStorage struct{ certmagic.Storage }

func (hungStorage) Load(ctx context.Context, _ string) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// Whoever gives up does so at once, although another one waits for the storage.
func TestKeyHung(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := New(hungStorage{})
		began := time.Now()
		for range 10 {
			go func() {
				if _, err := keys.Key(t.Context(), "k"); err == nil {
					t.Error("a storage that hangs has a key")
				}
				if waited := time.Since(began); waited > patience {
					t.Errorf("waited for %s", waited)
				}
			}()
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := keys.Key(ctx, "k"); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		time.Sleep(patience)
		synctest.Wait()
	})
}

// A storage that does not answer is asked again.
func TestKeyDown(t *testing.T) {
	keys := New(downStorage{})
	if _, err := keys.Key(t.Context(), "k"); !errors.Is(err, errDown) {
		t.Fatalf("Key = %v, want %v", err, errDown)
	}
	keys.storage = &certmagic.FileStorage{Path: t.TempDir()}
	if _, err := keys.Key(t.Context(), "k"); err != nil {
		t.Errorf("after the storage came back: %v", err)
	}
}

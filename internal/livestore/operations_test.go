// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package livestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

var digest = []byte("0123456789abcdef")

// operations calls every method that reaches the driver's store, by its name.
var operations = map[string]func(ctx context.Context, s *Store) error{
	"lookup":  func(ctx context.Context, s *Store) error { _, _, err := s.Lookup(ctx, digest, time.Now()); return err },
	"create":  func(ctx context.Context, s *Store) error { return s.Create(ctx, tokenstore.Credential{}, 0, false) },
	"consume": func(ctx context.Context, s *Store) error { _, err := s.Consume(ctx, digest, time.Now()); return err },
	"rotate": func(ctx context.Context, s *Store) error {
		_, _, err := s.Rotate(ctx, digest, nil, nil, time.Now(), 0)
		return err
	},
	"delete": func(ctx context.Context, s *Store) error {
		_, err := s.Delete(ctx, tokenstore.Filter{ID: "a"})
		return err
	},
	"revoke":  func(ctx context.Context, s *Store) error { return s.Revoke(ctx, "f", time.Time{}) },
	"revoked": func(ctx context.Context, s *Store) error { _, err := s.Revoked(ctx, "f"); return err },
	"list": func(ctx context.Context, s *Store) error {
		_, _, err := s.List(ctx, tokenstore.Filter{}, "", 1)
		return err
	},
	"user":           func(ctx context.Context, s *Store) error { _, err := s.User(ctx, ""); return err },
	"user_by_name":   func(ctx context.Context, s *Store) error { _, err := s.UserByName(ctx, ""); return err },
	"user_by_origin": func(ctx context.Context, s *Store) error { _, err := s.UserByOrigin(ctx, "", ""); return err },
	"users":          func(ctx context.Context, s *Store) error { _, _, err := s.Users(ctx, "", 1); return err },
	"put_user":       func(ctx context.Context, s *Store) error { _, err := s.PutUser(ctx, tokenstore.User{}); return err },
	"rehash":         func(ctx context.Context, s *Store) error { return s.Rehash(ctx, "", "", "") },
	"delete_user":    func(ctx context.Context, s *Store) error { return s.DeleteUser(ctx, "") },
	"put_group":      func(ctx context.Context, s *Store) error { return s.PutGroup(ctx, tokenstore.Group{}) },
	"groups":         func(ctx context.Context, s *Store) error { _, err := s.Groups(ctx); return err },
	"delete_group":   func(ctx context.Context, s *Store) error { return s.DeleteGroup(ctx, "") },
	"client":         func(ctx context.Context, s *Store) error { _, err := s.Client(ctx, ""); return err },
	"put_client":     func(ctx context.Context, s *Store) error { _, err := s.PutClient(ctx, tokenstore.Client{}); return err },
	"delete_client":  func(ctx context.Context, s *Store) error { return s.DeleteClient(ctx, "") },
	"remember":       func(ctx context.Context, s *Store) error { _, err := s.Remember(ctx, "", time.Now()); return err },
	"known":          func(ctx context.Context, s *Store) error { _, err := s.Known(ctx, ""); return err },
	"hit":            func(ctx context.Context, s *Store) error { _, err := s.Hit(ctx, "", 1, 1, time.Now()); return err },
	"forget":         func(ctx context.Context, s *Store) error { return s.Forget(ctx, "") },
	"attempt": func(ctx context.Context, s *Store) error {
		_, err := s.Attempt(ctx, "", tokenstore.Backoff{}, time.Now())
		return err
	},
	"refund": func(ctx context.Context, s *Store) error { return s.Refund(ctx, "") },
	"attempted": func(ctx context.Context, s *Store) error {
		_, err := s.Attempted(ctx, "")
		return err
	},
	"clients":  func(ctx context.Context, s *Store) error { _, _, err := s.Clients(ctx, "", "", 1); return err },
	"attempts": func(ctx context.Context, s *Store) error { _, _, err := s.Attempts(ctx, "", "", 1); return err },
	"sweep":    func(ctx context.Context, s *Store) error { _, err := s.Sweep(ctx, time.Now(), 1); return err },
	"watch":    func(ctx context.Context, s *Store) error { return s.Watch(ctx, func(tokenstore.Change) {}) },
	"in_tx": func(ctx context.Context, s *Store) error {
		return s.InTx(ctx, func(tokenstore.Store) error { return nil })
	},
	"backup": func(ctx context.Context, s *Store) error { return s.Backup(ctx, io.Discard) },
	"verify": func(ctx context.Context, s *Store) error { _, err := s.Verify(ctx); return err },
}

func TestOperations_everyMethod(t *testing.T) {
	local := []string{"Start", "Release", "Close", "Subscribe", "Trusted", "Status", "Touch", "Extend"}
	for i := range reflect.TypeFor[*Store]().NumMethod() {
		method := reflect.TypeFor[*Store]().Method(i).Name
		if slices.Contains(local, method) {
			continue
		}
		var name strings.Builder
		for i, c := range method {
			if i > 0 && 'A' <= c && c <= 'Z' {
				name.WriteByte('_')
			}
			name.WriteRune(c)
		}
		if _, ok := operations[strings.ToLower(name.String())]; !ok {
			t.Errorf("no test calls %s", method)
		}
	}
}

func TestOperations_observed(t *testing.T) {
	for name, do := range operations {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDriver()
				d.store.answer(name, errBroken)
				d.store.during = func() { time.Sleep(time.Millisecond) }
				var seen []string
				s, err := Acquire(d, Options{Observe: func(operation string, took time.Duration, err error) {
					seen = append(seen, fmt.Sprintf("%s %v %v", operation, took, err))
				}})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Release()
				if err := do(t.Context(), s); !errors.Is(err, errBroken) {
					t.Errorf("%s = %v, want the store's error", name, err)
				}
				want := []string{"open 0s <nil>", fmt.Sprintf("%s 1ms %v", name, errBroken)}
				if !slices.Equal(seen, want) {
					t.Errorf("observed %q, want %q", seen, want)
				}
			})
		})
	}
}

func TestOperations_afterRelease(t *testing.T) {
	s, err := Acquire(newDriver(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Release(); err != nil {
		t.Fatal(err)
	}
	for name, do := range operations {
		if err := do(t.Context(), s); !errors.Is(err, tokenstore.ErrUnavailable) {
			t.Errorf("%s = %v, want ErrUnavailable", name, err)
		}
	}
}

type plainDriver struct{ *driver }

func (d plainDriver) Open(context.Context) (tokenstore.Store, error) { return plain{d.store}, nil }

func TestOperations_unsupported(t *testing.T) {
	s, _ := acquire(t, plainDriver{newDriver()})
	for _, name := range []string{"in_tx", "backup", "verify"} {
		if err := operations[name](t.Context(), s); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s = %v, want ErrUnsupported", name, err)
		}
	}
}

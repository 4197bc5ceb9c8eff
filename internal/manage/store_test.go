// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// examinedStore is a store that can be verified and backed up.
type examinedStore struct {
	tokenstore.Store
	problems []string
	chunks   []string
	err      error
}

func (s examinedStore) Verify(context.Context) ([]string, error) { return s.problems, s.err }

func (s examinedStore) Backup(_ context.Context, w io.Writer) error {
	for _, chunk := range s.chunks {
		if _, err := io.WriteString(w, chunk); err != nil {
			return err
		}
	}
	return s.err
}

func TestCheckStore(t *testing.T) {
	f := newFixture(t)
	f.m.Store = examinedStore{Store: f.store, problems: []string{"row 7 is missing"}}
	if got := must[StoreStatus](f, "GET", "store", ""); got.Store != "memory" || got.Verified || len(got.Problems) != 0 {
		t.Errorf("GET store = %+v", got)
	}
	if got := must[StoreStatus](f, "GET", "store?verify=true", ""); !got.Verified || len(got.Problems) != 1 {
		t.Errorf("GET store?verify=true = %+v", got)
	}
	f.m.Store = examinedStore{Store: f.store, err: errors.ErrUnsupported}
	if got := must[StoreStatus](f, "GET", "store?verify=true", ""); got.Verified {
		t.Errorf("GET store?verify=true of a store that cannot = %+v", got)
	}
}

func TestBackup(t *testing.T) {
	f := newFixture(t)
	f.m.Store = examinedStore{Store: f.store, chunks: []string{"one ", "two"}}
	if got := f.send("POST", "store/backup", "{}"); got.status != 200 || got.body != "one two" {
		t.Errorf("POST store/backup = %d %q", got.status, got.body)
	}
	f.m.Store = examinedStore{Store: f.store, err: tokenstore.ErrUnavailable}
	f.fail(http.StatusServiceUnavailable, "backing up", "POST", "store/backup", "{}")
	f.m.Store = examinedStore{Store: f.store, err: errors.ErrUnsupported}
	f.fail(http.StatusNotImplemented, "backing up", "POST", "store/backup", "{}")
}

// TestBackupCutShort must not look like a copy that is complete.
func TestBackupCutShort(t *testing.T) {
	f := newFixture(t)
	f.m.Store = examinedStore{Store: f.store, chunks: []string{"one "}, err: tokenstore.ErrUnavailable}
	defer func() {
		if got := recover(); got != http.ErrAbortHandler {
			t.Errorf("the handler ended with %v, want http.ErrAbortHandler", got)
		}
	}()
	f.send("POST", "store/backup", "{}")
}

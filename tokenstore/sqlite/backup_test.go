// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"errors"
	"testing"
	"testing/iotest"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

type brokenWriter struct{ error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.error }

// Whoever receives a copy must not be able to have the store opened anew, which
// ends every Watch.
func TestABackupThatNobodyTakesSaysNothingOfTheStore(t *testing.T) {
	s := started(t, newDriver(t))
	err := s.Backup(t.Context(), brokenWriter{iotest.ErrTimeout})
	if !errors.Is(err, iotest.ErrTimeout) || errors.Is(err, tokenstore.ErrUnavailable) {
		t.Errorf("Backup = %v, want the error of the writer and not ErrUnavailable", err)
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"
	"io"
	"net/http"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A StoreStatus says how the store is. One that cannot be asked is an error.
type StoreStatus struct {
	Store    string   `json:"store"`
	Verified bool     `json:"verified"` // reports whether its integrity was examined
	Problems []string `json:"problems"` // one line each
}

// CheckStore asks the store for one record, and with verify has it examine its
// own integrity, which reads all of it.
func (m *Manager) CheckStore(ctx context.Context, verify bool) (StoreStatus, error) {
	status := StoreStatus{Store: m.Place, Problems: []string{}}
	if _, _, err := m.Store.Users(ctx, "", 1); err != nil {
		return status, storeError("asking the store", err)
	}
	verifier, ok := m.Store.(tokenstore.Verifier)
	if !verify || !ok {
		return status, nil
	}
	problems, err := verifier.Verify(ctx)
	if errors.Is(err, errors.ErrUnsupported) {
		return status, nil
	}
	if err != nil {
		return status, storeError("verifying the store", err)
	}
	status.Verified, status.Problems = true, list(problems)
	return status, nil
}

// Backup writes a consistent copy of the store while it is used. The copy
// holds password hashes and digests of secrets.
func (m *Manager) Backup(ctx context.Context, w io.Writer) error {
	backuper, ok := m.Store.(tokenstore.Backuper)
	if !ok {
		return refuse(http.StatusNotImplemented, "this store is not backed up here; use the tools of its database")
	}
	counted := &counter{to: w}
	if err := backuper.Backup(ctx, counted); err != nil {
		return storeError("backing up the store", err)
	}
	m.audit("store backed up", zap.Int64("bytes", counted.n))
	return nil
}

type counter struct {
	to io.Writer
	n  int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	return n, err
}

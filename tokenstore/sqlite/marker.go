// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A marker in Caddy's storage says that a file was created, and which.
type marker struct {
	ID   string `json:"id"`
	Path string `json:"path"`
}

func (d *Driver) markerKey() string {
	sum := sha256.Sum256([]byte(d.Path))
	return "rest_auth/stores/" + hex.EncodeToString(sum[:]) + ".json"
}

// loadMarker returns nil if there is no marker.
func (d *Driver) loadMarker(ctx context.Context) (*marker, error) {
	encoded, err := d.storage.Load(ctx, d.markerKey())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("loading the marker of %s: %w: %w", d.Path, tokenstore.ErrUnavailable, err)
	}
	var m marker
	if err := json.Unmarshal(encoded, &m); err != nil || m.ID == "" {
		return nil, fmt.Errorf("loading the marker of %s: %w: %s in Caddy's storage is damaged", d.Path, tokenstore.ErrUnavailable, d.markerKey())
	}
	return &m, nil
}

func (d *Driver) storeMarker(ctx context.Context, id string) error {
	encoded, err := json.Marshal(marker{ID: id, Path: d.Path})
	if err != nil {
		return err
	}
	if err := d.storage.Store(ctx, d.markerKey(), encoded); err != nil {
		return fmt.Errorf("storing the marker of %s: %w: %w", d.Path, tokenstore.ErrUnavailable, err)
	}
	return nil
}

// newID names a new store.
func newID() string { return rand.Text() }

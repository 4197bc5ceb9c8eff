// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"
	"net/http"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/signing"
)

// A Rotation says how signing keys are to be replaced.
type Rotation struct {
	// Algorithm narrows it to one ring of that name.
	Algorithm string `json:"algorithm,omitempty"`

	// Now has the new key sign at once, and not after the others have learned of
	// it.
	Now bool `json:"now,omitempty"`

	// Compromised removes the old keys, too: whatever they signed is refused.
	Compromised bool `json:"compromised,omitempty"`
}

// ListSigningKeys returns the keys that this server generated, the oldest first.
func (m *Manager) ListSigningKeys(ctx context.Context) ([]signing.Status, error) {
	rings, err := m.Signing.Find(ctx)
	if err != nil {
		return nil, refuse(http.StatusServiceUnavailable, "reading the signing keys: %v", err)
	}
	keys := []signing.Status{}
	for _, ring := range rings {
		list, err := ring.Describe(ctx)
		if err != nil {
			return nil, refuse(http.StatusServiceUnavailable, "reading the signing keys: %v", err)
		}
		keys = append(keys, list...)
	}
	return keys, nil
}

// RotateSigningKeys adds a key to the rings of a name, and returns all of theirs.
func (m *Manager) RotateSigningKeys(ctx context.Context, name string, how Rotation) ([]signing.Status, error) {
	rings, err := m.Signing.Find(ctx)
	if err != nil {
		return nil, refuse(http.StatusServiceUnavailable, "reading the signing keys: %v", err)
	}
	keys := []signing.Status{}
	for _, ring := range rings {
		if ring.Name() != name || how.Algorithm != "" && ring.Algorithm() != how.Algorithm {
			continue
		}
		before, err := ring.Describe(ctx)
		if err == nil && len(before) == 0 {
			continue // nothing was signed with it yet
		}
		if err == nil {
			err = rotate(ctx, ring, how)
		}
		if errors.Is(err, signing.ErrTooMany) {
			return nil, refuse(http.StatusConflict, "the ring %s %s has %d keys, which is the most: the oldest goes when no token of it lives any more",
				name, ring.Algorithm(), len(before))
		}
		if err != nil {
			return nil, refuse(http.StatusServiceUnavailable, "rotating the signing keys: %v", err)
		}
		m.audit("signing keys rotated", zap.String("ring", name), zap.String("algorithm", ring.Algorithm()),
			zap.Bool("now", how.Now), zap.Bool("compromised", how.Compromised))
		after, err := ring.Describe(ctx)
		if err != nil {
			return nil, refuse(http.StatusServiceUnavailable, "reading the signing keys: %v", err)
		}
		keys = append(keys, after...)
	}
	if len(keys) == 0 {
		return nil, refuse(http.StatusNotFound, "no such signing keys were generated")
	}
	return keys, nil
}

func rotate(ctx context.Context, ring *signing.Ring, how Rotation) error {
	switch {
	case how.Compromised:
		return ring.Replace(ctx)
	case how.Now:
		return ring.RotateNow(ctx)
	}
	return ring.Rotate(ctx)
}

func (c *call) listSigningKeys(string) error {
	if _, err := c.query("cursor", "limit"); err != nil {
		return err
	}
	keys, err := c.ListSigningKeys(c.r.Context())
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, map[string]any{"signing_keys": keys, "next": ""})
	return nil
}

func (c *call) rotateSigningKeys(name string) error {
	var how Rotation
	if err := c.body(&how); err != nil {
		return err
	}
	keys, err := c.RotateSigningKeys(c.r.Context(), name, how)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, map[string]any{"signing_keys": keys})
	return nil
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"
	"net/http"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/durin"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A ClientChange has what is to change of an API client; nil leaves it alone.
type ClientChange struct {
	TokenTTL     *string `json:"token_ttl,omitempty"`     // as NewClient's
	ThrottleRate *string `json:"throttle_rate,omitempty"` // empty: that of the scope user_per_client
}

func (c ClientChange) apply(to *durin.Client) error {
	if c.TokenTTL != nil {
		if err := setClientTTL(to, *c.TokenTTL); err != nil {
			return err
		}
	}
	if c.ThrottleRate != nil {
		if err := checkClientRate(*c.ThrottleRate); err != nil {
			return err
		}
		to.ThrottleRate = *c.ThrottleRate
	}
	return nil
}

// ChangeClient changes an API client. Its tokens end as they would have, until
// they are refreshed.
func (m *Manager) ChangeClient(ctx context.Context, name string, change ClientChange) (Client, error) {
	for range editAttempts {
		stored, err := m.findClient(ctx, name)
		if err != nil {
			return Client{}, err
		}
		c, err := durin.Decode(stored.Data)
		if err != nil {
			return Client{}, storeError("reading the client", err)
		}
		if err := change.apply(&c); err != nil {
			return Client{}, err
		}
		stored.Data = durin.Encode(c)
		_, err = m.Store.PutClient(ctx, stored)
		if errors.Is(err, tokenstore.ErrStale) || errors.Is(err, tokenstore.ErrNotFound) {
			continue
		}
		if err != nil {
			return Client{}, storeError("changing the client", err)
		}
		described := describeClient(name, c)
		m.audit("client changed", zap.String("client", name), zap.String("token_ttl", described.TokenTTL), zap.String("throttle_rate", c.ThrottleRate))
		return described, nil
	}
	return Client{}, refuse(http.StatusConflict, "client '%s' keeps being changed by others; try again", name)
}

// findClient returns the client of that name, or a refusal.
func (m *Manager) findClient(ctx context.Context, name string) (tokenstore.Client, error) {
	stored, err := tokenstore.Client{}, tokenstore.ErrNotFound
	if checkClientName(name) == nil {
		stored, err = m.Store.Client(ctx, durin.ClientID(name))
	}
	if errors.Is(err, tokenstore.ErrNotFound) {
		return tokenstore.Client{}, noClient(name, err)
	}
	if err != nil {
		return tokenstore.Client{}, storeError("reading the client", err)
	}
	return stored, nil
}

func noClient(name string, err error) error {
	return &Error{Status: http.StatusNotFound, Text: "there is no client '" + name + "'", Err: err}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/django"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/durin"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/throttle"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// defaultClientTTL is durin's DEFAULT_TOKEN_TTL.
const defaultClientTTL = 24 * time.Hour

// endlessTTL is how people say that tokens never end.
const endlessTTL = "none"

// A Client is what the API says of an API client of durin.
type Client struct {
	Name         string `json:"name"`
	TokenTTL     string `json:"token_ttl"` // as "24h0m0s", or "none"
	ThrottleRate string `json:"throttle_rate,omitempty"`
}

// NewClient is a client to create.
type NewClient struct {
	Name         string `json:"name"`
	TokenTTL     string `json:"token_ttl,omitempty"`     // as "10d", "1 00:00:00" or "none"; default: 24h
	ThrottleRate string `json:"throttle_rate,omitempty"` // as "5/m"; default: that of the scope user_per_client
}

// CreateClient adds an API client.
func (m *Manager) CreateClient(ctx context.Context, in NewClient) (Client, error) {
	if err := checkClientName(in.Name); err != nil {
		return Client{}, err
	}
	if strings.HasPrefix(in.Name, durin.ClientID("")) {
		return Client{}, invalid("name", "must not begin with '%s', as the ID of another client may", durin.ClientID(""))
	}
	c := durin.Client{TokenTTL: defaultClientTTL, ThrottleRate: in.ThrottleRate}
	if in.TokenTTL != "" {
		if err := setClientTTL(&c, in.TokenTTL); err != nil {
			return Client{}, err
		}
	}
	if err := checkClientRate(in.ThrottleRate); err != nil {
		return Client{}, err
	}
	_, err := m.Store.PutClient(ctx, tokenstore.Client{ID: durin.ClientID(in.Name), Name: in.Name, Data: durin.Encode(c)})
	if errors.Is(err, tokenstore.ErrExists) {
		return Client{}, refuse(http.StatusConflict, "name: client with this name already exists.")
	}
	if err != nil {
		return Client{}, storeError("creating the client", err)
	}
	if err := m.Store.Forget(ctx, deletedClient(in.Name)); err != nil {
		return Client{}, storeError("creating the client", err)
	}
	described := describeClient(in.Name, c)
	m.audit("client created", zap.String("client", in.Name), zap.String("token_ttl", described.TokenTTL), zap.String("throttle_rate", in.ThrottleRate))
	return described, nil
}

// ListClients returns a page of the API clients, by name.
func (m *Manager) ListClients(ctx context.Context, cursor string, limit int) ([]Client, string, error) {
	page, next, err := m.Store.Clients(ctx, durin.ClientID(""), cursor, limit)
	if err != nil {
		return nil, "", storeError("listing clients", err)
	}
	clients := make([]Client, len(page))
	for i, stored := range page {
		c, err := durin.Decode(stored.Data)
		if err != nil {
			return nil, "", storeError("reading a client", err)
		}
		name, _ := durin.Name(stored.ID)
		clients[i] = describeClient(name, c)
	}
	return clients, next, nil
}

// DeleteClient removes an API client, and ends all its tokens at once. A later
// import does not bring it back.
func (m *Manager) DeleteClient(ctx context.Context, name string) error {
	_, err := m.findClient(ctx, name)
	if err != nil {
		return err
	}
	if _, err = m.Store.Remember(ctx, deletedClient(name), forever); err == nil {
		err = m.Store.DeleteClient(ctx, durin.ClientID(name))
	}
	if errors.Is(err, tokenstore.ErrNotFound) {
		return noClient(name, err)
	}
	if err != nil {
		return storeError("deleting the client", err)
	}
	m.audit("client deleted", zap.String("client", name))
	return nil
}

// forClient completes a token of durin by its client, named with or without what
// begins the ID: tokens of none could not be refreshed, nor ended with it.
func (m *Manager) forClient(ctx context.Context, c *tokenstore.Credential) error {
	name := strings.TrimPrefix(c.ClientID, durin.ClientID(""))
	if name == "" {
		return invalid("client", "must name the API client that a token of kind durin is for")
	}
	stored, err := m.Store.Client(ctx, durin.ClientID(name))
	if errors.Is(err, tokenstore.ErrNotFound) {
		return invalid("client", "there is no API client '%s'; 'client add' makes one", name)
	}
	if err != nil {
		return storeError("reading the client", err)
	}
	client, err := durin.Decode(stored.Data)
	if err != nil {
		return storeError("reading the client", err)
	}
	c.ClientID = stored.ID
	if c.Expires.IsZero() && !client.Endless {
		c.Expires = c.Created.Add(client.TokenTTL)
	}
	return nil
}

func describeClient(name string, c durin.Client) Client {
	ttl := c.TokenTTL.String()
	if c.Endless {
		ttl = endlessTTL
	}
	return Client{Name: name, TokenTTL: ttl, ThrottleRate: c.ThrottleRate}
}

func checkClientName(name string) error {
	if strings.TrimSpace(name) == "" {
		return invalid("name", "This field may not be blank.")
	}
	if utf8.RuneCountInString(name) > durin.MaxName {
		return invalid("name", "Ensure this field has no more than %d characters.", durin.MaxName)
	}
	return checkText("name", name, 1, durin.MaxName)
}

func setClientTTL(c *durin.Client, text string) error {
	ttl, ok := parseClientTTL(text)
	if !ok {
		return invalid("token_ttl", "Duration has wrong format. Use one of these formats instead: [DD] [HH:[MM:]]ss[.uuuuuu]. Or 10d, 36h, none.")
	}
	c.TokenTTL, c.Endless = ttl, ttl == 0
	return nil
}

// parseClientTTL returns 0 for tokens that never end. As a number it would mean
// the contrary.
func parseClientTTL(text string) (time.Duration, bool) {
	if text == endlessTTL {
		return 0, true
	}
	ttl, ok := django.ParseDuration(text)
	if !ok {
		parsed, err := caddy.ParseDuration(text)
		ttl, ok = parsed, err == nil
	}
	return ttl, ok && ttl > 0
}

// checkClientRate says what durin does of a period that is none.
func checkClientRate(rate string) error {
	if rate == "" {
		return nil
	}
	if len(rate) > durin.MaxThrottleRate {
		return invalid("throttle_rate", "Ensure this field has no more than %d characters.", durin.MaxThrottleRate)
	}
	if _, err := throttle.ParseRate(rate); err != nil {
		number, period, _ := strings.Cut(rate, "/")
		if _, bad := throttle.ParseRate(number + "/s"); bad == nil && period != "" {
			return invalid("throttle_rate", "invalid period '%s'.", period)
		}
		return invalid("throttle_rate", "%v", err)
	}
	return nil
}

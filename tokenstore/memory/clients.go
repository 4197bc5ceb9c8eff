// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// copiedClient is a client that shares nothing with c.
func copiedClient(c tokenstore.Client) tokenstore.Client {
	secrets := make([][]byte, len(c.Secrets))
	for i, secret := range c.Secrets {
		secrets[i] = bytes.Clone(secret)
	}
	c.Secrets, c.Data = secrets, bytes.Clone(c.Data)
	return c
}

func (o ops) Client(ctx context.Context, id string) (c tokenstore.Client, err error) {
	err = o.read(ctx, func(s *state) error {
		found, ok := s.apps[id]
		if !ok {
			return tokenstore.ErrNotFound
		}
		c = copiedClient(found)
		return nil
	})
	return c, err
}

func (o ops) Clients(ctx context.Context, prefix, cursor string, n int) (page []tokenstore.Client, next string, err error) {
	after, err := parseCursor(clientCursors, cursor)
	if err != nil {
		return nil, "", err
	}
	err = o.read(ctx, func(s *state) error {
		for id, c := range s.apps {
			if strings.HasPrefix(id, prefix) && id > after {
				page = append(page, copiedClient(c))
			}
		}
		return nil
	})
	slices.SortFunc(page, func(a, b tokenstore.Client) int { return cmp.Compare(a.ID, b.ID) })
	if n = clamp(n); len(page) > n {
		page = page[:n]
		next = newCursor(clientCursors, page[n-1].ID)
	}
	return page, next, err
}

func (o ops) PutClient(ctx context.Context, c tokenstore.Client) (stored tokenstore.Client, err error) {
	if c.ID == "" {
		return tokenstore.Client{}, errors.New("storing a client without an ID")
	}
	if len(c.Data) > tokenstore.MaxData || tooLong(c.ID) {
		return tokenstore.Client{}, tokenstore.ErrTooLarge
	}
	c = copiedClient(c)
	err = o.write(ctx, func(s *state) error {
		old, exists := s.apps[c.ID]
		switch {
		case c.Version == 0 && exists:
			return tokenstore.ErrExists
		case c.Version != 0 && !exists:
			return tokenstore.ErrNotFound
		case c.Version != old.Version:
			return tokenstore.ErrStale
		}
		c.Version = old.Version + 1
		put(s, s.apps, c.ID, c)
		s.changed(tokenstore.Change{ClientID: c.ID})
		stored = copiedClient(c)
		return nil
	})
	return stored, err
}

func (o ops) DeleteClient(ctx context.Context, id string) error {
	return o.write(ctx, func(s *state) error {
		if _, ok := s.apps[id]; !ok {
			return tokenstore.ErrNotFound
		}
		for _, e := range s.selected(tokenstore.Filter{ClientID: id}) {
			s.revoke(e)
		}
		drop(s, s.apps, id)
		s.changed(tokenstore.Change{ClientID: id})
		return nil
	})
}

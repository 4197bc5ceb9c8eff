// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"errors"
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	getClient   = `SELECT id, owner_key, name, secrets, version, data FROM clients WHERE id = ?`
	listClients = `SELECT id, owner_key, name, secrets, version, data FROM clients WHERE id >= ? ORDER BY id LIMIT ?`
	putClient   = `INSERT INTO clients (id, owner_key, name, secrets, version, data) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET owner_key = excluded.owner_key, name = excluded.name,
			secrets = excluded.secrets, version = excluded.version, data = excluded.data`
	deleteClient = `DELETE FROM clients WHERE id = ?`
	ofClient     = ` AND c.client_id = ? AND c.client_id <> ''`
)

func (c *Conn) client(ctx context.Context, id string) (client tokenstore.Client, err error) {
	var secrets []byte
	found, err := c.Row(ctx, getClient, []any{id},
		&client.ID, &client.OwnerKey, &client.Name, &secrets, &client.Version, &client.Data)
	if err == nil && !found {
		err = tokenstore.ErrNotFound
	}
	if err == nil {
		client.Secrets, err = decodeList[[]byte](secrets)
	}
	if err != nil {
		return tokenstore.Client{}, err
	}
	return client, nil
}

// Client is tokenstore.Store's.
func (o Ops) Client(ctx context.Context, id string) (client tokenstore.Client, err error) {
	err = o.Engine.Read(ctx, func(conn *Conn) (err error) {
		client, err = conn.client(ctx, id)
		return err
	})
	return client, err
}

// Clients is tokenstore.Store's.
func (o Ops) Clients(ctx context.Context, prefix, cursor string, n int) (page []tokenstore.Client, next string, err error) {
	start, err := pageStart(clientCursors, prefix, cursor)
	if err != nil {
		return nil, "", err
	}
	n = clamp(n)
	err = o.Engine.Read(ctx, func(conn *Conn) error {
		page = nil
		return conn.Rows(ctx, listClients, []any{start, n + 1}, func(row Scanner) error {
			var c tokenstore.Client
			var secrets []byte
			err := row.Scan(&c.ID, &c.OwnerKey, &c.Name, &secrets, &c.Version, &c.Data)
			if err != nil || !strings.HasPrefix(c.ID, prefix) {
				return err
			}
			c.Secrets, err = decodeList[[]byte](secrets)
			page = append(page, c)
			return err
		})
	})
	if err != nil {
		return nil, "", err
	}
	if len(page) > n {
		page = page[:n]
		next = newCursor(clientCursors, page[n-1].ID)
	}
	return page, next, nil
}

// PutClient is tokenstore.Store's.
func (o Ops) PutClient(ctx context.Context, c tokenstore.Client) (stored tokenstore.Client, err error) {
	if c.ID == "" {
		return tokenstore.Client{}, errors.New("storing a client without an ID")
	}
	if len(c.Data) > tokenstore.MaxData || len(c.ID) > tokenstore.MaxName {
		return tokenstore.Client{}, tokenstore.ErrTooLarge
	}
	err = o.Engine.Write(ctx, func(t *Tx) error {
		old, err := t.client(ctx, c.ID)
		exists := err == nil
		switch {
		case err != nil && !errors.Is(err, tokenstore.ErrNotFound):
			return err
		case c.Version == 0 && exists:
			return tokenstore.ErrExists
		case c.Version != 0 && !exists:
			return tokenstore.ErrNotFound
		case c.Version != old.Version:
			return tokenstore.ErrStale
		}
		if _, err := t.Exec(ctx, putClient, c.ID, c.OwnerKey, c.Name, encodeList(c.Secrets), old.Version+1, blob(c.Data)); err != nil {
			return err
		}
		t.changed(tokenstore.Change{ClientID: c.ID})
		stored, err = t.client(ctx, c.ID)
		return err
	})
	if err != nil {
		return tokenstore.Client{}, err
	}
	return stored, nil
}

// DeleteClient is tokenstore.Store's.
func (o Ops) DeleteClient(ctx context.Context, id string) error {
	return o.Engine.Write(ctx, func(t *Tx) error {
		if _, err := t.revokeAll(ctx, tokenstore.Change{ClientID: id}, ofClient, id); err != nil {
			return err
		}
		n, err := t.Exec(ctx, deleteClient, id)
		if err == nil && n == 0 {
			return tokenstore.ErrNotFound
		}
		t.changed(tokenstore.Change{ClientID: id})
		return err
	})
}

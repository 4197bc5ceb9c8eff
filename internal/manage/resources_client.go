// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import "net/http"

func (c *call) listClients(string) error {
	params, err := c.query("cursor", "limit")
	if err != nil {
		return err
	}
	cursor, limit, err := page(params)
	if err != nil {
		return err
	}
	clients, next, err := c.ListClients(c.r.Context(), cursor, limit)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, map[string]any{"clients": clients, "next": next})
	return nil
}

func (c *call) postClient(string) error {
	var in NewClient
	if err := c.body(&in); err != nil {
		return err
	}
	client, err := c.CreateClient(c.r.Context(), in)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusCreated, client)
	return nil
}

func (c *call) patchClient(name string) error {
	var change ClientChange
	if err := c.body(&change); err != nil {
		return err
	}
	client, err := c.ChangeClient(c.r.Context(), name, change)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, client)
	return nil
}

func (c *call) deleteClient(name string) error {
	return c.gone(c.DeleteClient(c.r.Context(), name))
}

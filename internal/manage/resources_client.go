// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import "net/http"

func (c *call) listClients(string) error { return listPage(c, "clients", c.ListClients) }

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

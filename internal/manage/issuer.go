// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"net/http"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/discovery"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/introspection"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

// listIssuers tells what is known of whoever signs tokens: of the process, not
// of the store.
func (c *call) listIssuers(string) error {
	if _, err := c.query(); err != nil {
		return err
	}
	return c.writeIssuers()
}

// fetchIssuers has everything fetched anew, as after a key was given away.
func (c *call) fetchIssuers(string) error {
	if _, err := c.query(); err != nil {
		return err
	}
	c.takeTime()
	discovery.Renew(c.r.Context()) // the keys may have moved
	keyset.Renew(c.r.Context())
	c.audit("keys of issuers fetched")
	return c.writeIssuers()
}

func (c *call) writeIssuers() error {
	writeJSON(c.w, http.StatusOK, map[string]any{
		"issuers": keyset.Statuses(), "metadata": discovery.Statuses(), "introspection": introspection.Statuses(),
	})
	return nil
}

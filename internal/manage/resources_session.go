// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import "net/http"

func (c *call) listSessions(string) error {
	params, err := c.query("user", "cursor", "limit")
	if err != nil {
		return err
	}
	cursor, limit, err := page(params)
	if err != nil {
		return err
	}
	sessions, next, err := c.ListSessions(c.r.Context(), params["user"], cursor, limit)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, map[string]any{"sessions": sessions, "next": next})
	return nil
}

// deleteSessions wants to be told that everybody is meant.
func (c *call) deleteSessions(string) error {
	params, err := c.query("user", "all")
	if err != nil {
		return err
	}
	if (params["user"] != "") == (params["all"] != "") {
		return refuse(http.StatusBadRequest, "name a user, or say all=true for the sessions of everybody")
	}
	if params["all"] != "" && params["all"] != "true" {
		return invalid("all", "must be true")
	}
	n, err := c.EndSessions(c.r.Context(), params["user"])
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, map[string]int{"ended": n})
	return nil
}

func (c *call) deleteSession(handle string) error {
	return c.gone(c.EndSession(c.r.Context(), handle))
}

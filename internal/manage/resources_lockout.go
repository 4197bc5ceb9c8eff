// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"net/http"
	"strconv"
)

func (c *call) listLockouts(string) error {
	params, err := c.query("counted", "cursor", "limit")
	if err != nil {
		return err
	}
	cursor, limit, err := page(params)
	if err != nil {
		return err
	}
	counted, err := flag(params, "counted")
	if err != nil {
		return err
	}
	c.takeTime()
	lockouts, next, err := c.ListLockouts(c.r.Context(), counted, cursor, limit)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, map[string]any{"lockouts": lockouts, "next": next})
	return nil
}

func (c *call) deleteLockouts(string) error {
	params, err := c.query("user", "address", "all")
	if err != nil {
		return err
	}
	all, err := flag(params, "all")
	if err != nil {
		return err
	}
	c.takeTime()
	n, err := c.ClearLockouts(c.r.Context(), LockoutFilter{User: params["user"], Address: params["address"], All: all})
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, map[string]int{"cleared": n})
	return nil
}

// flag reads a parameter that is true or false, and false if it is not there.
func flag(params map[string]string, name string) (bool, error) {
	text, ok := params[name]
	if !ok {
		return false, nil
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		return false, invalid(name, "must be true or false")
	}
	return value, nil
}

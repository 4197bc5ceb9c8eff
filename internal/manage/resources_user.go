// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// listPage answers with a page of a list, under its name.
func listPage[T any](c *call, name string, list func(ctx context.Context, cursor string, limit int) ([]T, string, error)) error {
	params, err := c.query("cursor", "limit")
	if err != nil {
		return err
	}
	cursor, limit, err := page(params)
	if err != nil {
		return err
	}
	listed, next, err := list(c.r.Context(), cursor, limit)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, map[string]any{name: listed, "next": next})
	return nil
}

func (c *call) listUsers(string) error { return listPage(c, "users", c.ListUsers) }

func (c *call) postUser(string) error {
	var in NewUser
	if err := c.body(&in); err != nil {
		return err
	}
	u, err := c.CreateUser(c.r.Context(), in)
	return c.user(http.StatusCreated, u, err)
}

func (c *call) getUser(name string) error {
	u, err := c.ShowUser(c.r.Context(), name)
	return c.user(http.StatusOK, u, err)
}

func (c *call) patchUser(name string) error {
	version, err := c.ifMatch()
	if err != nil {
		return err
	}
	var change UserChange
	if err := c.body(&change); err != nil {
		return err
	}
	u, err := c.ChangeUser(c.r.Context(), name, version, change)
	return c.user(http.StatusOK, u, err)
}

func (c *call) putPassword(name string) error {
	version, err := c.ifMatch()
	if err != nil {
		return err
	}
	var in struct {
		Password string `json:"password"`
	}
	if err := c.body(&in); err != nil {
		return err
	}
	u, err := c.SetPassword(c.r.Context(), name, version, &in.Password)
	return c.user(http.StatusOK, u, err)
}

func (c *call) deletePassword(name string) error {
	version, err := c.ifMatch()
	if err != nil {
		return err
	}
	u, err := c.SetPassword(c.r.Context(), name, version, nil)
	return c.user(http.StatusOK, u, err)
}

func (c *call) deleteUser(name string) error {
	return c.gone(c.DeleteUser(c.r.Context(), name))
}

func (c *call) listGroups(string) error {
	groups, err := c.ListGroups(c.r.Context())
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, map[string]any{"groups": groups})
	return nil
}

func (c *call) putGroup(name string) error {
	var in GroupChange
	if err := c.body(&in); err != nil {
		return err
	}
	g, err := c.SetGroup(c.r.Context(), name, in)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, g)
	return nil
}

func (c *call) deleteGroup(name string) error {
	return c.gone(c.DeleteGroup(c.r.Context(), name))
}

func (c *call) user(status int, u User, err error) error {
	if err != nil {
		return err
	}
	c.w.Header().Set("ETag", fmt.Sprintf("\"%d\"", u.Version))
	writeJSON(c.w, status, u)
	return nil
}

func (c *call) gone(err error) error {
	if err == nil {
		c.w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// ifMatch returns the version that the request insists on, or 0.
func (c *call) ifMatch() (int64, error) {
	lines := c.r.Header.Values("If-Match")
	if len(lines) == 0 || len(lines) == 1 && lines[0] == "*" {
		return 0, nil
	}
	tag, isTag := strings.CutPrefix(lines[0], "\"")
	tag, closed := strings.CutSuffix(tag, "\"")
	version, err := strconv.ParseInt(tag, 10, 64)
	if len(lines) > 1 || !isTag || !closed || err != nil || version < 1 {
		return 0, refuse(http.StatusBadRequest, "If-Match: must be one ETag that this resource handed out")
	}
	return version, nil
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"net/http"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
)

func (c *call) listTokens(string) error {
	params, err := c.query("user", "kind", "client", "cursor", "limit")
	if err != nil {
		return err
	}
	cursor, limit, err := page(params)
	if err != nil {
		return err
	}
	f := TokenFilter{User: params["user"], Kind: params["kind"], Client: params["client"]}
	tokens, next, err := c.ListTokens(c.r.Context(), f, cursor, limit)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, map[string]any{"tokens": tokens, "next": next})
	return nil
}

func (c *call) postToken(string) error {
	var in struct {
		NewToken
		Expires *string `json:"expires"`
	}
	if err := c.body(&in); err != nil {
		return err
	}
	if in.Expires != nil {
		at, err := time.Parse(time.RFC3339, *in.Expires)
		if err != nil {
			return invalid("expires", "must be a time as 2027-01-31T00:00:00Z")
		}
		in.NewToken.Expires = &at
	}
	issued, err := c.CreateToken(c.r.Context(), in.NewToken)
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if issued.Existing {
		status = http.StatusOK
	}
	writeJSON(c.w, status, issued)
	return nil
}

func (c *call) getToken(handle string) error {
	t, err := c.ShowToken(c.r.Context(), handle)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, t)
	return nil
}

func (c *call) deleteToken(handle string) error {
	return c.gone(c.RevokeToken(c.r.Context(), handle))
}

func (c *call) deleteTokens(string) error {
	params, err := c.query("user", "kind", "client")
	if err != nil {
		return err
	}
	n, err := c.RevokeTokens(c.r.Context(), TokenFilter{User: params["user"], Kind: params["kind"], Client: params["client"]})
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, map[string]int{"revoked": n})
	return nil
}

func (c *call) rotateToken(handle string) error {
	var in struct {
		Grace string `json:"grace"`
	}
	if err := c.body(&in); err != nil {
		return err
	}
	if in.Grace == "" {
		in.Grace = "0s"
	}
	grace, err := caddy.ParseDuration(in.Grace)
	if err != nil {
		return invalid("grace", "must be a duration as 30m, 1h or 7d")
	}
	issued, err := c.RotateToken(c.r.Context(), handle, grace)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusCreated, issued)
	return nil
}

func (c *call) getStore(string) error {
	params, err := c.query("verify")
	if err != nil {
		return err
	}
	verify, err := strconv.ParseBool(params["verify"])
	if err != nil && params["verify"] != "" {
		return invalid("verify", "must be true or false")
	}
	status, err := c.CheckStore(c.r.Context(), verify)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, status)
	return nil
}

// backup streams. Once bytes have gone out an error can only be told by cutting
// the connection, which no client takes for the end of the copy.
func (c *call) backup(string) error {
	var in struct{}
	if err := c.body(&in); err != nil {
		return err
	}
	c.takeTime()
	out := &counter{to: c.w}
	c.w.Header().Set("Content-Type", "application/octet-stream")
	err := c.Backup(c.r.Context(), out)
	if err != nil && out.n > 0 {
		c.Log.Error("a backup was cut short", zap.Int64("bytes", out.n), zap.Error(err))
		panic(http.ErrAbortHandler)
	}
	return err
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"errors"
	"net/url"
	"strings"
)

var errScheme = errors.New("expected an https:// URL, or allow_http")

// CheckURL reports whether raw may be asked: it is absolute and https (or http,
// if that is allowed), and names a host but neither a user nor a fragment.
func CheckURL(raw string, s Settings) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return errors.New("the URL is malformed")
	case u.Scheme != "https" && (u.Scheme != "http" || !s.AllowHTTP):
		return errScheme
	case u.Hostname() == "" || u.Opaque != "":
		return errors.New("the URL names no host")
	case u.User != nil:
		return errors.New("the URL names a user")
	case strings.Contains(raw, "#"):
		return errors.New("the URL has a fragment")
	}
	return nil
}

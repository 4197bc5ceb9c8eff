// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package simplejwt

import "github.com/caddy-rest-auth/caddy-rest-auth/internal/cookie"

// AccessCookie returns the cookie that holds the access token. Its name is empty
// if there is none.
func (c *Cookies) AccessCookie() cookie.Cookie { return c.cookie(c.JWTAuthCookie, c.JWTAuthCookiePath) }

// RefreshCookie returns the cookie that holds the refresh token. Its name is empty
// if there is none.
func (c *Cookies) RefreshCookie() cookie.Cookie {
	return c.cookie(c.JWTAuthRefreshCookie, c.JWTAuthRefreshCookiePath)
}

func (c *Cookies) cookie(name, path string) cookie.Cookie {
	return cookie.Cookie{
		Name: name, Path: path, Domain: c.JWTAuthCookieDomain,
		SameSite: c.JWTAuthSameSite, Secure: c.JWTAuthSecure,
		HTTPOnly: c.JWTAuthHTTPOnly == nil || *c.JWTAuthHTTPOnly,
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package simplejwt

import (
	"errors"
	"net/http"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/cookie"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/simplejwt"
)

// loggedOut is dj-rest-auth's answer to a logout.
const loggedOut = "Successfully logged out."

// sentRefresh returns the refresh token of the body or, if the body has none, of
// the cookie. What a cookie does a page of this site must have asked for.
func (e *Endpoint) sentRefresh(w http.ResponseWriter, r *http.Request) (string, error) {
	data, err := drf.Decode(r)
	if err != nil {
		return "", err
	}
	if e.refreshed.Name == "" || !data.Falsy("refresh") {
		return field(data, "refresh")
	}
	compact, ok := cookie.Last(r, e.refreshed.Name)
	if !ok || compact == "" {
		return "", e.refused(w, &simplejwt.Error{Message: noRefreshCookie})
	}
	return compact, e.checkCSRF(r)
}

// checkCSRF refuses what another site's page may have sent with our cookies.
func (e *Endpoint) checkCSRF(r *http.Request) error {
	if !*e.JWTAuthCookieUseCSRF {
		return nil
	}
	return e.csrf.Check(r)
}

// checkSource refuses what another site's page has sent, where the answer sets or
// deletes cookies, also for a token in the body, which may be that site's own: people
// would go on as somebody else. Who logs in has no CSRF token for it yet.
func (e *Endpoint) checkSource(r *http.Request) error {
	if e.csrf == nil || !*e.JWTAuthCookieUseCSRF {
		return nil
	}
	return e.csrf.CheckSource(r)
}

func (e *Endpoint) setCookies(w http.ResponseWriter, r *http.Request, p *pair) {
	now := e.now()
	if e.access.Name != "" {
		e.access.Set(w, r, p.Access, time.Unix(p.AccessExpires, 0).Sub(now).Round(time.Second))
	}
	if e.refreshed.Name != "" && p.Refresh != "" {
		e.refreshed.Set(w, r, p.Refresh, time.Unix(p.RefreshExpires, 0).Sub(now).Round(time.Second))
	}
}

func (e *Endpoint) clearCookies(w http.ResponseWriter, r *http.Request) {
	for _, c := range []*cookie.Cookie{&e.access, &e.refreshed} {
		if c.Name != "" {
			c.Clear(w, r)
		}
	}
}

// shown returns a refresh token as the body has it: not at all, if it is in a
// cookie that scripts are kept from.
func (e *Endpoint) shown(refresh string) string {
	if e.refreshed.Name != "" && *e.JWTAuthHTTPOnly {
		return ""
	}
	return refresh
}

// logout ends whatever login the request has something of, and deletes the
// cookies. A request with nothing good is answered alike: it is logged out.
func (e *Endpoint) logout(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	if err := e.checkSource(r); err != nil {
		return err
	}
	data, err := drf.Decode(r)
	if err != nil {
		return err
	}
	var sent []string
	if !data.Falsy("refresh") {
		compact, err := field(data, "refresh")
		if err != nil {
			return err
		}
		sent = append(sent, compact)
	}
	byCookie := false
	for _, name := range []string{e.refreshed.Name, e.access.Name} {
		if name == "" {
			continue
		}
		if value, ok := cookie.Last(r, name); ok && value != "" {
			sent, byCookie = append(sent, value), true
		}
	}
	if byCookie {
		if err := e.checkCSRF(r); err != nil {
			return err
		}
	}
	sent = append(sent, e.inHeader(r)...)
	for _, compact := range sent {
		if err := e.endAny(r, compact); err != nil {
			return err
		}
	}
	e.clearCookies(w, r)
	return drf.Write(w, r, http.StatusOK, drf.Object{{Name: "detail", Value: loggedOut}})
}

// inHeader returns the token of the header that requests are authenticated by.
func (e *Endpoint) inHeader(r *http.Request) []string {
	if e.AuthHeaderName != "Authorization" {
		lines := r.Header[e.AuthHeaderName]
		if len(lines) != 1 {
			return nil
		}
		// The one parser knows Authorization alone.
		r = &http.Request{Header: http.Header{"Authorization": lines}}
	}
	for _, word := range e.AuthHeaderTypes {
		if compact, err := auth.Credentials(r, word); err == nil {
			return []string{compact}
		}
	}
	return nil
}

// endAny ends the family of a token of whatever type. One that is not good ends
// nothing.
func (e *Endpoint) endAny(r *http.Request, compact string) error {
	ctx := r.Context()
	token, err := e.codec.Verify(ctx, compact)
	if _, bad := errors.AsType[*simplejwt.Error](err); bad {
		return nil
	}
	if err != nil {
		return err
	}
	revoked, err := e.codec.Revoked(ctx, token)
	if err != nil || revoked {
		return err
	}
	return e.endFamily(ctx, token, token.Family())
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/caddyauth"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

func init() {
	caddy.RegisterModule(new(testPortal))
	caddy.RegisterModule(new(testCookies))
	caddy.RegisterModule(new(testJWT))
	caddy.RegisterModule(new(testHostile))
}

// testPortal is a provider as portals are: people without a session are sent to
// log in, and it says so by an error too if it is told to.
type testPortal struct {
	Login string `json:"login,omitempty"`
	Err   bool   `json:"err,omitempty"`
}

func (*testPortal) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.authentication.providers.test_portal", New: func() caddy.Module { return new(testPortal) }}
}

func (p *testPortal) Authenticate(w http.ResponseWriter, r *http.Request) (caddyauth.User, bool, error) {
	if cookie, err := r.Cookie("portal"); err == nil && cookie.Value == "alice" {
		return caddyauth.User{ID: "alice", Metadata: map[string]string{"email": "alice@example.com", "roles": "editors readers"}}, true, nil
	}
	w.Header().Set("X-Portal", "1")
	http.SetCookie(w, &http.Cookie{Name: "portal_state", Value: "s"})
	http.Redirect(w, r, p.Login+"?next="+r.URL.Path, http.StatusSeeOther)
	if p.Err {
		return caddyauth.User{}, false, errors.New("no session")
	}
	return caddyauth.User{}, false, nil
}

func (p *testPortal) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if !d.AllArgs(&p.Login) {
		return d.ArgErr()
	}
	for d.NextBlock(0) {
		switch d.Val() {
		case "err":
			p.Err = true
		case "challenge": // also an option of ours
			return d.Err("no challenge here")
		default:
			return d.Errf("unrecognized subdirective '%s'", d.Val())
		}
	}
	return nil
}

// testCookies accepts a header, and writes cookies, headers and a page
// whatever the outcome.
type testCookies struct{}

func (*testCookies) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.authentication.providers.test_cookies", New: func() caddy.Module { return new(testCookies) }}
}

func (*testCookies) Authenticate(w http.ResponseWriter, r *http.Request) (caddyauth.User, bool, error) {
	repl := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	repl.Set("http.auth.user.id", "mallory")
	repl.Set("http.auth.user.leftover", "left")
	caddyhttp.SetVar(r.Context(), "left", "over")
	name := r.Header.Get("X-Cookie-User")
	r.Header.Set("Remote-User", "mallory")
	r.URL.Path = "/elsewhere"
	original := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request)
	original.URL.Path = "/elsewhere"
	body, _ := io.ReadAll(r.Body)
	seen := string(body) + repl.ReplaceAll("{http.request.body}{http.request.body_base64}", "")
	w.Header().Set("Content-Type", "text/html")
	w.Header().Set("Retry-After", "7")
	http.SetCookie(w, &http.Cookie{Name: "leak", Value: name})
	w.WriteHeader(http.StatusEarlyHints)
	if name == "" {
		w.WriteHeader(http.StatusForbidden)
	}
	_, _ = io.WriteString(w, "<h1>The provider's page</h1>")
	return caddyauth.User{ID: name, Metadata: map[string]string{"team": "red", "seen": seen}}, name != "", nil
}

func (*testCookies) UnmarshalCaddyfile(d *caddyfile.Dispenser) error { return noArgs(d) }

// testJWT does as the best known plugin for JWT: it tries whatever Authorization
// holds, returns an error for what it cannot read, and challenges nobody. It
// reads no Caddyfile.
type testJWT struct {
	Key string `json:"key,omitempty"`
}

func (*testJWT) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.authentication.providers.test_jwt", New: func() caddy.Module { return new(testJWT) }}
}

func (j *testJWT) Authenticate(_ http.ResponseWriter, r *http.Request) (caddyauth.User, bool, error) {
	candidate := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if candidate == "" {
		return caddyauth.User{}, false, nil
	}
	name, ok := strings.CutPrefix(candidate, j.Key+".")
	if !ok {
		return caddyauth.User{}, false, errors.New("invalid token: " + candidate)
	}
	return caddyauth.User{ID: name}, true, nil
}

// testHostile answers as the query says.
type testHostile struct{}

func (*testHostile) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.authentication.providers.test_hostile", New: func() caddy.Module { return new(testHostile) }}
}

func (*testHostile) Authenticate(w http.ResponseWriter, r *http.Request) (caddyauth.User, bool, error) {
	nobody := caddyauth.User{}
	switch r.URL.Query().Get("do") {
	case "panic":
		panic("a secret of the provider")
	case "hijack":
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\nhijacked")
			_ = conn.Close()
		}
		return caddyauth.User{ID: "mallory"}, true, nil
	case "ok then no":
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, "come in")
		w.(http.Flusher).Flush()
		return nobody, false, nil
	case "flood":
		for range 64 {
			_, _ = w.Write(make([]byte, 1<<20))
		}
		return nobody, false, nil
	case "split challenge":
		w.Header()["Www-Authenticate"] = []string{"Evil x\r\nSet-Cookie: a=b", "Evil realm=\"x\""}
		return nobody, false, nil
	case "split location":
		w.Header().Set("Location", "/login\r\nSet-Cookie: a=b")
		w.WriteHeader(http.StatusFound)
		return nobody, false, nil
	case "long location":
		w.Header().Set("Location", "/"+strings.Repeat("x", 64<<10))
		w.WriteHeader(http.StatusFound)
		return nobody, false, nil
	case "permanent":
		w.Header().Set("Location", "/login")
		w.WriteHeader(http.StatusMovedPermanently)
		return nobody, false, nil
	case "true and error":
		return caddyauth.User{ID: "mallory"}, true, errors.New("but no")
	case "true and 401":
		w.WriteHeader(http.StatusUnauthorized)
		return caddyauth.User{ID: "mallory"}, true, nil
	case "nobody":
		return nobody, true, nil
	case "control":
		return caddyauth.User{ID: "mallory\r\nX: y"}, true, nil
	case "wraps":
		return caddyauth.User{ID: "mallory"}, true, &auth.Unavailable{Err: auth.ErrNoCredentials}
	case "down":
		http.Error(w, "directory down", http.StatusBadGateway)
		return nobody, false, nil
	case "throttled":
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		return nobody, false, nil
	case "forbidden":
		w.WriteHeader(http.StatusForbidden)
		return nobody, false, errors.New("not you")
	}
	return nobody, false, nil
}

func (*testHostile) UnmarshalCaddyfile(d *caddyfile.Dispenser) error { return noArgs(d) }

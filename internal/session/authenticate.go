// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"net/http"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/cookie"
)

// renewalVar is the variable of a request whose session lives longer than the
// browser knows.
const renewalVar = "rest_auth.session.renewal"

// renewal is the cookie that is to be set again.
type renewal struct {
	manager *Manager
	key     string
	until   time.Time
}

// String keeps the key out of a log that prints all variables.
func (*renewal) String() string { return "" }

// Authenticate returns the user of the request's session, as Of does, and
// remembers that the session is used.
func (m *Manager) Authenticate(r *http.Request) (*auth.Identity, error) {
	ctx := r.Context()
	f, err := m.find(ctx, r)
	if err != nil {
		return nil, err
	}
	if m.touch(ctx, &f) && !auth.DryRun(ctx) {
		caddyhttp.SetVar(ctx, renewalVar, &renewal{m, f.key, m.kept(f.Created, f.LastUsed)})
	}
	return f.User, nil
}

// CacheKey returns all that Authenticate depends on: nearly always one key.
func (m *Manager) CacheKey(r *http.Request) (secret []byte, ok bool) {
	var first string
	for value := range cookie.Values(r, m.cookie.Name) {
		if first != "" && value != first {
			keys := m.keys(r)
			return []byte(strings.Join(keys, ";")), len(keys) > 0
		}
		first = value
	}
	return readOnly(first), isKey(first)
}

// Respond is the part of sessions in a response: caches learn that it depends
// on the cookie, and the cookie of a session that was renewed is set again.
func (m *Manager) Respond(w http.ResponseWriter, r *http.Request, id *auth.Identity) {
	header := w.Header()
	if !slices.Contains(header["Vary"], "Cookie") {
		header["Vary"] = append(header["Vary"], "Cookie")
	}
	if id.Method != Method {
		return
	}
	ctx := r.Context()
	if renewed, ok := caddyhttp.GetVar(ctx, renewalVar).(*renewal); ok && renewed.manager == m {
		caddyhttp.SetVar(ctx, renewalVar, nil)
		// The upstream may let everybody's caches keep what it answers, as an image;
		// not all of them mind Vary, and the cookie is this browser's alone.
		header.Add("Cache-Control", "private")
		m.setCookie(w, r, renewed.key, renewed.until, true)
	}
}

// readOnly returns the bytes of a text that nobody will write to.
func readOnly(text string) []byte {
	return unsafe.Slice(unsafe.StringData(text), len(text)) //nolint:gosec // nobody writes to it
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
)

// Mount is one API at one place. Its settings stand in place of what the API
// itself requires, but on those of its paths that accept only what the API
// issued, as a logout: there the throttles alone count.
type Mount struct {
	// What the API's paths begin with, as /api/auth/. A final slash is added.
	Path string `json:"path"`

	// The API.
	APIRaw json.RawMessage `json:"api" caddy:"namespace=rest_auth.endpoints inline_key=endpoint"`

	Settings
}

// load returns the routes of the API.
func (m *Mount) load(ctx caddy.Context, origin string, guards *guards, logins *loginLinks) ([]*route, error) {
	if err := m.resolvePath(); err != nil {
		return nil, err
	}
	if m.HeaderUp != nil {
		return nil, errors.New("header_up: an API here has no upstream")
	}
	name, err := inlineName(m.APIRaw)
	if err != nil {
		return nil, err
	}
	loaded, err := ctx.LoadModule(m, "APIRaw")
	if err != nil {
		return nil, fmt.Errorf("loading the API: %w", err)
	}
	endpoint, ok := loaded.(endpoints.Endpoint)
	if !ok {
		return nil, fmt.Errorf("loading the API: %T is not an endpoint", loaded)
	}
	if mounter, ok := endpoint.(endpoints.Mounter); ok {
		if err := mounter.Mount(endpoints.Mount{Path: m.Path, Origin: origin}); err != nil {
			return nil, err
		}
	}
	var routes []*route
	closed, fixed := 0, 0
	for _, described := range endpoint.Routes() {
		r, err := newRoute(name, m.Path, described)
		if err != nil {
			return nil, err
		}
		if refuser, ok := endpoint.(endpoints.Refuser); ok && described.Pages {
			r.refuser = refuser
		}
		if r.guard, err = guards.get(m.settings(described.Access), m.AuthenticatorsRaw == nil || described.Access.Fixed); err != nil {
			return nil, fmt.Errorf("%s: %w", r.pattern, err)
		}
		if m.closed(described.Access, r.guard) {
			closed++
		}
		if described.Access.Fixed {
			fixed++
		}
		routes = append(routes, r)
	}
	logins.add(endpoint)
	if closed > 0 && closed == len(routes) {
		return nil, errNobody
	}
	// The self-test's copy asks nobody anywhere, and requires somebody.
	off := m.AuthenticatorsRaw != nil && len(m.AuthenticatorsRaw) == 0
	if fixed == len(routes) && !off && (m.AuthenticatorsRaw != nil || len(m.PermissionsRaw) > 0) {
		return nil, errFixed
	}
	return routes, nil
}

var errNobody = errors.New("neither the mount nor the site's defaults have authenticators: nobody could pass; " +
	"add an `authenticate` line, or a `require` line that says what is meant")

// errFixed is for lines that somebody relies on, and that nothing would heed.
var errFixed = errors.New("`authenticate` and `require` lines have no effect: the API says itself who may use each of its paths")

// closed reports whether nobody can pass to a route, since it wants to know its
// callers by the site's defaults, and there are none.
func (m *Mount) closed(access endpoints.Access, guard *Handler) bool {
	return access.SiteDefaults && len(access.Permissions) > 0 && len(m.PermissionsRaw) == 0 && len(guard.policy.links) == 0
}

// settings returns those of one route. Lists are never inherited from the
// site's defaults unless the API asks for that: a login that needs a token could
// never begin.
func (m *Mount) settings(access endpoints.Access) Settings {
	s := m.Settings
	s.HeaderUp = []HeaderUp{}
	if s.Throttles == nil {
		s.Throttles = []Throttle{}
	}
	if access.Fixed {
		s.AuthenticatorsRaw, s.PermissionsRaw = nil, nil
	}
	if s.AuthenticatorsRaw == nil && !access.SiteDefaults {
		s.AuthenticatorsRaw = access.Authenticators
		if s.AuthenticatorsRaw == nil {
			s.AuthenticatorsRaw = []json.RawMessage{}
		}
	}
	if len(s.PermissionsRaw) == 0 {
		s.PermissionsRaw = access.Permissions
	}
	if len(s.PermissionsRaw) == 0 {
		s.PermissionsRaw = []json.RawMessage{[]byte(`{"permission":"allow_any"}`)}
	}
	s.AuthenticatorsRaw = cloneRaw(s.AuthenticatorsRaw)
	s.PermissionsRaw = cloneRaw(s.PermissionsRaw)
	return s
}

func (m *Mount) resolvePath() (err error) {
	if m.Path, err = caddy.NewReplacer().ReplaceOrErr(m.Path, true, true); err != nil {
		return err
	}
	if m.Path == "" {
		return errors.New("no path is given")
	}
	if !strings.HasSuffix(m.Path, "/") {
		m.Path += "/"
	}
	return checkMountPath(m.Path)
}

// checkMountPath refuses what no request could match, or what would be taken for
// a pattern.
func checkMountPath(path string) error {
	if !strings.HasPrefix(path, "/") {
		return fmt.Errorf("'%s' does not begin with a slash", path)
	}
	if i := strings.IndexAny(path, "{}*?#%\\ "); i >= 0 {
		return fmt.Errorf("'%s': '%c' cannot be in the path of a mount", path, path[i])
	}
	if cleanPath(path)+"/" != strings.TrimSuffix(path, "/")+"/" {
		return fmt.Errorf("'%s' is not a clean path", path)
	}
	return nil
}

func inlineName(raw json.RawMessage) (string, error) {
	var inline struct {
		Endpoint string `json:"endpoint"`
	}
	if len(raw) == 0 {
		return "", errors.New("no API is given")
	}
	if err := json.Unmarshal(raw, &inline); err != nil {
		return "", fmt.Errorf("loading the API: %w", err)
	}
	return inline.Endpoint, nil
}

// guards are the handlers that judge requests for the routes. Routes with the
// same settings share one.
type guards struct {
	ctx  caddy.Context
	made map[string]*Handler
}

func newGuards(ctx caddy.Context) *guards {
	return &guards{ctx: ctx, made: make(map[string]*Handler)}
}

// get returns the handler for settings, in which preset authenticators are the
// API's own choice.
func (g *guards) get(s Settings, preset bool) (*Handler, error) {
	encoded, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	key := fmt.Sprint(preset, string(encoded))
	if guard, ok := g.made[key]; ok {
		return guard, nil
	}
	guard := &Handler{Settings: s, preset: preset}
	if err := guard.Provision(g.ctx); err != nil {
		return nil, err
	}
	g.made[key] = guard
	return guard, nil
}

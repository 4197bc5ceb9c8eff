// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"fmt"
	"net/http"
	"strings"
)

// routeTable finds the route of a path.
type routeTable struct {
	exact    map[string]*route
	patterns []*route // with segments in braces
}

// add refuses a path that another route owns. A path without braces may be
// beside a pattern of the same API, and goes first.
func (t *routeTable) add(added *route) error {
	for _, other := range t.all() {
		if !overlap(other, added) || other.owner == added.owner && other.segments == nil != (added.segments == nil) {
			continue
		}
		return fmt.Errorf("%s of %s and %s of %s are one path: mount one of them elsewhere",
			shown(added), added.owner, shown(other), other.owner)
	}
	if added.segments != nil {
		t.patterns = append(t.patterns, added)
	} else {
		if t.exact == nil {
			t.exact = make(map[string]*route)
		}
		t.exact[added.pattern] = added
	}
	return nil
}

func (t *routeTable) all() []*route {
	all := append([]*route(nil), t.patterns...)
	for _, route := range t.exact {
		all = append(all, route)
	}
	return all
}

// find returns the route of a request, with the path's values set, or nil.
func (t *routeTable) find(r *http.Request) *route {
	path := cleanPath(r.URL.Path)
	if found, ok := t.exact[path]; ok {
		return found
	}
	for _, candidate := range t.patterns {
		if candidate.match(r, path) {
			return candidate
		}
	}
	return nil
}

// match reports whether the path is the route's, and sets the values that it
// has for the braces.
func (rt *route) match(r *http.Request, path string) bool {
	rest := path
	for i, segment := range rt.segments {
		value, after, more := strings.Cut(rest, "/")
		if more != (i < len(rt.segments)-1) || value == "" && i > 0 || value != segment && !isVariable(segment) {
			return false
		}
		rest = after
	}
	rest = path
	for _, segment := range rt.segments {
		value, after, _ := strings.Cut(rest, "/")
		if isVariable(segment) {
			r.SetPathValue(segment[1:len(segment)-1], value)
		}
		rest = after
	}
	return true
}

func isVariable(segment string) bool {
	return strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "}")
}

// overlap reports whether there is a path that both own.
func overlap(a, b *route) bool {
	left, right := strings.Split(a.pattern, "/"), strings.Split(b.pattern, "/")
	if len(left) != len(right) {
		return false
	}
	for i := range left {
		if left[i] != right[i] && !isVariable(left[i]) && !isVariable(right[i]) {
			return false
		}
	}
	return true
}

func shown(r *route) string { return r.pattern + "/" }

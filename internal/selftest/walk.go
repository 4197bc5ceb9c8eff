// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
)

// A step is one condition on the way to a handler.
type step struct {
	sets  []object // matcher sets, of which one has to match; none matches always
	strip string   // a prefix that was taken from the path here
}

// A way is what leads to a handler.
type way struct {
	steps  []step
	errors bool  // within error routes
	reply  reply // what the upstream before has to answer
}

func (w way) with(s step) way {
	w.steps = append(slices.Clone(w.steps), s)
	return w
}

// A walker goes through the routes of a server and collects every way there
// is, to proxies and to everything else: a request that is meant for another
// handler may show a way around one of ours.
type walker struct {
	server  *site
	proxies map[string]*proxy // by the address of their upstream
	ways    []way
	invoked []string // named routes that are being walked
}

func (w *walker) walk() {
	w.routes(list(w.server.raw["routes"]), way{})
	failed, _ := w.server.raw["errors"].(object)
	w.routes(list(failed["routes"]), way{errors: true})
}

func (w *walker) routes(routes []any, at way) {
	for _, route := range routes {
		route, ok := route.(object)
		if !ok {
			continue
		}
		within := at
		if sets := matchSets(route); len(sets) > 0 {
			within = at.with(step{sets: sets})
		}
		w.ways = append(w.ways, within)
		for _, handler := range list(route["handle"]) {
			handler, ok := handler.(object)
			if !ok {
				continue
			}
			if prefix, ok := handler["strip_path_prefix"].(string); ok && handler["handler"] == "rewrite" {
				// It is gone for what follows in the list, too.
				within, at = within.with(step{strip: prefix}), at.with(step{strip: prefix})
				continue
			}
			w.handler(handler, within)
		}
	}
}

func (w *walker) handler(handler object, at way) {
	switch handler["handler"] {
	case "rest_auth":
		if sets := matchSets(handler); len(sets) > 0 {
			w.ways = append(w.ways, at.with(step{sets: sets}))
		}
	case "reverse_proxy":
		for _, upstream := range list(handler["upstreams"]) {
			upstream, _ := upstream.(object)
			dial, _ := upstream["dial"].(string)
			if p := w.proxies[dial]; p != nil {
				for _, host := range hostsOf(at) {
					if !slices.Contains(p.sites, host) {
						p.sites = append(p.sites, host)
					}
				}
			}
		}
		w.responses(handler, at)
	case "intercept":
		w.responses(handler, at)
	case "invoke":
		name, _ := handler["name"].(string)
		named, _ := w.server.raw["named_routes"].(object)
		if slices.Contains(w.invoked, name) || named[name] == nil {
			return
		}
		w.invoked = append(w.invoked, name)
		w.routes([]any{named[name]}, at)
		w.invoked = w.invoked[:len(w.invoked)-1]
	default:
		w.nested(handler, at)
	}
}

// nested walks the routes that any handler may have.
func (w *walker) nested(handler object, at way) {
	for _, name := range slices.Sorted(maps.Keys(handler)) {
		switch field := handler[name].(type) {
		case []any:
			if name == "routes" {
				w.routes(field, at)
			}
		case object:
			inner := at
			inner.errors = at.errors || name == "errors"
			w.nested(field, inner)
		}
	}
}

// responses walks the routes that an upstream's answer chooses.
func (w *walker) responses(handler object, at way) {
	for _, response := range list(handler["handle_response"]) {
		response, ok := response.(object)
		if !ok {
			continue
		}
		within := at
		if match, ok := response["match"].(object); ok {
			within.reply = replyFor(match)
		}
		w.routes(list(response["routes"]), within)
	}
}

// replyFor returns an answer that a response matcher matches.
func replyFor(match object) reply {
	var r reply
	for _, code := range list(match["status_code"]) {
		if status := int(portOf(code, 0)); status > 0 {
			if r.status = status; status < 10 {
				r.status = status * 100
			}
			break
		}
	}
	headers, _ := match["headers"].(object)
	for name, values := range headers {
		value := "self-test"
		for _, pattern := range list(values) {
			if text, ok := pattern.(string); ok {
				value = fill(text)
				break
			}
		}
		if r.header == nil {
			r.header = make(map[string][]string)
		}
		r.header.Set(name, value)
	}
	return r
}

// hostsOf returns the last hosts that a way asks for.
func hostsOf(at way) []string {
	for _, s := range slices.Backward(at.steps) {
		var hosts []string
		for _, set := range s.sets {
			for _, host := range list(set["host"]) {
				if host, ok := host.(string); ok {
					hosts = append(hosts, host)
				}
			}
		}
		if len(hosts) > 0 {
			return hosts
		}
	}
	return nil
}

var statusPattern = regexp.MustCompile(`\b[45][0-9][0-9]\b`)

// statuses returns the errors that a way through error routes may want.
func statuses(at way) []int {
	found := []int{404, 500}
	for _, s := range at.steps {
		for _, set := range s.sets {
			for _, text := range statusPattern.FindAllString(expressionOf(set), -1) {
				if status, err := strconv.Atoi(text); err == nil && !slices.Contains(found, status) {
					found = append(found, status)
				}
			}
		}
	}
	return found
}

// expressionOf returns the CEL expression of a matcher set.
func expressionOf(set object) string {
	switch e := set["expression"].(type) {
	case string:
		return e
	case object:
		text, _ := e["expr"].(string)
		return text
	}
	return ""
}

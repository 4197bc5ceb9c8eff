// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// keptHandlers are handlers whose work concerns the request, its answer and
// the files of the site, and nothing else. Others are left out: nobody knows
// whom they would ask or what they would start.
var keptHandlers = []string{
	"copy_response", "copy_response_headers", "encode", "error", "file_server", "headers", "intercept", "invoke",
	"log_append", "map", "push", "request_body", "rewrite", "static_response", "subroute", "templates", "timeouts", "vars",
}

// value copies any part of a configuration. Handlers are found wherever they are.
func (c *copier) value(v any, where string) any {
	switch v := v.(type) {
	case []any:
		// An empty list is not the same to a matcher as none.
		copied := make([]any, 0, len(v))
		for i, item := range v {
			at := fmt.Sprintf("%s/%d", where, i)
			handler, _ := item.(object)
			if name, ok := handler["handler"].(string); ok {
				copied = append(copied, c.handler(name, handler, at)...)
				continue
			}
			copied = append(copied, c.value(item, at))
		}
		return copied
	case object:
		if name, ok := v["handler"].(string); ok {
			// Not in a list, so that nothing can be put beside it.
			if handlers := c.handler(name, v, where); len(handlers) == 1 {
				return handlers[0]
			}
			return object{"handler": "subroute", "routes": []any{object{"handle": c.handler(name, v, where)}}}
		}
		return c.fields(v, where)
	}
	return v
}

func (c *copier) fields(o object, where string) object {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		o[name] = c.value(o[name], where+"/"+name)
	}
	return o
}

// handler returns what stands for a handler in the copy.
func (c *copier) handler(name string, raw object, where string) []any {
	switch {
	case name == "rest_auth":
		return c.guard(raw, where)
	case name == "rest_auth_endpoints":
		return []any{c.fields(closed(raw), where)}
	case name == "reverse_proxy":
		return []any{c.proxy(raw, where)}
	case name == "authentication":
		return []any{object{"handler": name, "providers": object{"rest_auth_self_test": object{"token": c.lab.token}}}}
	case slices.Contains(keptHandlers, name) || slices.Contains(c.keep, name) || strings.HasPrefix(name, "rest_auth_"):
		return []any{c.fields(raw, where)}
	}
	c.leftOut["handler "+name] = "it may ask others"
	return nil
}

// guard copies a rest_auth handler: who the client is says the lab, and
// everybody is allowed, as often as the lab asks.
func (c *copier) guard(raw object, where string) []any {
	index := len(c.guards)
	lines, own := raw["header_up"]
	if !own {
		lines = c.defaults["header_up"]
	}
	g := guard{where: where}
	for _, line := range list(lines) {
		line, _ := line.(object)
		if name, ok := line["name"].(string); ok && line["delete"] != true {
			g.names = append(g.names, http.CanonicalHeaderKey(name))
		}
	}
	origins, own := raw["cors"]
	if !own {
		origins = c.defaults["cors"]
	}
	for _, origin := range list(origins) {
		if text, ok := origin.(string); ok && text != "*" && !strings.ContainsAny(text, "\r\n") && len(c.origins) < maxOptions {
			c.origins = union(c.origins, []string{text})
		}
	}
	authenticators, own := raw["authenticators"]
	if !own {
		authenticators = c.defaults["authenticators"]
	}
	// A handler that asks nobody has no known users.
	testers := []any{}
	if len(list(authenticators)) > 0 {
		testers = append(testers, object{"authenticator": "self_test", "token": c.lab.token, "guard": index})
	}
	for _, name := range believed(list(authenticators)) {
		g.inputs = append(g.inputs, http.CanonicalHeaderKey(name))
		testers = append(testers, object{"authenticator": "self_test", "token": c.lab.token, "input": name})
	}
	raw["authenticators"] = testers
	c.guards = append(c.guards, g)
	raw["permissions"] = []any{object{"permission": "allow_any"}}
	delete(raw, "throttles")
	return []any{c.waypoint("before", index), raw, c.waypoint("after", index)}
}

// closed returns endpoints that know nobody, and so issue nothing: who comes to
// their paths goes on to no upstream, whatever they answer. The authenticators
// of a mount may ask others.
func closed(raw object) object {
	for _, mount := range list(raw["mounts"]) {
		if mount, ok := mount.(object); ok {
			delete(mount, "throttles")
			mount["authenticators"] = []any{}
			mount["permissions"] = []any{object{"permission": "authenticated"}}
		}
	}
	return raw
}

// believed returns headers that authenticators believe of some peers, which
// the handler keeps from the upstream.
func believed(authenticators []any) []string {
	var names []string
	for _, raw := range authenticators {
		raw, _ := raw.(object)
		header, _ := raw["header"].(object)
		if name, ok := header["name"].(string); ok && raw["authenticator"] == "remote_user" {
			names = append(names, name)
		}
	}
	return names
}

// notProxied are fields of a proxy that decide which upstream it asks, and how
// often.
var notProxied = []string{"load_balancing", "health_checks", "dynamic_upstreams", "circuit_breaker", "upstreams", "verbose_logs"}

// proxy copies a reverse_proxy handler: its upstream is the lab's.
func (c *copier) proxy(raw object, where string) object {
	transport, _ := raw["transport"].(object)
	dials := upstreamsOf(raw)
	p := &proxy{where: where, upstream: strings.Join(dials, ", "), dials: addresses(dials), fastCGI: transport["protocol"] == "fastcgi"}
	index := len(c.proxies)
	c.proxies = append(c.proxies, p)
	u, err := c.lab.newUpstream(c.ctx, index, p.fastCGI)
	if err != nil {
		c.err = err
		return raw
	}
	c.upstreams = append(c.upstreams, u)
	for _, field := range notProxied {
		delete(raw, field)
	}
	raw = c.fields(raw, where)
	raw["upstreams"] = []any{object{"dial": u.address()}}
	raw["transport"] = c.transport(transport)
	return raw
}

func (c *copier) transport(raw object) object {
	protocol, _ := raw["protocol"].(string)
	if protocol == "fastcgi" {
		copied := object{"protocol": protocol}
		for _, field := range []string{"root", "split_path", "env"} {
			if raw[field] != nil {
				copied[field] = raw[field]
			}
		}
		return copied
	}
	if protocol != "" && protocol != "http" {
		c.leftOut["transport "+protocol] = "the lab's upstreams speak HTTP and FastCGI"
	}
	version := "1.1"
	versions := list(raw["versions"])
	if slices.Contains(versions, any("h2c")) || slices.Contains(versions, any("2")) && !slices.Contains(versions, any("1.1")) {
		version = "h2c"
	}
	return object{"protocol": "http", "versions": []any{version}}
}

// placeholders returns what the configuration reads of a request, as texts
// that begin with one of the prefixes.
func placeholders(config []byte, prefix string) []string {
	var found []string
	var texts func(v any)
	texts = func(v any) {
		switch v := v.(type) {
		case string:
			for rest := v; ; {
				_, after, ok := strings.Cut(rest, "{"+prefix)
				if !ok {
					return
				}
				name, _, closed := strings.Cut(after, "}")
				if closed && name != "" && !slices.Contains(found, name) {
					found = append(found, name)
				}
				rest = after
			}
		case []any:
			for _, item := range v {
				texts(item)
			}
		case object:
			for name, item := range v {
				texts(name)
				texts(item)
			}
		}
	}
	var root any
	if json.Unmarshal(config, &root) == nil {
		texts(root)
	}
	slices.Sort(found)
	return found
}

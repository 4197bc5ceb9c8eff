// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// A guard is one rest_auth handler.
type guard struct {
	where  string
	names  []string // of the headers that it sets
	inputs []string // of those that its authenticators believe
}

// A proxy is one reverse_proxy handler.
type proxy struct {
	where    string
	upstream string   // what its configuration says of the upstreams
	dials    []string // each of them, by a name that is the same wherever it is asked
	fastCGI  bool
	sites    []string // filled by the walk
}

// A site is a server of the configuration.
type site struct {
	name  string // in the configuration
	id    string // in the lab's network
	https bool   // whether its clients use TLS
	raw   object
}

type object = map[string]any

// A copier makes a harmless copy of a configuration: it listens on no port,
// asks nobody for certificates, stores and logs nothing, opens no database, and
// its proxies reach the lab's upstreams alone.
type copier struct {
	lab  *lab
	dir  string
	keep []string // modules that are kept although nobody knows what they do

	// ctx is for listening.
	ctx       context.Context
	defaults  object // of the rest_auth app
	sites     []*site
	guards    []guard
	proxies   []*proxy
	upstreams []*upstream
	origins   []string          // whose preflights are passed on
	leftOut   map[string]string // modules, with the reason
	err       error
}

// keptApps are those that the copy needs; all others are left out.
var keptApps = []string{"http", "rest_auth"}

// copy returns the copy of a configuration in JSON.
func (c *copier) copy(config []byte) ([]byte, error) {
	var root object
	decoder := json.NewDecoder(bytes.NewReader(config))
	decoder.UseNumber()
	if err := decoder.Decode(&root); err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	c.leftOut = make(map[string]string)
	c.origins = []string{"https://self-test.example"}
	apps, _ := root["apps"].(object)
	web, _ := apps["http"].(object)
	servers, _ := web["servers"].(object)
	if len(servers) == 0 {
		return nil, errors.New("the configuration has no HTTP server")
	}
	kept := object{
		"rest_auth": c.authApp(apps["rest_auth"]),
		// It is there whether anything uses it or not.
		"tls": object{"disable_storage_clean": true, "disable_storage_check": true},
	}
	for _, name := range slices.Sorted(maps.Keys(apps)) {
		if slices.Contains(c.keep, name) {
			kept[name] = apps[name]
		} else if !slices.Contains(keptApps, name) && !slices.Contains([]string{"tls", "pki"}, name) {
			c.leftOut["app "+name] = "it may listen, or ask others"
		}
	}
	// Ports decide what automatic HTTPS would do, before it is switched off.
	https := httpsPorts{http: portOf(web["http_port"], 80), https: portOf(web["https_port"], 443)}
	for i, name := range slices.Sorted(maps.Keys(servers)) {
		raw, ok := servers[name].(object)
		if !ok {
			continue
		}
		s := &site{name: name, id: strconv.Itoa(i), https: https.serves(raw), raw: raw}
		c.sites = append(c.sites, s)
		c.server(s)
	}
	if c.err != nil {
		return nil, c.err
	}
	kept["http"] = object{"servers": servers, "grace_period": json.Number("1000000000")}
	copied, err := json.Marshal(object{
		"admin":   object{"disabled": true, "config": object{"persist": false}},
		"storage": object{"module": "file_system", "root": c.dir},
		// What Caddy itself cannot do is for people; what a request brings
		// about is in the report.
		"logging": object{"logs": object{"default": object{
			"level": "ERROR", "writer": object{"output": "stderr"},
			"exclude": []any{"http", "rest_auth", "tls", "pki", "events"},
		}}},
		"apps": kept,
	})
	if err != nil {
		return nil, fmt.Errorf("encoding the copy: %w", err)
	}
	return copied, nil
}

// authApp returns the rest_auth app of the copy: an empty store in memory, no
// users, and defaults that admit everybody at any rate.
func (c *copier) authApp(raw any) object {
	app, _ := raw.(object)
	copied := object{
		"store":         object{"driver": "memory", "name": "self-test " + c.lab.token},
		"cache_entries": json.Number("1024"),
		// Its clients send what nobody accepts, to endpoints too.
		"login_throttle": object{"off": true},
	}
	defaults, ok := app["defaults"].(object)
	if !ok {
		return copied
	}
	// Handlers get authenticators and permissions of their own.
	c.defaults = maps.Clone(defaults)
	delete(defaults, "authenticators")
	delete(defaults, "permissions")
	delete(defaults, "throttles")
	copied["defaults"] = defaults
	return copied
}

// notCopied are fields of a server that have nothing to do with what becomes
// of a request.
var notCopied = []string{
	"listen", "listen_protocols", "listener_wrappers", "packet_conn_wrappers", "tls_connection_policies", "automatic_https",
	"logs", "metrics", "trace", "protocols", "allow_0rtt", "experimental_http3",
	"read_timeout", "read_header_timeout", "read_idle_timeout", "read_min_rate",
	"write_timeout", "write_idle_timeout", "write_min_rate", "idle_timeout",
}

func (c *copier) server(s *site) {
	if policies, ok := s.raw["tls_connection_policies"].([]any); ok {
		for _, policy := range policies {
			if policy, ok := policy.(object); ok && policy["client_authentication"] != nil {
				c.leftOut["client certificates of "+s.name] = "the copy has no TLS"
			}
		}
	}
	if source, ok := s.raw["trusted_proxies"].(object); ok && source["source"] != "static" {
		c.leftOut[fmt.Sprintf("trusted_proxies %v of %s", source["source"], s.name)] = "it may ask others"
		delete(s.raw, "trusted_proxies")
	}
	for _, field := range notCopied {
		delete(s.raw, field)
	}
	before := len(c.guards)
	for _, field := range []string{"routes", "errors", "named_routes"} {
		if s.raw[field] != nil {
			s.raw[field] = c.value(s.raw[field], "apps/http/servers/"+s.name+"/"+field)
		}
	}
	routes, _ := s.raw["routes"].([]any)
	entry := c.waypoint("entry", 0)
	entry["alone"] = len(c.guards) == before
	s.raw["routes"] = append([]any{object{"handle": []any{entry}}}, routes...)
	s.raw["listen"] = []any{networkName + "/" + c.lab.token + "." + s.id + ":80"}
	s.raw["protocols"] = []any{"h1", "h2c"}
	s.raw["automatic_https"] = object{"disable": true}
}

func (c *copier) waypoint(place string, guard int) object {
	return object{"handler": "rest_auth_self_test", "token": c.lab.token, "place": place, "guard": guard}
}

func (c *copier) close() {
	for _, u := range c.upstreams {
		u.close()
	}
}

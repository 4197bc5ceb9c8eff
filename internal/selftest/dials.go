// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// upstreamsOf says whom a proxy asks.
func upstreamsOf(raw object) []string {
	var dials []string
	for _, upstream := range list(raw["upstreams"]) {
		upstream, _ := upstream.(object)
		if dial, ok := upstream["dial"].(string); ok {
			dials = append(dials, dial)
		}
	}
	if dynamic, ok := raw["dynamic_upstreams"].(object); ok {
		said := []string{fmt.Sprint("dynamic ", dynamic["source"])}
		for _, field := range []string{"service", "proto", "name", "port"} {
			if text, ok := dynamic[field].(string); ok && text != "" {
				said = append(said, text)
			}
		}
		dials = append(dials, strings.Join(said, " "))
	}
	slices.Sort(dials)
	return dials
}

// addresses returns the names under which upstreams are compared.
func addresses(dials []string) []string {
	if len(dials) == 0 {
		return []string{""}
	}
	var names []string
	for _, dial := range dials {
		names = append(names, addressOf(dial))
	}
	return names
}

// addressOf returns what all ways to write an upstream's address have in
// common. What the environment does not say here stays as it is written.
func addressOf(dial string) string {
	if replaced, err := caddy.NewReplacer().ReplaceOrErr(dial, true, true); err == nil {
		dial = replaced
	}
	host, port, err := net.SplitHostPort(strings.TrimPrefix(dial, "tcp/"))
	if err != nil || strings.Contains(host, "/") {
		return dial // a socket, or no address
	}
	host = strings.ToLower(host)
	if ip, err := netip.ParseAddr(host); err == nil && ip.Unmap().IsLoopback() || host == "" {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

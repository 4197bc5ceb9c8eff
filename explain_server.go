// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// chooseServer finds the server that gets the request. It never guesses: the
// answer of the wrong one would be believed.
func chooseServer(app *caddyhttp.App, in *explainRequest) (string, *caddyhttp.Server, error) {
	if in.Server != "" {
		if server, ok := app.Servers[in.Server]; ok {
			return in.Server, server, nil
		}
		return "", nil, fmt.Errorf("server: there is none of that name; there are %s", listeners(app))
	}
	found := listening(app, in.url, portOf(in.url))
	switch len(found) {
	case 1:
		return found[0], app.Servers[found[0]], nil
	case 0:
		return "", nil, fmt.Errorf("no server listens on port %d of that address; name one with server: %s", portOf(in.url), listeners(app))
	}
	return "", nil, fmt.Errorf("several servers listen on port %d; name one with server: %s", portOf(in.url), listeners(app))
}

// portOf returns the port that a client would connect to.
func portOf(u *url.URL) int {
	if port, err := strconv.Atoi(u.Port()); err == nil {
		return port
	}
	if u.Scheme == "https" {
		return 443
	}
	return 80
}

// listening returns the servers with a listener on the port. Where the host of
// the URL is an address, one that listens on that very address comes before
// those that listen on all.
func listening(app *caddyhttp.App, u *url.URL, port int) []string {
	wanted, err := netip.ParseAddr(u.Hostname())
	isAddress := err == nil
	var exact, all []string
	for _, name := range slices.Sorted(maps.Keys(app.Servers)) {
		for _, listen := range app.Servers[name].Listen {
			address, err := caddy.ParseNetworkAddress(listen)
			if err != nil || address.IsUnixNetwork() || address.IsFdNetwork() ||
				uint(port) < address.StartPort || uint(port) > address.EndPort {
				continue
			}
			bound, err := netip.ParseAddr(address.Host)
			switch {
			case err == nil && isAddress && bound == wanted:
				exact = append(exact, name)
			case err == nil && isAddress && !bound.IsUnspecified():
				// Another address of this machine.
			default:
				all = append(all, name)
			}
		}
	}
	if len(exact) > 0 {
		return slices.Compact(exact)
	}
	return slices.Compact(all)
}

// listeners names the servers and where they listen, for people.
func listeners(app *caddyhttp.App) string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(app.Servers)) {
		names = append(names, name+" ("+strings.Join(app.Servers[name].Listen, ", ")+")")
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

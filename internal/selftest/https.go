// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/caddyserver/caddy/v2"
)

// httpsPorts are the ports of the http app.
type httpsPorts struct{ http, https uint }

func portOf(raw any, otherwise uint) uint {
	number, ok := raw.(json.Number)
	if !ok {
		return otherwise
	}
	port, err := strconv.ParseUint(number.String(), 10, 16)
	if err != nil || port == 0 {
		return otherwise
	}
	return uint(port)
}

// serves guesses whether clients of a server use TLS, as automatic HTTPS would
// decide: what the site writes of {scheme} depends on it, and matchers may.
func (p httpsPorts) serves(server object) bool {
	plain := true
	for _, address := range list(server["listen"]) {
		text, _ := address.(string)
		parsed, err := caddy.ParseNetworkAddress(text)
		if err != nil {
			continue
		}
		if parsed.StartPort == p.https {
			return true
		}
		plain = plain && parsed.StartPort == p.http
	}
	if plain {
		return false
	}
	if len(list(server["tls_connection_policies"])) > 0 {
		return true
	}
	automatic, _ := server["automatic_https"].(object)
	if automatic["disable"] == true {
		return false
	}
	skipped := list(automatic["skip"])
	for _, route := range list(server["routes"]) {
		for _, set := range matchSets(route) {
			for _, host := range list(set["host"]) {
				if !slices.Contains(skipped, host) {
					return true
				}
			}
		}
	}
	return false
}

// list returns a JSON array, or nil.
func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// matchSets returns the matcher sets of a route or handler.
func matchSets(v any) []object {
	o, _ := v.(object)
	var sets []object
	for _, set := range list(o["match"]) {
		if set, ok := set.(object); ok {
			sets = append(sets, set)
		}
	}
	return sets
}

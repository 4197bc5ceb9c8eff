// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"encoding/json"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// framing are headers that a request cannot be spoofed with.
var framing = []string{"host", "connection", "content-length", "transfer-encoding", "trailer", "upgrade", "te"}

// maxValues bounds the values that are tried of one source.
const maxValues = 8

// sourcesOf returns requests by which a client could fill what the
// configuration reads of a request: as {header.X-User}, or as {re.user.1} of
// what a regular expression finds.
func sourcesOf(config []byte, marker string) []variant {
	var found []variant
	read := expressionsOf(config)
	values := []string{marker}
	for _, pattern := range read.patterns {
		if value, ok := markedSample(pattern, marker); ok && len(values) < maxValues && httpguts.ValidHeaderFieldValue(value) {
			values = union(values, []string{value})
		}
	}
	for _, name := range union(placeholders(config, "http.request.header."), read.headers) {
		if !httpguts.ValidHeaderFieldName(name) || slices.Contains(framing, fold(name)) {
			continue
		}
		for _, value := range values {
			found = append(found, variant{label: name + ": …", lines: []string{name + ": " + value}})
		}
	}
	for _, name := range placeholders(config, "http.request.cookie.") {
		for _, value := range values {
			found = append(found, variant{label: "Cookie: " + name + "=…", lines: []string{"Cookie: " + name + "=" + value}})
		}
	}
	for _, name := range placeholders(config, "http.request.uri.query.") {
		for _, value := range values {
			found = append(found, variant{label: "?" + name + "=…", query: name + "=" + value})
		}
	}
	for _, value := range values {
		if strings.HasPrefix(value, "/") {
			found = append(found, variant{label: "in the path", path: escapePath(value)})
		}
	}
	for _, prefix := range []string{"http.request.uri.path.", "http.request.orig_uri.path."} {
		for _, name := range placeholders(config, prefix) {
			if n, err := strconv.ParseUint(name, 10, 4); err == nil {
				found = append(found, variant{label: "in the path", path: strings.Repeat("/"+filler, int(n)) + "/" + marker})
			}
		}
	}
	return found
}

// expressions are the regular expressions of a configuration, and the headers
// that some of them search.
type expressions struct{ patterns, headers []string }

var searches = regexp.MustCompile(`\b(header|path|vars)_regexp\(\s*((?:(?:'[^']*'|"[^"]*")\s*,?\s*)+)\)`)

func expressionsOf(config []byte) expressions {
	var found expressions
	var search func(name string, v any)
	search = func(name string, v any) {
		switch v := v.(type) {
		case string:
			if name == "pattern" || name == "input_regexp" {
				found.patterns = union(found.patterns, []string{v})
			}
			for _, call := range searches.FindAllStringSubmatch(v, -1) {
				var arguments []string
				for _, literal := range literals.FindAllStringSubmatch(call[2], -1) {
					arguments = append(arguments, literal[1]+literal[2])
				}
				if n := len(arguments); n > 0 {
					found.patterns = union(found.patterns, arguments[n-1:])
					if n > 1 && call[1] == "header" {
						found.headers = union(found.headers, arguments[n-2:n-1])
					}
				}
			}
		case []any:
			for _, item := range v {
				search("", item)
			}
		case object:
			if name == "header_regexp" {
				found.headers = union(found.headers, slices.Sorted(maps.Keys(v)))
			}
			for _, field := range slices.Sorted(maps.Keys(v)) {
				search(field, v[field])
			}
		}
	}
	var root any
	if json.Unmarshal(config, &root) == nil {
		search("", root)
	}
	return found
}

// markedSample returns a text in which an expression finds the marker.
func markedSample(pattern, marker string) (string, bool) {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", false
	}
	mark(parsed, marker)
	var b strings.Builder
	writeSample(&b, parsed, 0)
	compiled, err := regexp.Compile(pattern)
	if err != nil {
		return "", false
	}
	groups := compiled.FindStringSubmatch(b.String())
	return b.String(), len(groups) > 1 && slices.ContainsFunc(groups[1:], func(group string) bool { return strings.Contains(group, marker) })
}

// mark has each group of an expression match the marker alone.
func mark(re *syntax.Regexp, marker string) {
	if re.Op == syntax.OpCapture {
		re.Sub = []*syntax.Regexp{{Op: syntax.OpLiteral, Rune: []rune(marker)}}
		return
	}
	for _, sub := range re.Sub {
		mark(sub, marker)
	}
}

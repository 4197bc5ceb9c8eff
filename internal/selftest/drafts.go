// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"maps"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A draft is what some matchers ask of a request. The zero value asks nothing.
type draft struct {
	method, host, scheme string
	h2                   bool
	from                 netip.Addr
	paths, strip         []string
	header               []string
	query                url.Values
}

// merge adds what inner conditions ask, which come last and decide.
func (d draft) merge(inner draft) draft {
	keep := func(outer, inner string) string {
		if inner != "" {
			return inner
		}
		return outer
	}
	d.method, d.scheme, d.host = keep(d.method, inner.method), keep(d.scheme, inner.scheme), keep(d.host, inner.host)
	d.h2 = d.h2 || inner.h2
	if inner.from.IsValid() {
		d.from = inner.from
	}
	d.paths = append(slices.Clone(d.paths), inner.paths...)
	d.strip = append(slices.Clone(d.strip), inner.strip...)
	d.header = append(slices.Clone(d.header), inner.header...)
	if len(inner.query) > 0 {
		merged := maps.Clone(d.query)
		if merged == nil {
			merged = make(url.Values)
		}
		maps.Copy(merged, inner.query)
		d.query = merged
	}
	return d
}

// fromSet returns drafts of requests that a matcher set matches.
func fromSet(set object) []draft {
	var options [][]draft
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if made := fromMatcher(name, set[name]); len(made) > 0 {
			options = append(options, made)
		}
	}
	return product(options)
}

// maxOptions bounds what is tried of one matcher.
const maxOptions = 6

// fromMatcher returns drafts for one matcher; none if it asks nothing that is
// known here.
func fromMatcher(name string, raw any) []draft {
	var drafts []draft
	each := func(v any, make func(text string) (draft, bool)) {
		for _, item := range list(v) {
			if text, ok := item.(string); ok && len(drafts) < maxOptions {
				if d, ok := make(text); ok {
					drafts = append(drafts, d)
				}
			}
		}
	}
	o, _ := raw.(object)
	switch name {
	case "host":
		each(raw, func(text string) (draft, bool) { return draft{host: sampleHost(text)}, true })
	case "path":
		each(raw, func(text string) (draft, bool) { return draft{paths: []string{samplePath(text)}}, true })
	case "method":
		each(raw, func(text string) (draft, bool) { return draft{method: strings.ToUpper(text)}, true })
	case "remote_ip", "client_ip":
		each(o["ranges"], func(text string) (draft, bool) {
			address, ok := sampleAddress(text)
			return draft{from: address}, ok
		})
	case "path_regexp":
		pattern, _ := o["pattern"].(string)
		if path, ok := sampleRegexp(pattern); ok {
			drafts = append(drafts, draft{paths: []string{"/" + strings.TrimPrefix(path, "/")}})
		}
	case "protocol":
		text, _ := raw.(string)
		drafts = append(drafts, fromProtocol(text))
	case "header", "header_regexp":
		for _, field := range slices.Sorted(maps.Keys(o)) {
			if line, ok := headerLine(name, field, o[field]); ok {
				drafts = product([][]draft{orNothing(drafts), {{header: []string{line}}}})
			}
		}
	case "query":
		query := make(url.Values)
		for field, values := range o {
			for _, value := range list(values) {
				if text, ok := value.(string); ok {
					query.Set(fill(field), fill(text))
					break
				}
			}
		}
		drafts = append(drafts, draft{query: query})
	case "not":
		// What it lets through first; what it does not may show another way.
		drafts = append(drafts, draft{})
		for _, set := range list(raw) {
			if set, ok := set.(object); ok {
				drafts = append(drafts, fromSet(set)...)
			}
		}
	case "expression":
		drafts = fromExpression(expressionOf(object{"expression": raw}))
	}
	return drafts
}

func orNothing(drafts []draft) []draft {
	if len(drafts) == 0 {
		return []draft{{}}
	}
	return drafts
}

func fromProtocol(text string) draft {
	switch text {
	case "http", "https":
		return draft{scheme: text}
	case "grpc":
		return draft{header: []string{"Content-Type: application/grpc"}}
	case "http/2", "http/2+":
		return draft{h2: true}
	}
	return draft{}
}

// headerLine returns a line that a header matcher matches.
func headerLine(matcher, field string, raw any) (string, bool) {
	value := filler
	switch raw := raw.(type) {
	case nil:
		return "", false // it must not be there
	case []any:
		if len(raw) > 0 {
			text, _ := raw[0].(string)
			value = fill(text)
		}
	case object:
		pattern, _ := raw["pattern"].(string)
		sample, ok := sampleRegexp(pattern)
		if !ok || matcher != "header_regexp" {
			return "", false
		}
		value = sample
	}
	if strings.EqualFold(field, "Host") || strings.ContainsAny(value, "\r\n") {
		return "", false
	}
	return field + ": " + value, true
}

// calls are the functions of CEL that stand for matchers.
var (
	calls    = regexp.MustCompile(`\b(host|path|method|remote_ip|client_ip|protocol|path_regexp)\(([^()]*)\)`)
	equals   = regexp.MustCompile(`\{(?:http\.request\.)?(method|host|uri\.path|path)\}\s*==\s*(?:'([^']*)'|"([^"]*)")`)
	literals = regexp.MustCompile(`'([^']*)'|"([^"]*)"`)
)

// fromExpression reads from a CEL expression what it is likely to ask: the
// matchers that it calls and the values that it compares with.
func fromExpression(text string) []draft {
	drafts := []draft{{}}
	for _, call := range calls.FindAllStringSubmatch(text, -1) {
		var arguments []any
		for _, literal := range literals.FindAllStringSubmatch(call[2], -1) {
			arguments = append(arguments, literal[1]+literal[2])
		}
		if len(arguments) == 0 {
			continue
		}
		var raw any = arguments
		switch call[1] {
		case "remote_ip", "client_ip":
			raw = object{"ranges": arguments}
		case "protocol":
			raw = arguments[0]
		case "path_regexp":
			raw = object{"pattern": arguments[len(arguments)-1]}
		}
		drafts = append(drafts, fromMatcher(call[1], raw)...)
	}
	for _, compared := range equals.FindAllStringSubmatch(text, -1) {
		name := strings.TrimPrefix(compared[1], "uri.")
		drafts = append(drafts, fromMatcher(name, []any{compared[2] + compared[3]})...)
	}
	if len(drafts) == 1 {
		return drafts
	}
	// All together, as for &&; then each alone.
	together := draft{}
	for _, d := range drafts {
		together = together.merge(d)
	}
	return append([]draft{together}, drafts...)
}

func escapePath(path string) string { return (&url.URL{Path: path}).EscapedPath() }

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// A variant is one way in which a client may try to be believed.
type variant struct {
	// label says it to people, with … for the value.
	label string
	// lines are header lines as they go over the wire; in HTTP/2 they are
	// split again.
	lines []string
	// trailers are lines after the body, which is chunked then.
	trailers []string
	// http1 is a variant that HTTP/2 cannot express.
	http1 bool
	// absolute sends the target in absolute form, http10 in that version.
	absolute, http10 bool
	// origin sends its CORS preflight in place of the request.
	origin string
	// method takes the place of the request's.
	method string
	// path takes the place of the request's.
	path string
	// query is appended to the target.
	query string
	// nominates is a variant that sends no value of its own: it tries to have
	// the true one removed.
	nominates bool
}

// variants returns every way to spoof one header with a value.
func variants(name, value string) []variant {
	var all []variant
	for _, spelling := range Spellings(name) {
		all = append(all, variant{label: spelling + ": …", lines: []string{spelling + ": " + value}})
	}
	line, low := name+": "+value, strings.ReplaceAll(name, "-", "_")+": "+value
	dotted := strings.ReplaceAll(name, "-", ".") + ": " + value
	all = append(all,
		variant{label: name + ", twice", lines: []string{line, line}},
		variant{label: name + " and its spelling with _", lines: []string{line, low}},
		variant{label: name + " and its spelling with .", lines: []string{dotted, line}},
		variant{label: name + ", first empty", lines: []string{name + ":", line}},
		variant{label: name + ", then empty", lines: []string{line, name + ":"}},
		variant{label: name + " with blanks around the value", lines: []string{name + ": \t " + value + " \t"}},
		variant{label: name + " as a list", lines: []string{name + ": nobody, " + value}},
		variant{label: name + " without a blank", lines: []string{name + ":" + value}},
		variant{label: name + " on a folded line", lines: []string{name + ": nobody\r\n " + value}, http1: true},
		variant{label: name + " on a folded line of another header", lines: []string{"X-Note: nobody\r\n\t" + line}, http1: true},
		variant{label: name + " with a blank before the colon", lines: []string{name + " : " + value}, http1: true},
		variant{label: name + " after a bare line feed", lines: []string{"X-Note: nobody\n" + line}, http1: true},
		variant{label: name + " after a bare carriage return", lines: []string{"X-Note: nobody\r" + line}, http1: true},
		variant{label: name + " in HTTP/1.0", lines: []string{line}, http1: true, http10: true},
		variant{label: name + ", absolute target", lines: []string{line}, http1: true, absolute: true},
		variant{label: name + " behind many others", lines: append(slices.Clone(crowd), line)},
		variant{label: name + " with an upgrade", lines: []string{"Connection: Upgrade, " + name, "Upgrade: websocket", line, low}, http1: true},
		variant{label: "Trailer: " + name, lines: []string{"Trailer: " + name}, trailers: []string{line}},
		variant{label: name + " as an unannounced trailer", trailers: []string{line}, http1: true},
		variant{label: name + " as a trailer beside an announced one", lines: []string{"Trailer: X-Note"}, trailers: []string{"X-Note: 1", line, low}, http1: true},
		variant{label: "Trailer: " + strings.ToLower(name) + ", with _ and .", lines: []string{"Trailer: " + fieldOf(low) + ", " + fieldOf(dotted)}, trailers: []string{low, dotted}},
	)
	// A filter that goes by method may be one that nobody can read off the matchers.
	for _, method := range []string{http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
		all = append(all, variant{label: name + " with " + method, lines: []string{line}, method: method})
	}
	return append(all, nominations(name)...)
}

// crowd are more headers than a request has.
var crowd = func() (lines []string) {
	for i := range 64 {
		lines = append(lines, fmt.Sprintf("X-Note-%d: nobody", i))
	}
	return lines
}()

// preflights returns the header in a CORS preflight of each origin.
func preflights(name, value string, origins []string) []variant {
	var all []variant
	for _, origin := range origins {
		all = append(all, variant{label: name + " in a CORS preflight of " + origin, lines: []string{name + ": " + value}, origin: origin})
	}
	return all
}

// nominations returns ways to have a proxy delete the true header, as one that
// concerns the connection only.
func nominations(name string) []variant {
	var all []variant
	for _, options := range []string{name, "close, " + name, strings.ToLower(name), "keep-alive, " + strings.ToUpper(name) + ", X-Note", name + ",," + name} {
		all = append(all, variant{label: "Connection: " + options, lines: []string{"Connection: " + options}, http1: true, nominates: true})
	}
	return append(all, variant{
		label: "Connection, twice: " + name,
		lines: []string{"Connection: keep-alive", "Connection: \t" + name}, http1: true, nominates: true,
	})
}

// fieldOf returns the name of a header line.
func fieldOf(line string) string {
	name, _, _ := strings.Cut(line, ":")
	return name
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// A request is one that the site may be asked, without anything spoofed.
type request struct {
	server string // its id in the lab's network
	https  bool
	h2     bool
	from   netip.Addr
	method string
	host   string
	target string // path and query
	header []string
	fails  int // the status of an error behind the rest_auth handlers
	reply  reply
}

// tooLong is a method that Caddy refuses before any route: such a request
// meets the error routes alone, and every client can send it.
var tooLong = strings.Repeat("A", 33)

// String says the request without what may be a secret: values of headers, and
// the query.
func (r *request) String() string {
	scheme := "http"
	if r.https {
		scheme = "https"
	}
	method := r.method
	if method == tooLong {
		method = "AAAA… (33 letters)"
	}
	path, _, _ := strings.Cut(r.target, "?")
	said := fmt.Sprintf("%s %s://%s%s", method, scheme, r.host, path)
	if path != r.target {
		said += "?…"
	}
	for _, line := range r.header {
		said += " with " + fieldOf(line)
	}
	if r.from != fromHere {
		said += " from " + r.from.String()
	}
	if r.fails != 0 {
		said += fmt.Sprintf(" and an error %d behind rest_auth", r.fails)
	}
	if r.reply.status != 0 {
		said += fmt.Sprintf(" answered %d", r.reply.status)
	}
	return said
}

// fromHere is where clients come from that no matcher wants elsewhere.
var fromHere = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// parseURL returns the request that a --url stands for: an absolute URL, with
// a method before it if it is not GET.
func parseURL(text string) (*request, error) {
	method := http.MethodGet
	if before, after, ok := strings.Cut(text, " "); ok {
		method, text = before, after
	}
	parsed, err := url.Parse(text)
	if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
		return nil, fmt.Errorf("'%s' is not a URL like https://example.com/path", redactURL(text))
	}
	return &request{
		https: parsed.Scheme == "https", from: fromHere,
		method: method, host: parsed.Host, target: parsed.RequestURI(),
	}, nil
}

// redactURL drops what may be a secret of a text that may not be a URL.
func redactURL(text string) string {
	text, _, _ = strings.Cut(text, "?")
	if _, after, ok := strings.Cut(text, "@"); ok {
		return after
	}
	return text
}

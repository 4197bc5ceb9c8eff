// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"golang.org/x/net/http/httpguts"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/headername"
)

// HeaderUp is one header of the request to the upstream.
//
// A header that is set here is ours alone: whatever the client sent under its
// name is removed first, whether the request is allowed or refused, in the
// header, in the trailers, and under every spelling that CGI, WSGI or PHP would
// read as the same (`Remote_User`, `Remote.User`). A client cannot have it
// dropped by naming it in its Connection header either.
//
// This holds for the requests that the handler's matcher leaves out, too. In JSON
// it does not hold for those that a matcher of the route keeps from the handler.
type HeaderUp struct {
	// The name of the header.
	Name string `json:"name"`

	// What it is set to; placeholders are expanded, and what they expand to is
	// data. An empty value sets nothing.
	Value string `json:"value,omitempty"`

	// Removes the header from requests that are allowed, as the credentials
	// that an upstream does not need. A rest_auth handler that comes later does
	// not see it either.
	Delete bool `json:"delete,omitempty"`
}

// unsettable are headers by which a request is framed or routed. Setting them
// would have no effect or change where the message ends.
var unsettable = []string{
	"Host", "Connection", "Content-Length", "Transfer-Encoding", "Trailer", "Upgrade", "Te", "Keep-Alive", "Proxy-Connection",
}

// headerRules are the header_up lines of a handler.
type headerRules struct {
	set    []HeaderUp
	delete []string
	inputs []string // headers that authenticators believe
	query  []string // parameters of the query that authenticators read
}

func newHeaderRules(lines []HeaderUp) (*headerRules, error) {
	rules := new(headerRules)
	for _, line := range lines {
		if !httpguts.ValidHeaderFieldName(line.Name) {
			return nil, fmt.Errorf("'%s' is not a header name", line.Name)
		}
		line.Name = http.CanonicalHeaderKey(line.Name)
		for _, name := range unsettable {
			if sameHeader(line.Name, name) {
				return nil, fmt.Errorf("%s cannot be changed here", line.Name)
			}
		}
		switch {
		case line.Delete && line.Value != "":
			return nil, fmt.Errorf("%s is both set and deleted", line.Name)
		case line.Delete:
			rules.delete = append(rules.delete, line.Name)
		case line.Value == "":
			return nil, fmt.Errorf("%s has no value", line.Name)
		case !httpguts.ValidHeaderFieldValue(line.Value):
			return nil, fmt.Errorf("%s: the value has control characters", line.Name)
		default:
			rules.set = append(rules.set, line)
		}
	}
	for _, line := range rules.set {
		for _, name := range rules.delete {
			if sameHeader(line.Name, name) {
				return nil, errors.New(line.Name + " is both set and deleted")
			}
		}
	}
	return rules, nil
}

// strip removes what the client sent under the names that are set here, and
// under those that authenticators believe: an upstream may believe them too.
func (h *headerRules) strip(r *http.Request) {
	stripQuery(r, h.query)
	if len(h.set) == 0 && len(h.inputs) == 0 {
		return
	}
	for name := range r.Header {
		if h.ours(name) {
			delete(r.Header, name)
		}
	}
	h.stripConnection(r.Header)
	h.stripTrailers(r, h.ours)
}

// stripUnjudged is strip for a request that goes on without this handler's
// word: what another handler has told the upstream stays.
func (h *headerRules) stripUnjudged(r *http.Request) {
	state, ok := caddyhttp.GetVar(r.Context(), stateVar).(*requestState)
	if !ok || state.told == nil {
		h.strip(r)
		return
	}
	kept := make(http.Header)
	for name, lines := range r.Header {
		if state.tells(name) {
			kept[name] = lines
		}
	}
	h.strip(r)
	maps.Copy(r.Header, kept)
}

// apply sets and deletes headers of a request that is allowed.
func (h *headerRules) apply(r *http.Request) {
	if len(h.delete) > 0 {
		for name := range r.Header {
			if h.deletes(name) {
				delete(r.Header, name)
			}
		}
		h.stripTrailers(r, h.deletes)
	}
	if len(h.set) == 0 {
		return
	}
	replacer, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return
	}
	for i := range h.set {
		// Values that could start another line are dropped, not repaired: a
		// repaired name might be somebody else's.
		value := replacer.ReplaceAll(h.set[i].Value, "")
		if value != "" && httpguts.ValidHeaderFieldValue(value) {
			r.Header[h.set[i].Name] = append(r.Header[h.set[i].Name], value)
		}
	}
}

func (h *headerRules) ours(name string) bool {
	for _, input := range h.inputs {
		if sameHeader(input, name) {
			return true
		}
	}
	return h.sets(name)
}

func (h *headerRules) sets(name string) bool {
	for i := range h.set {
		if sameHeader(h.set[i].Name, name) {
			return true
		}
	}
	return false
}

// names reports whether a line sets the header under exactly this name.
func (h *headerRules) names(name string) bool {
	return slices.ContainsFunc(h.set, func(line HeaderUp) bool { return line.Name == name })
}

func (h *headerRules) deletes(name string) bool {
	for _, deleted := range h.delete {
		if sameHeader(deleted, name) {
			return true
		}
	}
	return false
}

// stripConnection takes our names out of the client's Connection lines: a
// proxy deletes every header that is named there (RFC 9110 section 7.6.1).
func (h *headerRules) stripConnection(header http.Header) {
	lines := header["Connection"]
	kept := lines[:0:0]
	changed := false
	for _, line := range lines {
		var options []string
		for option := range strings.SplitSeq(line, ",") {
			if h.sets(strings.TrimSpace(option)) {
				changed = true
				continue
			}
			options = append(options, option)
		}
		if len(options) > 0 {
			kept = append(kept, strings.Join(options, ","))
		}
	}
	switch {
	case !changed:
	case len(kept) == 0:
		delete(header, "Connection")
	default:
		header["Connection"] = kept
	}
}

// stripTrailers removes trailers now and again at the end of the body, where
// net/http adds those that arrived.
func (h *headerRules) stripTrailers(r *http.Request, ours func(string) bool) {
	if r.Trailer == nil {
		return
	}
	deleteTrailers(r.Trailer, ours)
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &trailerStripper{ReadCloser: r.Body, trailer: r.Trailer, ours: ours}
	}
}

// trailerStripper is a request body whose trailers lose what is ours.
type trailerStripper struct {
	io.ReadCloser
	trailer http.Header
	ours    func(string) bool
}

func (t *trailerStripper) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if err != nil {
		deleteTrailers(t.trailer, t.ours)
	}
	return n, err
}

func deleteTrailers(trailer http.Header, ours func(string) bool) {
	for name := range trailer {
		if ours(name) {
			delete(trailer, name)
		}
	}
}

// sameHeader reports whether a program behind us could take one name for the
// other.
func sameHeader(a, b string) bool { return headername.Same(a, b) }

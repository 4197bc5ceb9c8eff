// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"golang.org/x/net/http/httpguts"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/headername"
)

// RemoteHeader is a header that a proxy writes the name of the user into.
//
// It is believed from the peers that are named here, and from nobody else: the
// address is that of the connection, never one in a header as X-Forwarded-For.
// Whoever sent it, the header does not reach the upstream, in no spelling: what
// the upstream is told is what `header_up` says.
type RemoteHeader struct {
	// The name of the header.
	Name string `json:"name"`

	// Addresses and ranges (CIDR) of the proxies. The word private_ranges stands for
	// the private ones, as elsewhere in Caddy, and unix for whoever can connect
	// to a Unix socket that Caddy listens on. An IPv6 zone is ignored, and
	// an IPv4 address that is written as IPv6 is that IPv4 address.
	From []string `json:"from"`

	ranges []netip.Prefix
	unix   bool
	seen   string // the variable that keeps what the peer sent
}

// secretHeaders hold what is no name.
var secretHeaders = []string{"Authorization", "Proxy-Authorization", "Cookie", "Host", "Connection", "Forwarded"}

func (h *RemoteHeader) provision() error {
	if !httpguts.ValidHeaderFieldName(h.Name) {
		return fmt.Errorf("'%s' is not a header name", h.Name)
	}
	if strings.ContainsAny(h.Name, "_.") {
		return fmt.Errorf("'%s' contains '_' or '.', which other programs read as '-'", h.Name)
	}
	h.Name = http.CanonicalHeaderKey(h.Name)
	for _, name := range secretHeaders {
		if headername.Same(h.Name, name) {
			return fmt.Errorf("%s does not hold the name of a user", h.Name)
		}
	}
	if len(h.From) == 0 {
		return errors.New("nobody is named who may send it")
	}
	replacer := caddy.NewReplacer()
	for i, word := range h.From {
		word, err := replacer.ReplaceOrErr(word, true, true)
		if err != nil {
			return fmt.Errorf("from: %w", err)
		}
		h.From[i] = word
		switch word {
		case "unix":
			h.unix = true
			continue
		case "private_ranges":
			for _, private := range caddyhttp.PrivateRangesCIDR() {
				prefix, err := caddyhttp.CIDRExpressionToPrefix(private)
				if err != nil {
					return err
				}
				h.ranges = append(h.ranges, prefix.Masked())
			}
			continue
		}
		prefix, err := parseRange(word)
		if err != nil {
			return fmt.Errorf("from: %w", err)
		}
		h.ranges = append(h.ranges, prefix)
	}
	h.seen = "rest_auth.header." + h.Name
	return nil
}

func parseRange(word string) (netip.Prefix, error) {
	if strings.Contains(word, "%") {
		return netip.Prefix{}, fmt.Errorf("'%s': a zone cannot be told apart from another", word)
	}
	prefix, err := caddyhttp.CIDRExpressionToPrefix(word)
	if err != nil {
		return netip.Prefix{}, err
	}
	if prefix.Addr().Is4In6() {
		if prefix.Bits() < 96 {
			return netip.Prefix{}, fmt.Errorf("'%s' is wider than all of IPv4", word)
		}
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	if prefix.Bits() == 0 {
		return netip.Prefix{}, fmt.Errorf("'%s' is everybody, and everybody could be any user then", word)
	}
	return prefix.Masked(), nil
}

// trusts reports whether the peer of the connection is one of those named.
func (h *RemoteHeader) trusts(r *http.Request) bool {
	// The address of QUIC early data may be forged until the handshake is over.
	if r.TLS != nil && !r.TLS.HandshakeComplete {
		return false
	}
	// The address of a peer on a Unix socket is the path that it chose for its
	// own end, which may look like any other address.
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && strings.HasPrefix(local.Network(), "unix") {
		return h.unix
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	address := peer.Addr().WithZone("").Unmap()
	return slices.ContainsFunc(h.ranges, func(trusted netip.Prefix) bool { return trusted.Contains(address) })
}

// sent is what a peer sent under one name and its other spellings.
type sent struct {
	lines     []string
	spellings bool // there are others beside it
}

// String keeps it out of a log that prints all variables.
func (*sent) String() string { return "" }

// notice keeps what the peer sent for this handler and those after it, since
// each removes it.
func (h *RemoteHeader) notice(r *http.Request) {
	vars, ok := r.Context().Value(caddyhttp.VarsCtxKey).(map[string]any)
	if !ok {
		return
	}
	if _, known := vars[h.seen].(*sent); !known {
		vars[h.seen] = h.read(r)
	}
}

func (h *RemoteHeader) read(r *http.Request) *sent {
	found := &sent{lines: slices.Clone(r.Header[h.Name])}
	for name := range r.Header {
		found.spellings = found.spellings || name != h.Name && headername.Same(name, h.Name)
	}
	return found
}

// value returns what a peer that is trusted sent, and nothing for others.
func (h *RemoteHeader) value(r *http.Request) (string, error) {
	if !h.trusts(r) {
		return "", nil
	}
	found, ok := caddyhttp.GetVar(r.Context(), h.seen).(*sent)
	if !ok {
		found = h.read(r)
	}
	switch {
	case len(found.lines) == 0:
		return "", nil
	case len(found.lines) > 1:
		return "", errRemoteLines
	case found.spellings:
		return "", errRemoteSpelling
	}
	return found.lines[0], nil
}

var (
	errRemoteLines    = errors.New("the header was sent twice")
	errRemoteSpelling = errors.New("the header was sent in two spellings")
)

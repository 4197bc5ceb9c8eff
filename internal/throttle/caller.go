// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package throttle

import (
	"net/http"
	"net/netip"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// Caller names who made a request: the user by a key that is never reused, else
// the client whose own credentials they are, else the address. The kinds are
// told apart, since what one of them may be called is up to others.
func Caller(r *http.Request, id *auth.Identity) string {
	switch {
	case !id.Authenticated():
	case id.Key != "":
		return "user/" + id.Key
	case id.Client != "":
		return "client/" + id.Client
	case id.Credential != "":
		return "credential/" + id.Credential
	}
	return "address/" + address(r)
}

// network is how many bits of an IPv6 address name a network. Whoever has one
// address there has them all, and would be counted under each.
const network = 64

// address returns the client's address as Caddy knows it, of IPv6 the network.
// It is empty for all clients of a Unix socket.
func address(r *http.Request) string {
	text, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return text
	}
	if addr = addr.Unmap(); addr.Is4() {
		return addr.String()
	}
	return netip.PrefixFrom(addr.WithZone(""), network).Masked().String()
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
)

// ErrInternal says that a name led to an internal address.
var ErrInternal = errors.New("the address is internal and not in allow_internal")

// The words of allow_internal.
var (
	loopback      = prefixes("127.0.0.0/8", "::1/128")
	privateRanges = append(prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"), loopback...)
)

// internal are the ranges that lead to this host, to its neighbours, or to
// nobody. Metadata services of clouds are in them (169.254.169.254,
// 100.100.100.200, 192.0.0.192, fd00:ec2::254), but for one.
var internal = append(prefixes(
	"0.0.0.0/8",        // this host
	"100.64.0.0/10",    // shared by customers of a provider
	"169.254.0.0/16",   // link-local
	"192.0.0.0/24",     // protocol assignments
	"198.18.0.0/15",    // benchmarks
	"224.0.0.0/4",      // multicast
	"240.0.0.0/4",      // reserved, and broadcast
	"168.63.129.16/32", // the host of a machine at Azure
	"::/96",            // unspecified, and an old way to write IPv4
	"::ffff:0:0:0/96",  // another, of RFC 2765
	"64:ff9b:1::/48",   // a network's own translation to IPv4
	"100::/64",         // discarded
	"2001::/32",        // Teredo: another's idea of where an IPv4 host is
	"fe80::/10",        // link-local
	"fec0::/10",        // site-local
	"ff00::/8",         // multicast
), privateRanges...)

var (
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
	to4   = netip.MustParsePrefix("2002::/16")
)

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

// namedRange returns the ranges that a word of allow_internal names.
func namedRange(text string) ([]netip.Prefix, error) {
	switch text {
	case "loopback":
		return loopback, nil
	case "private_ranges":
		return privateRanges, nil
	}
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return []netip.Prefix{prefix.Masked()}, nil
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return nil, fmt.Errorf("'%s' is no range of addresses: expected one as 10.1.0.0/16, an address, loopback or private_ranges", text)
	}
	return []netip.Prefix{netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen())}, nil
}

// guard decides which addresses may be dialed.
type guard struct {
	allowed []netip.Prefix
}

// control is called with the very address that is about to be dialed, after
// its name was resolved: looking the name up before would trust that it
// resolves to the same address again.
func (g *guard) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrInternal, address)
	}
	if !g.allows(to.Addr()) {
		return fmt.Errorf("%w: %s", ErrInternal, to.Addr())
	}
	return nil
}

// allows reports whether addr is public or allowed. What is an IPv4 address in
// another dress is judged as it and as what it is.
func (g *guard) allows(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	if contains(g.allowed, addr) {
		return true
	}
	if contains(internal, addr) {
		return false
	}
	if inner, ok := embedded(addr); ok {
		return g.allows(inner)
	}
	return true
}

// embedded returns the IPv4 address that a router makes of an IPv6 one.
func embedded(addr netip.Addr) (netip.Addr, bool) {
	b := addr.As16()
	switch {
	case !addr.Is6():
		return netip.Addr{}, false
	case nat64.Contains(addr):
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case to4.Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	case b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe: // ISATAP, RFC 5214
		return netip.AddrFrom4([4]byte(b[12:16])), true
	}
	return netip.Addr{}, false
}

func contains(ranges []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package loginthrottle

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Keys of the store. Names are in it as digests alone: people type passwords
// into name fields.
//
//	login/user/<digest>/<kind>             the guesses at a user
//	login/user/<digest>/<kind>/<network>   those from where the user logged in before
//	login/address/<network>                the guesses from there
//	login/known/<digest>/<kind>/<network>  remembers that the user logged in there
const (
	userPrefix    = "login/user/"
	addressPrefix = "login/address/"
	knownPrefix   = "login/known/"

	// Prefix begins the keys of all that is counted.
	Prefix = "login/"
)

// network6 is how many bits of an IPv6 address name a network. Whoever has one
// address there has them all.
const network6 = 64

// Digest names a user in keys: by the canonical form of the name in which upper
// and lower case are alike, since who guesses tries both.
func Digest(name string) string {
	folded := norm.NFKC.String(cases.Fold().String(norm.NFKC.String(name)))
	sum := sha256.Sum256([]byte("login\x00" + folded))
	return hex.EncodeToString(sum[:16])
}

// Network returns what a client address is counted under: the address itself, of
// IPv6 its /64 network, and "" if it is no address, as on a Unix socket.
func Network(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	if addr = addr.Unmap(); addr.Is4() {
		return addr.String()
	}
	return netip.PrefixFrom(addr.WithZone(""), network6).Masked().String()
}

// UserPrefix begins the keys of all counts of a user.
func UserPrefix(name string) string { return userPrefix + Digest(name) + "/" }

// AddressKey is the key of the count of a Network.
func AddressKey(network string) string { return addressPrefix + network }

// keys are what one guess is about.
type keys struct {
	digest  string
	all     string // of the user's count, wherever the guesses come from
	own     string // of the count of this user and network; "" without a network
	known   string
	network string // of the network's count
}

func keysOf(g *Guess) keys {
	k := keys{digest: Digest(g.Name)}
	tail := k.digest + "/" + g.Kind
	k.all = userPrefix + tail
	if network := Network(g.Address); network != "" {
		k.own = k.all + "/" + network
		k.known = knownPrefix + tail + "/" + network
		k.network = AddressKey(network)
	}
	return k
}

// A Subject is what a key stands for.
type Subject struct {
	Digest  string // of the user, if it is a user's
	Kind    string // what was guessed, if it is a user's
	Network string // where from; "" if from anywhere
}

// Parse returns what a key of the store stands for.
func Parse(key string) (s Subject, ok bool) {
	if network, found := strings.CutPrefix(key, addressPrefix); found {
		return Subject{Network: network}, network != ""
	}
	rest, found := strings.CutPrefix(key, userPrefix)
	if !found {
		return Subject{}, false
	}
	s.Digest, rest, found = strings.Cut(rest, "/")
	// A network of IPv6 has a slash of its own.
	s.Kind, s.Network, _ = strings.Cut(rest, "/")
	return s, found && s.Digest != "" && s.Kind != ""
}

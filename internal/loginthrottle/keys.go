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
//	login/user/<name>/<kind>                        the guesses at a name, however it is written
//	login/user/<name>.<spelling>/<kind>             those at one that has upper case, as it is written
//	login/user/<name>.<account>/<kind>/<network>    those from where the user logged in before
//	login/address/<network>                         the guesses from there
//	login/known/<name>.<account>/<kind>/<network>   remembers that the user logged in there
//
// Two people may have names that differ in case alone. Guesses at one hold the
// other up, but neither clears what was guessed at the other.
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
func Digest(name string) string { return digest(fold(name)) }

// Spelling names a user in keys by the name as it is written, in canonical form.
func Spelling(name string) string {
	return Digest(name) + "." + digest("as\x00"+norm.NFKC.String(name))
}

func fold(name string) string {
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(name)))
}

func digest(text string) string {
	sum := sha256.Sum256([]byte("login\x00" + text))
	return hex.EncodeToString(sum[:16])
}

// Network returns what a client address is counted under: the address itself, of
// IPv6 its /64 network, and "" if it is no address, as on a Unix socket.
func Network(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	if addr.Is4() {
		return address // there is one way to write it
	}
	if addr = addr.Unmap(); addr.Is4() {
		return addr.String()
	}
	return netip.PrefixFrom(addr.WithZone(""), network6).Masked().String()
}

// UserPrefix begins the keys of all counts of a user. Digests are all of one
// length, so that it begins no other's.
func UserPrefix(name string) string { return userPrefix + Digest(name) }

// UserKey is the key of the count of a user's name, however it is written.
func UserKey(s Subject) string { return userPrefix + s.Digest + "/" + s.Kind }

// AddressKey is the key of the count of a Network.
func AddressKey(network string) string { return addressPrefix + network }

// keys are what one guess is about.
type keys struct {
	digest  string
	all     string // of the user's count, wherever the guesses come from
	spelled string // of those at the name as it is written; "" if that is as in all
	own     string // of the count of this user and network; "" without a network
	known   string
	network string // of the network's count
	here    string // what the guesses of a client at a user are marked by in the process
}

func keysOf(g *Guess) keys {
	k := keys{digest: Digest(g.Name)}
	k.all = UserKey(Subject{Digest: k.digest, Kind: g.Kind})
	written := Spelling(g.Name) + "/" + g.Kind
	if norm.NFKC.String(g.Name) != fold(g.Name) {
		k.spelled = userPrefix + written
	}
	if network := Network(g.Address); network != "" {
		k.own = userPrefix + written + "/" + network
		k.known = knownPrefix + written + "/" + network
		k.network = AddressKey(network)
	}
	if k.here = k.own; k.here == "" {
		k.here = k.all
	}
	return k
}

// of has the user's own keys go by an account instead of the name as it is written.
func (k *keys) of(account string, g *Guess) {
	tail := k.digest + "." + digest("account\x00"+account) + "/" + g.Kind + "/" + Network(g.Address)
	k.own, k.known = userPrefix+tail, knownPrefix+tail
}

// A Subject is what a key stands for.
type Subject struct {
	Digest   string // of the user, if it is a user's
	Spelling string // of the user or the account, if it is one's of several who may have the Digest
	Kind     string // what was guessed, if it is a user's
	Network  string // where from; "" if from anywhere
}

// Name is what Digest or Spelling returns of the user's name; "" for a network.
func (s Subject) Name() string {
	if s.Spelling != "" && s.Network == "" {
		return s.Spelling
	}
	return s.Digest
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
	if name, _, spelled := strings.Cut(s.Digest, "."); spelled {
		s.Digest, s.Spelling = name, s.Digest
	}
	// A network of IPv6 has a slash of its own.
	s.Kind, s.Network, _ = strings.Cut(rest, "/")
	return s, found && s.Digest != "" && s.Kind != ""
}

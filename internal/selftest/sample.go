// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"net/netip"
	"regexp/syntax"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// filler is what stands for anything.
const filler = "self-test"

// fill returns a text that a pattern with * matches.
func fill(pattern string) string { return strings.ReplaceAll(resolved(pattern), "*", filler) }

// resolved resolves what the environment says, as Caddy does with matchers.
func resolved(text string) string { return caddy.NewReplacer().ReplaceKnown(text, "") }

// samplePath returns a path that a pattern of the path matcher matches.
func samplePath(pattern string) string {
	path := fill(pattern)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return path
}

// sampleHost returns a host that a pattern of the host matcher matches.
func sampleHost(pattern string) string { return fill(pattern) }

// sampleAddress returns an address within a range.
func sampleAddress(text string) (netip.Addr, bool) {
	text, _, _ = strings.Cut(resolved(text), "%")
	if prefix, err := netip.ParsePrefix(text); err == nil {
		// Not the network's own address, if there is another.
		if next := prefix.Masked().Addr().Next(); prefix.Contains(next) {
			return next, true
		}
		return prefix.Addr(), true
	}
	address, err := netip.ParseAddr(text)
	return address, err == nil
}

// sampleRegexp returns a text that an expression matches, in most cases.
func sampleRegexp(pattern string) (string, bool) {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", false
	}
	var b strings.Builder
	writeSample(&b, parsed, 0)
	return b.String(), true
}

const maxSample = 256

func writeSample(b *strings.Builder, re *syntax.Regexp, depth int) {
	if depth > 100 || b.Len() > maxSample {
		return
	}
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		b.WriteRune(sampleRune(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('s')
	case syntax.OpCapture, syntax.OpPlus, syntax.OpQuest:
		writeSample(b, re.Sub[0], depth+1)
	case syntax.OpStar:
		// Once, if it is anything: /users/.* means one of them.
		if op := re.Sub[0].Op; op == syntax.OpAnyChar || op == syntax.OpAnyCharNotNL {
			b.WriteString(filler)
		}
	case syntax.OpRepeat:
		for range re.Min {
			writeSample(b, re.Sub[0], depth+1)
		}
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			writeSample(b, sub, depth+1)
		}
	case syntax.OpAlternate:
		writeSample(b, re.Sub[0], depth+1)
	}
}

// sampleRune returns a rune of a class, a letter or digit if there is one.
func sampleRune(ranges []rune) rune {
	for _, want := range "s1A-/." {
		for i := 0; i+1 < len(ranges); i += 2 {
			if ranges[i] <= want && want <= ranges[i+1] {
				return want
			}
		}
	}
	if len(ranges) > 0 {
		return ranges[0]
	}
	return 's'
}

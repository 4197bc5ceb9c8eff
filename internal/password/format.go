// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package password

import (
	"errors"
	"slices"
	"strings"
)

// maxEncoded is the length in bytes of the longest hash that is read. The
// longest that any supported format makes is under 300.
const maxEncoded = 1024

// stored is a hash that was read and whose cost is acceptable.
type stored struct {
	cost    string // the same for all hashes that take the same time
	memory  int64  // bytes that match needs, roughly
	current bool   // no weaker than what Hash makes
	match   func(password string) (bool, error)
}

// A format is one way of writing a hash.
type format struct {
	name  string // what Config.Weak calls it, if it is weak
	weak  bool
	claim func(encoded string) bool // whether it is of this format, judged by its shape
	parse func(encoded string) (*stored, error)
}

// formats are asked in order; the first that claims a hash reads it.
var formats = slices.Concat(argon2Formats, bcryptFormats, scryptFormats, pbkdf2Formats, djangoFormats, djangoWeakFormats, htpasswdFormats)

// WeakFormats returns the names that Config.Weak and Check know.
func WeakFormats() []string {
	var names []string
	for _, f := range formats {
		if f.weak && !slices.Contains(names, f.name) {
			names = append(names, f.name)
		}
	}
	return names
}

// Check returns nil if Verify could accept the hash, given the names of the
// weak formats that are allowed, and otherwise why not: ErrMalformed,
// ErrTooCostly, ErrWeak, or ErrUnusable. It does no work on the hash.
func Check(encoded string, weak []string) error {
	_, err := parse(encoded, weak)
	return err
}

// NeedsRehash reports whether the hash is weaker than what Hash makes, so that
// it should be replaced when its password is next seen. A hash that no password
// matches on purpose stays as it is.
func NeedsRehash(encoded string) bool {
	s, err := parse(encoded, nil)
	if err != nil {
		return !errors.Is(err, ErrUnusable)
	}
	return !s.current
}

func parse(encoded string, weak []string) (*stored, error) {
	if encoded == "" || encoded[0] == '!' {
		return nil, ErrUnusable
	}
	if len(encoded) > maxEncoded {
		return nil, malformed("it is too long")
	}
	for _, f := range formats {
		if !f.claim(encoded) {
			continue
		}
		if f.weak && !slices.Contains(weak, f.name) {
			return nil, because(ErrWeak, f.name)
		}
		return f.parse(encoded)
	}
	return nil, malformed("its format is unknown")
}

func prefixed(prefix string) func(string) bool {
	return func(encoded string) bool { return strings.HasPrefix(encoded, prefix) }
}

// after removes a prefix of the encoded hash before it is parsed.
func after(prefix string, parse func(string) (*stored, error)) func(string) (*stored, error) {
	return func(encoded string) (*stored, error) { return parse(strings.TrimPrefix(encoded, prefix)) }
}

// refuse claims the hashes that we know of, but do not verify.
func refuse(prefix, reason string) format {
	return format{claim: prefixed(prefix), parse: func(string) (*stored, error) { return nil, malformed(reason) }}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package keyset

import (
	"bytes"
	"slices"
)

// maxTried bounds the keys that a token is tried against.
const maxTried = 10

// keys are what a source said.
type keys struct {
	all    []*Key
	byID   map[string][]*Key
	issuer string  // what its metadata names
	url    string  // where the keys were
	left   []error // why others were left out, and what is to be noted
}

func texts(errs []error) []string {
	all := make([]string, len(errs))
	for i, err := range errs {
		all[i] = err.Error()
	}
	return all
}

// find returns the keys to try.
func (k *keys) find(alg, kid string) []*Key {
	candidates := k.all
	if kid != "" {
		if candidates = k.byID[kid]; len(candidates) == 0 {
			candidates = k.byID[""]
		}
	}
	var found []*Key
	for _, key := range candidates {
		if key.Verifies(alg) && len(found) < maxTried {
			found = append(found, key)
		}
	}
	return found
}

// newKeys returns keys as Find wants them.
func newKeys(all []*Key) *keys {
	k := &keys{all: all, byID: make(map[string][]*Key)}
	for _, key := range all {
		k.byID[key.ID] = append(k.byID[key.ID], key)
	}
	return k
}

// lost reports whether a key is gone, or verifies less.
func lost(old, now *keys) bool {
	for _, key := range old.all {
		kept := slices.ContainsFunc(now.byID[key.ID], func(other *Key) bool {
			return other.Type == key.Type && other.Thumbprint == key.Thumbprint && other.Issuer == key.Issuer &&
				sameSecret(other, key) && !slices.ContainsFunc(key.Algorithms, func(alg string) bool { return !other.Verifies(alg) })
		})
		if !kept {
			return true
		}
	}
	return false
}

func sameSecret(a, b *Key) bool {
	x, _ := a.Public.([]byte)
	y, _ := b.Public.([]byte)
	return bytes.Equal(x, y)
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"slices"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/cookie"
)

// A key is 32 of these characters, as in Django: 165 random bits.
const (
	keyCharacters = "abcdefghijklmnopqrstuvwxyz0123456789"
	keyLength     = 32
)

// maxKeys is how many different keys of one request are looked up. Browsers
// send several if a domain and its host have set the cookie; a request with
// more than these has no session.
const maxKeys = 4

func newKey() string {
	const most = 256 - 256%len(keyCharacters)
	key := make([]byte, 0, keyLength)
	var random [2 * keyLength]byte
	for {
		rand.Read(random[:])
		for _, b := range random {
			if int(b) >= most {
				continue
			}
			if key = append(key, keyCharacters[int(b)%len(keyCharacters)]); len(key) == keyLength {
				return string(key)
			}
		}
	}
}

// maxEnds is how many keys of one request are ended: all that a browser can
// send, which keeps 180 cookies of a domain.
const maxEnds = 256

// keys returns the different values of the session cookie that could be keys,
// in the order in which the request has them, or none if they are too many.
func (m *Manager) keys(r *http.Request) []string {
	keys, whole := m.firstKeys(r, maxKeys)
	if !whole {
		return nil
	}
	return keys
}

// firstKeys returns the first of them, and whether these are all.
func (m *Manager) firstKeys(r *http.Request, most int) (keys []string, whole bool) {
	for value := range cookie.Values(r, m.cookie.Name) {
		if !isKey(value) || slices.Contains(keys, value) {
			continue
		}
		if len(keys) == most {
			return keys, false
		}
		keys = append(keys, value)
	}
	return keys, true
}

func isKey(text string) bool {
	if len(text) != keyLength {
		return false
	}
	for i := range len(text) {
		if c := text[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func digestOf(key string) []byte {
	digest := sha256.Sum256([]byte(key))
	return digest[:]
}

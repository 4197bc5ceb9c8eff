// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package credcache

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
)

// Key names a presented credential in a Cache. No secret can be told from it
// without the process's own key.
type Key [sha256.Size]byte

// Fingerprint stands for everything but the credential itself that a
// verification rests on. It is a secret of the process: whoever knew it could
// make keys that meet in one place of the table, or try passwords against a
// memory dump at the speed of SHA-256.
type Fingerprint [sha256.Size]byte

// shortSecret is the size of secrets that are hashed without an allocation.
const shortSecret = 512

// Fingerprint returns the fingerprint of the parts, in this order: an
// authenticator's module and resolved configuration, the store, and whatever
// else decides over a credential. It differs from that of any other list of
// parts, and of the same parts in any other Cache.
func (c *Cache) Fingerprint(parts ...[]byte) Fingerprint {
	mac := hmac.New(sha256.New, c.secret[:])
	for _, part := range parts {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		mac.Write(length[:])
		mac.Write(part)
	}
	var f Fingerprint
	mac.Sum(f[:0])
	return f
}

// Key returns the key of a secret that was presented. The secret is not kept.
func (f *Fingerprint) Key(secret []byte) Key {
	if len(secret) > shortSecret {
		hash := sha256.New()
		hash.Write(f[:])
		hash.Write(secret)
		var key Key
		hash.Sum(key[:0])
		return key
	}
	var buffer [len(f) + shortSecret]byte
	n := copy(buffer[:], f[:])
	n += copy(buffer[n:], secret)
	return sha256.Sum256(buffer[:n])
}

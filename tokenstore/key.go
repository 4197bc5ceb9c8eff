// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokenstore

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"time"
)

// UserKeyPrefix begins the key of every user that a store made.
const UserKeyPrefix = "store:"

// IsForeign reports whether a user key is that of another source than the store,
// as "config:alice". The store knows nothing of such a user, and keeps what was
// issued to it all the same.
func IsForeign(userKey string) bool {
	return userKey != "" && !strings.HasPrefix(userKey, UserKeyPrefix)
}

// crockford leaves out the letters that are mistaken for digits when a key is
// read aloud.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// handles spell credential IDs: lower case, since people type them.
var handles = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// NewUserKey returns a key for a new user: UserKeyPrefix and a ULID of now.
// Keys sort by the millisecond in which they were made; within one they do not.
func NewUserKey(now time.Time) string {
	var id [16]byte
	ms := uint64(max(now.UnixMilli(), 0))
	binary.BigEndian.PutUint16(id[0:], uint16(ms>>32))
	binary.BigEndian.PutUint32(id[2:], uint32(ms))
	rand.Read(id[6:])
	return UserKeyPrefix + ulid(id)
}

// NewCredentialID returns a public handle for a new credential: 16 characters
// from 80 random bits. It is no secret, and nothing is proved by knowing it.
func NewCredentialID() string {
	var id [10]byte
	rand.Read(id[:])
	return handles.EncodeToString(id[:])
}

// ulid spells 128 bits as 26 digits of 5 bits, the first of which holds 3.
func ulid(id [16]byte) string {
	hi, lo := binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])
	var text [26]byte
	for i := len(text) - 1; i >= 0; i-- {
		text[i] = crockford[lo&31]
		lo = lo>>5 | hi<<59
		hi >>= 5
	}
	return string(text[:])
}

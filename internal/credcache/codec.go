// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package credcache

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

var errCorrupt = errors.New("not an encoded identity")

// Flags in the first byte.
const (
	flagStaff = 1 << iota
	flagSuperuser
	flagExpires
	flagClaims
)

// encode appends the identity to b. The layout lives and dies with the
// process: flags, Expires, the texts with their lengths, the three lists with
// their counts, Claims to the end.
func encode(b []byte, id *auth.Identity) []byte {
	var flags byte
	if id.Staff {
		flags |= flagStaff
	}
	if id.Superuser {
		flags |= flagSuperuser
	}
	if !id.Expires.IsZero() {
		flags |= flagExpires
	}
	if id.Claims != nil {
		flags |= flagClaims
	}
	b = append(b, flags)
	if flags&flagExpires != 0 {
		b = binary.AppendVarint(b, id.Expires.Unix())
		b = binary.AppendUvarint(b, uint64(id.Expires.Nanosecond()))
	}
	for _, text := range texts(id) {
		b = appendText(b, *text)
	}
	all := lists(id)
	for _, list := range all {
		b = binary.AppendUvarint(b, uint64(len(*list)))
	}
	for _, list := range all {
		for _, text := range *list {
			b = appendText(b, text)
		}
	}
	return append(b, id.Claims...)
}

// decode fills in every field of id from what encode made. Texts are parts of
// s, and the lists share one array, that of id.Groups if it has room for them,
// so that little is allocated.
func decode(s string, id *auth.Identity) error {
	array := id.Groups[:0]
	*id = auth.Identity{}
	if s == "" {
		return errCorrupt
	}
	r := reader{rest: s[1:]}
	flags := s[0]
	id.Staff = flags&flagStaff != 0
	id.Superuser = flags&flagSuperuser != 0
	if flags&flagExpires != 0 {
		seconds := r.varint()
		id.Expires = time.Unix(seconds, int64(r.uvarint()%uint64(time.Second))).UTC()
	}
	for _, text := range texts(id) {
		*text = r.text()
	}
	all := lists(id)
	var counts [len(all)]int
	total := 0
	for i := range all {
		counts[i] = r.count()
		total += counts[i]
	}
	if total > len(r.rest) { // each text takes a byte at least
		r.bad = true
	}
	if r.bad {
		*id = auth.Identity{}
		return errCorrupt
	}
	if total > cap(array) {
		array = make([]string, total)
	}
	array = array[:total]
	for i := range array {
		array[i] = r.text()
	}
	for i, list := range all {
		if n := counts[i]; n > 0 {
			*list = array[:n:n]
			array = array[n:]
		}
	}
	if flags&flagClaims != 0 {
		id.Claims = []byte(r.rest)
		r.rest = ""
	}
	if r.bad || r.rest != "" {
		*id = auth.Identity{}
		return errCorrupt
	}
	return nil
}

func texts(id *auth.Identity) [10]*string {
	return [...]*string{
		&id.ID, &id.Key, &id.Source, &id.Name, &id.Email,
		&id.Method, &id.Credential, &id.Client, &id.Family, &id.Proof,
	}
}

func lists(id *auth.Identity) [3]*[]string {
	return [...]*[]string{&id.Groups, &id.Permissions, &id.Scopes}
}

func appendText(b []byte, text string) []byte {
	b = binary.AppendUvarint(b, uint64(len(text)))
	return append(b, text...)
}

// A reader takes values off the front of a string. After a mistake it returns
// zeros, and bad is set.
type reader struct {
	rest string
	bad  bool
}

func (r *reader) uvarint() uint64 {
	var value uint64
	for i := 0; i < len(r.rest) && i < binary.MaxVarintLen64; i++ {
		b := r.rest[i]
		value |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			r.rest = r.rest[i+1:]
			return value
		}
	}
	r.bad, r.rest = true, ""
	return 0
}

// varint undoes the zigzag of binary.AppendVarint.
func (r *reader) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// count is a number of things that take a byte each at least.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, ""
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.count()
	text := r.rest[:n]
	r.rest = r.rest[n:]
	return text
}

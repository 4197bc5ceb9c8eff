// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"time"
)

// forever is the end of what has none.
const forever = math.MaxInt64

// never is the zero time, which says that a record never expires.
var never = time.Time{}.UnixMicro()

func micros(t time.Time) int64 { return t.UnixMicro() }

func moment(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// end returns when something that lasts until t ends.
func end(t time.Time) int64 {
	if t.IsZero() {
		return forever
	}
	return micros(t)
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

var errList = errors.New("reading a list: damaged")

// encodeList keeps every byte of every word, which JSON would not.
func encodeList[T ~string | ~[]byte](list []T) []byte {
	size := 0
	for _, word := range list {
		size += binary.MaxVarintLen32 + len(word)
	}
	encoded := make([]byte, 0, size)
	for _, word := range list {
		encoded = binary.AppendUvarint(encoded, uint64(len(word)))
		encoded = append(encoded, word...)
	}
	return encoded
}

func decodeList[T ~string | ~[]byte](encoded []byte) ([]T, error) {
	var list []T
	for len(encoded) > 0 {
		length, n := binary.Uvarint(encoded)
		if n <= 0 || length > uint64(len(encoded)-n) {
			return nil, errList
		}
		encoded = encoded[n:]
		list = append(list, T(encoded[:length:length]))
		encoded = encoded[length:]
	}
	return list, nil
}

func sorted(list []string) []string {
	list = slices.Sorted(slices.Values(list))
	return slices.Compact(list)
}

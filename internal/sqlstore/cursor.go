// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"encoding/base64"
	"encoding/binary"
	"math"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func clamp(n int) int { return min(max(n, 1), tokenstore.MaxPage) }

// Cursors begin with the list that they belong to.
const (
	recordCursors  = "r"
	userCursors    = "u"
	attemptCursors = "a"
	clientCursors  = "c"
)

var cursorEncoding = base64.RawURLEncoding.Strict()

func newCursor(list, place string) string {
	return cursorEncoding.EncodeToString([]byte(list + place))
}

func parseCursor(list, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	place, err := cursorEncoding.DecodeString(cursor)
	if err != nil || len(place) < 2 || string(place[:1]) != list {
		return "", tokenstore.ErrCursor
	}
	return string(place[1:]), nil
}

func recordCursor(c tokenstore.Credential) string {
	place := binary.BigEndian.AppendUint64(nil, uint64(micros(c.Created)))
	return newCursor(recordCursors, string(place)+c.ID)
}

// parseRecordCursor returns the record after which the page begins.
func parseRecordCursor(cursor string) (created int64, id string, err error) {
	place, err := parseCursor(recordCursors, cursor)
	if err != nil {
		return 0, "", err
	}
	if cursor == "" {
		return math.MinInt64, "", nil
	}
	if len(place) <= 8 {
		return 0, "", tokenstore.ErrCursor
	}
	return int64(binary.BigEndian.Uint64([]byte(place[:8]))), place[8:], nil
}

// pageStart returns the first string that a page of those with a prefix may
// begin with.
func pageStart(list, prefix, cursor string) (string, error) {
	after, err := parseCursor(list, cursor)
	if err != nil || after == "" {
		return prefix, err
	}
	return max(prefix, after+"\x00"), nil // the first string after it
}

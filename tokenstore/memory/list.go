// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// matches reports whether a filter selects a record.
func matches(f tokenstore.Filter, e *entry) bool {
	return (f.ID == "" || f.ID == e.ID) &&
		(f.UserKey == "" || f.UserKey == e.UserKey) &&
		(f.ClientID == "" || f.ClientID == e.ClientID) &&
		(f.Family == "" || f.Family == e.Family) &&
		(f.Kind == "" || f.Kind == e.Kind)
}

// selected are the records that a filter selects, spent ones too, in no order.
func (s *state) selected(f tokenstore.Filter) []*entry {
	var found []*entry
	visit := func(e *entry) {
		if matches(f, e) {
			found = append(found, e)
		}
	}
	from := func(entries map[*entry]struct{}) {
		for e := range entries {
			visit(e)
		}
	}
	switch {
	case f.ID != "":
		if e := s.ids[f.ID]; e != nil {
			visit(e)
		}
	case f.Family != "":
		from(s.family[f.Family])
	case f.UserKey != "":
		from(s.users[f.UserKey])
	case f.ClientID != "":
		from(s.clients[f.ClientID])
	default:
		for _, e := range s.records {
			visit(e)
		}
	}
	return found
}

func (o ops) List(ctx context.Context, f tokenstore.Filter, cursor string, n int) (page []tokenstore.Credential, next string, err error) {
	after, err := parseRecordCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	err = o.read(ctx, func(s *state) error {
		found := slices.DeleteFunc(s.selected(f), func(e *entry) bool {
			return e.spent || after != nil && older(e, after) <= 0
		})
		slices.SortFunc(found, older)
		if n = clamp(n); len(found) > n {
			found = found[:n]
			next = recordCursor(found[n-1])
		}
		for _, e := range found {
			page = append(page, copied(e.Credential))
		}
		return nil
	})
	return page, next, err
}

func (o ops) Users(ctx context.Context, cursor string, n int) (page []tokenstore.User, next string, err error) {
	after, err := parseCursor(userCursors, cursor)
	if err != nil {
		return nil, "", err
	}
	err = o.read(ctx, func(s *state) error {
		// No user has an empty name, so that it begins the list.
		names := slices.DeleteFunc(slices.Collect(maps.Keys(s.names)), func(name string) bool {
			return cmp.Compare(name, after) <= 0
		})
		slices.Sort(names)
		if n = clamp(n); len(names) > n {
			names = names[:n]
			next = newCursor(userCursors, names[n-1])
		}
		for _, name := range names {
			page = append(page, copiedUser(s.people[s.names[name]]))
		}
		return nil
	})
	return page, next, err
}

func clamp(n int) int { return min(max(n, 1), tokenstore.MaxPage) }

// A cursor is where the last page ended, behind a letter for the list.
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

func recordCursor(e *entry) string {
	place := binary.BigEndian.AppendUint64(nil, uint64(e.Created.UnixMicro()))
	return newCursor(recordCursors, string(place)+e.ID)
}

// parseRecordCursor returns a record that sorts as the one where the last page
// ended, which may be gone; nil at the start.
func parseRecordCursor(cursor string) (*entry, error) {
	place, err := parseCursor(recordCursors, cursor)
	if err != nil || cursor == "" {
		return nil, err
	}
	if len(place) <= 8 {
		return nil, tokenstore.ErrCursor
	}
	created := time.UnixMicro(int64(binary.BigEndian.Uint64([]byte(place[:8]))))
	return &entry{Credential: tokenstore.Credential{Created: created, ID: place[8:]}}, nil
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	getCounter = `SELECT marks FROM counters WHERE key = ?`
	putCounter = `INSERT INTO counters (key, marks, ends) VALUES (?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET marks = excluded.marks, ends = excluded.ends`
)

// buckets is how many marks a window of more than tokenstore.MaxExactHits events
// is kept in.
const buckets = 128

// A mark stands for n events, the last of which happened at a time.
type mark struct {
	at time.Time
	n  int
}

// Hit is tokenstore.Store's.
func (o Ops) Hit(ctx context.Context, key string, limit int, per time.Duration, now time.Time) (wait time.Duration, err error) {
	if limit < 1 {
		// The read is for the errors of a store that is closed or down.
		if err := o.Engine.Read(ctx, func(*Conn) error { return nil }); err != nil {
			return 0, err
		}
		return per, nil
	}
	err = o.Engine.Write(ctx, func(t *Tx) error {
		var encoded []byte
		if _, err := t.Row(ctx, getCounter, []any{key}, &encoded); err != nil {
			return err
		}
		marks, err := decodeMarks(encoded)
		if err != nil {
			return err
		}
		marks = slices.DeleteFunc(marks, func(m mark) bool { return !m.at.After(now.Add(-per)) })
		if wait = untilFree(marks, limit, per, now); wait > 0 {
			return nil
		}
		marks = count(marks, markOf(limit, per, now))
		last := marks[len(marks)-1].at
		_, err = t.Exec(ctx, putCounter, key, encodeMarks(marks), end(last.Add(per)))
		return err
	})
	if err != nil {
		return 0, err
	}
	return wait, nil
}

// untilFree returns how long it takes until less than limit events count.
func untilFree(marks []mark, limit int, per time.Duration, now time.Time) time.Duration {
	excess := 1 - limit
	for _, m := range marks {
		excess += m.n
	}
	if excess <= 0 {
		return 0
	}
	for _, m := range marks {
		if excess -= m.n; excess <= 0 {
			return m.at.Add(per).Sub(now)
		}
	}
	return per
}

// markOf returns the time under which an event is counted: the end of its
// bucket, so that it leaves late and never early.
func markOf(limit int, per time.Duration, now time.Time) time.Time {
	width := per / buckets
	if limit <= tokenstore.MaxExactHits || width <= 1 {
		return now
	}
	return now.Truncate(width).Add(width - 1)
}

// count adds an event; it may be older than the last one.
func count(marks []mark, at time.Time) []mark {
	i, found := slices.BinarySearchFunc(marks, at, func(m mark, at time.Time) int { return m.at.Compare(at) })
	if found {
		marks[i].n++
		return marks
	}
	return slices.Insert(marks, i, mark{at, 1})
}

// encodeMarks writes the nanoseconds between the marks, which are few bytes.
func encodeMarks(marks []mark) []byte {
	encoded := make([]byte, 0, 8*len(marks))
	var last int64
	for _, m := range marks {
		encoded = binary.AppendVarint(encoded, m.at.UnixNano()-last)
		encoded = binary.AppendUvarint(encoded, uint64(m.n))
		last = m.at.UnixNano()
	}
	return encoded
}

func decodeMarks(encoded []byte) ([]mark, error) {
	var marks []mark
	var last int64
	for len(encoded) > 0 {
		delta, n := binary.Varint(encoded)
		if n <= 0 {
			return nil, errMarks
		}
		events, m := binary.Uvarint(encoded[n:])
		if m <= 0 {
			return nil, errMarks
		}
		last += delta
		marks = append(marks, mark{time.Unix(0, last), int(events)})
		encoded = encoded[n+m:]
	}
	return marks, nil
}

var errMarks = errors.New("reading a counter: damaged")

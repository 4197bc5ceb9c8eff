// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	getCounter = `SELECT marks FROM counters WHERE key = ?`
	putCounter = `INSERT INTO counters (key, marks, ends) VALUES (?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET marks = excluded.marks, ends = excluded.ends`
)

// Hit is tokenstore.Store's.
func (o Ops) Hit(ctx context.Context, key string, limit int, per time.Duration, now time.Time) (wait time.Duration, err error) {
	if limit < 1 {
		// The read is for the errors of a store that is closed or down.
		if err := o.Engine.Read(ctx, func(*Conn) error { return nil }); err != nil {
			return 0, err
		}
		return per, nil
	}
	key = indexed(key)
	err = o.Engine.Write(ctx, func(t *Tx) error {
		wait = 0
		var encoded []byte
		if _, err := t.Row(ctx, getCounter, []any{key}, &encoded); err != nil {
			return err
		}
		window, err := decodeWindow(encoded)
		if err != nil {
			return err
		}
		if window, wait = window.Hit(limit, per, now); wait > 0 {
			return nil
		}
		last := window[len(window)-1].At
		_, err = t.Exec(ctx, putCounter, key, encodeWindow(window), end(last.Add(per)))
		return err
	})
	if err != nil {
		return 0, err
	}
	return wait, nil
}

// encodeWindow writes the nanoseconds between the marks, which are few bytes.
func encodeWindow(window tokenstore.Window) []byte {
	encoded := make([]byte, 0, 8*len(window))
	var last int64
	for _, m := range window {
		encoded = binary.AppendVarint(encoded, m.At.UnixNano()-last)
		encoded = binary.AppendUvarint(encoded, uint64(m.N))
		last = m.At.UnixNano()
	}
	return encoded
}

func decodeWindow(encoded []byte) (tokenstore.Window, error) {
	var window tokenstore.Window
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
		window = append(window, tokenstore.Mark{At: time.Unix(0, last), N: int(events)})
		encoded = encoded[n+m:]
	}
	return window, nil
}

var errMarks = errors.New("reading a counter: damaged")

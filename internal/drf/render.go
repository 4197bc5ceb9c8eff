// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package drf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// An Object is a JSON object whose members keep this order.
type Object []Member

// A Member is one name of an Object with its value, which is anything that
// encoding/json can write.
type Member struct {
	Name  string
	Value any
}

// MarshalJSON writes the members in their order.
func (o Object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := encode(&b, m.Name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := encode(&b, m.Value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// encode appends v as JSON without a line end, and with <, > and & as they are.
func encode(b *bytes.Buffer, v any) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1)
	return nil
}

// Write answers with body as JSON: compact, unless the client accepts JSON
// with an indent, and with nothing escaped that need not be. A nil body sends
// neither body nor Content-Type.
func Write(w http.ResponseWriter, r *http.Request, status int, body any) error {
	if body == nil {
		w.WriteHeader(status)
		return nil
	}
	var b bytes.Buffer
	if err := encode(&b, body); err != nil {
		return fmt.Errorf("rendering: %w", err)
	}
	if n := indent(r); n > 0 {
		var spaced bytes.Buffer
		if err := json.Indent(&spaced, b.Bytes(), "", strings.Repeat(" ", n)); err != nil {
			return fmt.Errorf("rendering: %w", err)
		}
		b = spaced
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return nil
	}
	_, err := w.Write(b.Bytes())
	return err
}

// WriteError answers with e.
func WriteError(w http.ResponseWriter, r *http.Request, e *Error) error {
	maps.Copy(w.Header(), e.Header)
	return Write(w, r, e.Status, e.Body)
}

// Timestamp returns t in UTC as DRF's DateTimeField writes it: microseconds
// unless there are none, and Z for the zone.
func Timestamp(t time.Time) string {
	t = t.UTC().Truncate(time.Microsecond)
	if t.Nanosecond() == 0 {
		return t.Format("2006-01-02T15:04:05Z")
	}
	return t.Format("2006-01-02T15:04:05.000000Z")
}

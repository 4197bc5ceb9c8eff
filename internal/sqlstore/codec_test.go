// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"slices"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func TestTimes(t *testing.T) {
	for _, want := range []time.Time{
		{},
		time.Unix(0, 0).UTC(), time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC),
	} {
		if got := moment(micros(want)); !got.Equal(want) || got.IsZero() != want.IsZero() || got.Location() != time.UTC {
			t.Errorf("moment(micros(%v)) = %v", want, got)
		}
	}
	if end(time.Time{}) != forever {
		t.Error("the zero time ends")
	}
}

func FuzzList(f *testing.F) {
	f.Add("", "a", "\x00\xff")
	f.Add("x", "", "")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		want := []string{a, b, c}
		got, err := decodeList[string](encodeList(want))
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("decodeList(encodeList(%q)) = %q, %v", want, got, err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{1, 'a'})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, encoded []byte) {
		if list, err := decodeList[string](encoded); err != nil && list != nil {
			t.Error("a list beside an error")
		}
		if marks, err := decodeWindow(encoded); err != nil && marks != nil {
			t.Error("marks beside an error")
		}
		if _, _, err := parseRecordCursor(string(encoded)); err != nil && err.Error() != "bad cursor" {
			t.Errorf("parseRecordCursor = %v", err)
		}
	})
}

func TestMarks(t *testing.T) {
	now := time.Date(2019, 3, 1, 12, 0, 0, 123456789, time.UTC)
	want := tokenstore.Window{{At: now, N: 1}, {At: now.Add(time.Nanosecond), N: 3}, {At: now.Add(time.Hour), N: 1 << 20}}
	got, err := decodeWindow(encodeWindow(want))
	if err != nil || !slices.EqualFunc(got, want, func(a, b tokenstore.Mark) bool { return a.At.Equal(b.At) && a.N == b.N }) {
		t.Errorf("decodeWindow(encodeWindow(%v)) = %v, %v", want, got, err)
	}
}

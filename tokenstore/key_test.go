// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokenstore

import (
	"regexp"
	"testing"
	"time"
)

func TestULID(t *testing.T) {
	tests := map[string]struct {
		id   [16]byte
		want string
	}{
		"zero":     {want: "00000000000000000000000000"},
		"last bit": {id: [16]byte{15: 1}, want: "00000000000000000000000001"},
		"all bits": {
			id: [16]byte{
				255, 255, 255, 255, 255, 255, 255, 255,
				255, 255, 255, 255, 255, 255, 255, 255,
			},
			want: "7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
		},
		// The time of the example in the ULID specification, 1469918176385 ms.
		"specification": {id: [16]byte{0x01, 0x56, 0x3d, 0xf3, 0x64, 0x81}, want: "01ARYZ6S410000000000000000"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := ulid(tt.id); got != tt.want {
				t.Errorf("ulid(%x) = %s, want %s", tt.id, got, tt.want)
			}
		})
	}
}

func TestNewUserKey(t *testing.T) {
	shape := regexp.MustCompile(`^store:[0-7][0-9A-HJKMNP-TV-Z]{25}$`)
	now := time.UnixMilli(1469918176385)
	seen := make(map[string]bool)
	for range 1000 {
		key := NewUserKey(now)
		if !shape.MatchString(key) {
			t.Fatalf("NewUserKey = %q, want a match of %v", key, shape)
		}
		if got := key[:len("store:01ARYZ6S41")]; got != "store:01ARYZ6S41" {
			t.Fatalf("NewUserKey begins %q, want the time 01ARYZ6S41", got)
		}
		if seen[key] {
			t.Fatalf("NewUserKey made %q twice", key)
		}
		seen[key] = true
	}
	if early, late := NewUserKey(now), NewUserKey(now.Add(time.Millisecond)); early >= late {
		t.Errorf("keys %q and %q do not sort by time", early, late)
	}
	if key := NewUserKey(time.Time{}); !shape.MatchString(key) {
		t.Errorf("NewUserKey(zero time) = %q, want a match of %v", key, shape)
	}
}

func TestNewCredentialID(t *testing.T) {
	shape := regexp.MustCompile(`^[0-9a-hjkmnp-tv-z]{16}$`)
	seen := make(map[string]bool)
	for range 1000 {
		id := NewCredentialID()
		if !shape.MatchString(id) || seen[id] {
			t.Fatalf("NewCredentialID = %q (seen: %t), want a new match of %v", id, seen[id], shape)
		}
		seen[id] = true
	}
}

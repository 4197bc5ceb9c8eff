// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package loginthrottle

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"
	"golang.org/x/text/unicode/norm"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func TestSettings(t *testing.T) {
	tests := map[string]struct {
		settings Settings
		want     string
	}{
		"negative":               {Settings{User: -1}, "user"},
		"limit below user":       {Settings{User: 10, Limit: 5}, "limit"},
		"longest below first":    {Settings{Delay: caddy.Duration(time.Minute), MaxDelay: caddy.Duration(time.Second)}, "max_delay"},
		"quiet below longest":    {Settings{Quiet: caddy.Duration(time.Minute)}, "quiet"},
		"more than can be added": {Settings{Known: caddy.Duration(maxSetting + 1)}, "known"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := New(Options{Settings: test.settings}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("New: %v, want an error about %s", err, test.want)
			}
		})
	}
	if throttle, err := New(Options{Settings: Settings{Off: true}}); throttle != nil || err != nil {
		t.Errorf("New, off = %v, %v", throttle, err)
	}
	if s, err := (Settings{User: 200}).complete(); err != nil || s.Limit != 200 {
		t.Errorf("complete = %+v, %v", s, err)
	}
	off := (*Throttle)(nil)
	if b := off.UserBackoff(); b.Free != 5 || b.Limit != 100 || b.Quiet != 24*time.Hour || off.AddressBackoff().Free != 50 {
		t.Errorf("the defaults are %+v", b)
	}
}

func TestDigest(t *testing.T) {
	alike := []string{"Straße", "STRASSE", "strasse", "ｓtraße"}
	for _, name := range alike {
		if Digest(name) != Digest(alike[0]) {
			t.Errorf("%s is counted apart from %s", name, alike[0])
		}
	}
	if Digest("a") == Digest("b") {
		t.Error("two users have one count")
	}
}

func TestParse(t *testing.T) {
	k := keysOf(&Guess{Kind: "password", Name: "alice", Address: "2001:db8::1"})
	tests := map[string]Subject{
		k.all:     {Digest: Digest("alice"), Kind: "password"},
		k.own:     {Digest: Digest("alice"), Spelling: Spelling("alice"), Kind: "password", Network: "2001:db8::/64"},
		k.network: {Network: "2001:db8::/64"},
	}
	for key, want := range tests {
		if got, ok := Parse(key); !ok || got != want {
			t.Errorf("Parse(%s) = %+v, %v, want %+v", key, got, ok, want)
		}
		if len(key) > tokenstore.MaxName || !strings.HasPrefix(key, Prefix) {
			t.Errorf("%s is no key", key)
		}
	}
	for _, key := range []string{"", "x", k.known, "login/user/", "login/user/abc", "login/address/"} {
		if got, ok := Parse(key); ok {
			t.Errorf("Parse(%s) = %+v", key, got)
		}
	}
}

func TestHints(t *testing.T) {
	var h hints[int]
	for i := range 3 * maxHints {
		h.put(fmt.Sprint(i), i)
	}
	last := fmt.Sprint(3*maxHints - 1)
	if v, ok := h.get(last); !ok || v != 3*maxHints-1 || len(h.m) > maxHints {
		t.Errorf("the last hint is %d, %v, of %d", v, ok, len(h.m))
	}
	h.drop(last)
	if _, ok := h.get(last); ok {
		t.Error("a hint stays")
	}
}

func FuzzNetwork(f *testing.F) {
	for _, address := range []string{"192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1%eth0", "", "@", "fe80::1%"} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		network := Network(address)
		if network == "" {
			return
		}
		again := network
		if text, _, v6 := strings.Cut(network, "/"); v6 {
			again = text
		}
		if Network(again) != network || slices.Contains([]byte(network), '%') {
			t.Errorf("Network(%q) = %q, and of that %q", address, network, Network(again))
		}
	})
}

func FuzzDigest(f *testing.F) {
	for _, name := range []string{"alice", "Straße", "ﬁsh", "İ", "\xff", ""} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		digest := Digest(name)
		if len(digest) != 32 {
			t.Errorf("Digest(%q) = %q", name, digest)
		}
		for _, like := range []string{norm.NFKC.String(name), norm.NFD.String(name)} {
			if utf8.ValidString(name) && Digest(like) != digest {
				t.Errorf("%q is counted apart from %q", like, name)
			}
		}
	})
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokenstore

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestBackoff_Wait(t *testing.T) {
	now := time.Unix(1_500_000_000, 0)
	login := Backoff{Free: 5, Base: time.Second, Max: 15 * time.Minute, Quiet: 24 * time.Hour}
	for name, tt := range map[string]struct {
		backoff Backoff
		counted Attempts
		want    time.Duration
	}{
		"none":                  {login, Attempts{}, 0},
		"within those free":     {login, Attempts{Count: 4, Last: now}, 0},
		"the last that is free": {login, Attempts{Count: 5, Last: now}, time.Second},
		"doubled":               {login, Attempts{Count: 8, Last: now}, 8 * time.Second},
		"partly waited":         {login, Attempts{Count: 8, Last: now.Add(-5 * time.Second)}, 3 * time.Second},
		"waited":                {login, Attempts{Count: 8, Last: now.Add(-8 * time.Second)}, 0},
		"the longest":           {login, Attempts{Count: 15, Last: now}, 15 * time.Minute},
		"very many":             {login, Attempts{Count: math.MaxInt, Last: now}, 15 * time.Minute},
		"forgotten":             {login, Attempts{Count: 99, Last: now.Add(-24 * time.Hour)}, 0},
		"ahead":                 {login, Attempts{Count: 5, Last: now.Add(time.Hour)}, time.Hour + time.Second},
		"ahead by too much":     {login, Attempts{Count: 99, Last: now.Add(24*time.Hour + 1)}, 0},
		"no wait":               {Backoff{Free: 1, Quiet: time.Hour}, Attempts{Count: 99, Last: now}, 0},
		"negative":              {Backoff{Free: -3, Base: -1, Max: -1, Quiet: -1}, Attempts{Count: 99, Last: now}, 0},
		"no overflow":           {Backoff{Base: 1, Max: math.MaxInt64}, Attempts{Count: 200, Last: now}, math.MaxInt64},
	} {
		if got := tt.backoff.Wait(tt.counted, now); got != tt.want {
			t.Errorf("%s: Wait = %v, want %v", name, got, tt.want)
		}
	}
}

func TestAttemptKey(t *testing.T) {
	short, long := strings.Repeat("x", MaxName), strings.Repeat("x", MaxName+1)
	if got := AttemptKey(short); got != short {
		t.Errorf("AttemptKey of %d bytes = %q, want itself", len(short), got)
	}
	got := AttemptKey(long)
	if len(got) != MaxName || got == AttemptKey(long+"x") || !strings.HasPrefix(got, "xxx") || AttemptKey(got) != got {
		t.Errorf("AttemptKey of %d bytes = %q, want %d bytes that stand for it alone", len(long), got, MaxName)
	}
}

func TestIsForeign(t *testing.T) {
	for key, want := range map[string]bool{"": false, "store:": false, "store:1": false, "store": true, "config:alice": true, "Store:1": true} {
		if got := IsForeign(key); got != want {
			t.Errorf("IsForeign(%q) = %t, want %t", key, got, want)
		}
	}
}

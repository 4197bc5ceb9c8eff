// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package knox

import (
	"testing"
	"time"
)

func TestRefresh_Ends(t *testing.T) {
	created := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	after := func(d time.Duration) time.Time { return created.Add(d) }
	plain := Refresh{TTL: 10 * time.Hour, MinInterval: time.Minute}
	capped := Refresh{TTL: 10 * time.Hour, MaxTTL: 12 * time.Hour, MinInterval: time.Minute}
	for name, test := range map[string]struct {
		refresh   Refresh
		ends, now time.Time
		want      time.Time // zero: not refreshed
	}{
		"after the interval":           {plain, after(10 * time.Hour), after(time.Minute), time.Time{}},
		"after more than the interval": {plain, after(10 * time.Hour), after(61 * time.Second), after(10*time.Hour + 61*time.Second)},
		"up to the cap":                {capped, after(10 * time.Hour), after(9 * time.Hour), after(12 * time.Hour)},
		"at the cap":                   {capped, after(12 * time.Hour), after(11 * time.Hour), time.Time{}},
		"beyond the cap":               {capped, after(20 * time.Hour), after(11 * time.Hour), time.Time{}},
		"without an interval":          {Refresh{TTL: time.Hour}, after(time.Hour), after(time.Microsecond), after(time.Hour + time.Microsecond)},
		"without a gain":               {Refresh{TTL: time.Hour}, after(time.Hour), after(0), time.Time{}},
		"a clock that went back":       {plain, after(10 * time.Hour), after(-time.Hour), time.Time{}},
		"without an end":               {plain, time.Time{}, after(time.Hour), time.Time{}},
	} {
		got, ok := test.refresh.Ends(created, test.ends, test.now)
		if ok != !test.want.IsZero() || ok && !got.Equal(test.want) || !ok && !got.Equal(test.ends) {
			t.Errorf("%s: %s, %t; want %s", name, got, ok, test.want)
		}
	}
}

func TestDecode(t *testing.T) {
	for _, want := range []Refresh{{TTL: time.Microsecond}, {TTL: 10 * time.Hour, MaxTTL: 12 * time.Hour, MinInterval: time.Minute}} {
		if got, ok := Decode(Encode(want)); got != want || !ok {
			t.Errorf("%+v became %+v, %t", want, got, ok)
		}
	}
	for _, bad := range []string{
		"", "null", "{}", "x", `{"knox":null}`, `{"knox":{}}`, `{"knox":{"ttl":"0s","min_interval":"0s"}}`,
		`{"knox":{"ttl":"-1h","min_interval":"0s"}}`, `{"knox":{"ttl":"1h","min_interval":"-1s"}}`, `{"knox":{"ttl":"1h"}}`,
		`{"knox":{"ttl":"1h","max_ttl":"x","min_interval":"0s"}}`,
	} {
		if got, ok := Decode([]byte(bad)); ok {
			t.Errorf("%s became %+v", bad, got)
		}
	}
}

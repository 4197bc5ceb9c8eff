// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package throttle_test

import (
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/throttle"
)

func TestParseRate(t *testing.T) {
	tests := map[string]struct {
		want throttle.Rate
		text string // as String writes it
	}{
		"1/second": {throttle.Rate{Requests: 1, Per: time.Second}, "1/second"},
		"1/sec":    {throttle.Rate{Requests: 1, Per: time.Second}, "1/second"},
		"1/s":      {throttle.Rate{Requests: 1, Per: time.Second}, "1/second"},
		"60/min":   {throttle.Rate{Requests: 60, Per: time.Minute}, "60/minute"},
		"60/m":     {throttle.Rate{Requests: 60, Per: time.Minute}, "60/minute"},
		"5/hour":   {throttle.Rate{Requests: 5, Per: time.Hour}, "5/hour"},
		"5/h":      {throttle.Rate{Requests: 5, Per: time.Hour}, "5/hour"},
		"1000/day": {throttle.Rate{Requests: 1000, Per: 24 * time.Hour}, "1000/day"},
		"1000/d":   {throttle.Rate{Requests: 1000, Per: 24 * time.Hour}, "1000/day"},
		"0/day":    {throttle.Rate{Per: 24 * time.Hour}, "0/day"},
	}
	for text, test := range tests {
		got, err := throttle.ParseRate(text)
		if err != nil || got != test.want || got.String() != test.text {
			t.Errorf("ParseRate(%q) = %v, %v, want %v", text, got, err, test.want)
		}
	}
	if got := (throttle.Rate{Requests: 3, Per: 90 * time.Second}).String(); got != "3/1m30s" {
		t.Errorf("a rate that cannot be configured is written %s", got)
	}
}

func TestParseRate_refuses(t *testing.T) {
	for text, want := range map[string]string{
		"":          "'' is not a rate, as 1000/day",
		"1000":      "'1000' is not a rate, as 1000/day",
		"None":      "'None' is not a rate, as 1000/day",
		"/day":      "'/day' is not a rate: '' is not a number from 0 to 1000000000",
		"-1/day":    "'-1/day' is not a rate: '-1' is not a number from 0 to 1000000000",
		"+1/day":    "'+1/day' is not a rate: '+1' is not a number from 0 to 1000000000",
		"1.5/day":   "'1.5/day' is not a rate: '1.5' is not a number from 0 to 1000000000",
		"1_000/day": "'1_000/day' is not a rate: '1_000' is not a number from 0 to 1000000000",
		" 1/day":    "' 1/day' is not a rate: ' 1' is not a number from 0 to 1000000000",

		"1000000001/day":           "'1000000001/day' is not a rate: '1000000001' is not a number from 0 to 1000000000",
		"99999999999999999999/day": "'99999999999999999999/day' is not a rate: '99999999999999999999' is not a number from 0 to 1000000000",
		"10/month":                 "'10/month' is not a rate: the period is one of second, minute, hour, day (s, m, h, d; sec, min)",
		"10/days":                  "'10/days' is not a rate: the period is one of second, minute, hour, day (s, m, h, d; sec, min)",
		"10/Day":                   "'10/Day' is not a rate: the period is one of second, minute, hour, day (s, m, h, d; sec, min)",
		"10/":                      "'10/' is not a rate: the period is one of second, minute, hour, day (s, m, h, d; sec, min)",
		"10/day/":                  "'10/day/' is not a rate: the period is one of second, minute, hour, day (s, m, h, d; sec, min)",
		"10/24h":                   "'10/24h' is not a rate: the period is one of second, minute, hour, day (s, m, h, d; sec, min)",
		"10/\u017fecond":           "'10/\u017fecond' is not a rate: the period is one of second, minute, hour, day (s, m, h, d; sec, min)",
		"\u0661/day":               "'\u0661/day' is not a rate: '\u0661' is not a number from 0 to 1000000000",
	} {
		if _, err := throttle.ParseRate(text); err == nil || err.Error() != want {
			t.Errorf("ParseRate(%q) = %v, want %s", text, err, want)
		}
	}
}

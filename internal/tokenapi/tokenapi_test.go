// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokenapi

import (
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/peertest"
)

// What humanize.naturaldelta writes, around every border.
func TestNaturalDelta(t *testing.T) {
	const day = 24 * time.Hour
	for d, want := range map[time.Duration]string{
		0:                                   "a moment",
		999 * time.Millisecond:              "a moment",
		time.Second:                         "a second",
		59 * time.Second:                    "59 seconds",
		time.Minute:                         "a minute",
		89 * time.Second:                    "a minute",
		90 * time.Second:                    "2 minutes", // 1.5 is nearer to the even 2
		150 * time.Second:                   "2 minutes", // so is 2.5
		210 * time.Second:                   "4 minutes",
		3569 * time.Second:                  "59 minutes",
		3570 * time.Second:                  "an hour",
		time.Hour:                           "an hour",
		5400 * time.Second:                  "2 hours",
		9000 * time.Second:                  "2 hours",
		10 * time.Hour:                      "10 hours",
		23*time.Hour + 29*time.Minute:       "23 hours",
		23*time.Hour + 30*time.Minute:       "a day",
		day:                                 "a day",
		2*day - time.Second:                 "a day",
		2 * day:                             "2 days",
		10 * day:                            "10 days",
		15 * day:                            "15 days",
		16 * day:                            "a month",
		45 * day:                            "a month",
		46 * day:                            "2 months",
		350 * day:                           "11 months",
		351 * day:                           "a year",
		365 * day:                           "a year",
		366 * day:                           "1 year, 1 day",
		367 * day:                           "1 year, 2 days",
		(365 + 16) * day:                    "1 year, 1 month",
		(365 + 61) * day:                    "1 year, 2 months",
		(365 + 351) * day:                   "2 years",
		2 * 365 * day:                       "2 years",
		10 * 365 * day:                      "10 years",
		-10 * day:                           "10 days",
		time.Duration(1<<63 - 1):            "292 years",
		10*day + 12*time.Hour:               "10 days",
		time.Hour + 123*time.Microsecond:    "an hour",
		time.Hour - 1*time.Microsecond:      "an hour",
		time.Second - 1*time.Microsecond:    "a moment",
		10*day - 1*time.Microsecond:         "9 days",
		24*time.Hour - 1*time.Microsecond:   "a day",
		365*day - 1*time.Microsecond:        "a year",
		30*day + 11*time.Hour + time.Minute: "a month",
	} {
		if got := NaturalDelta(d); got != want {
			t.Errorf("NaturalDelta(%s) = %q, want %q", d, got, want)
		}
	}
}

func TestExpiry(t *testing.T) {
	at := time.Date(2026, 11, 21, 13, 11, 51, 930215000, time.UTC)
	for format, want := range map[string]any{
		"":                  "2026-11-21T13:11:51.930215Z",
		"iso-8601":          "2026-11-21T13:11:51.930215Z",
		"ISO-8601":          "2026-11-21T13:11:51.930215Z",
		"%H:%M %d/%m/%y":    "13:11 21/11/26",
		"%Y-%m-%dT%H:%M:%S": "2026-11-21T13:11:51",
		"%a %A %b %B %e %j": "Sat Saturday Nov November 21 325",
		"%I %p %f %s":       "01 PM 930215 1795266711",
		"%F %T %R %D %u %w": "2026-11-21 13:11:51 13:11 11/21/26 6 6",
		"100%% of %z %Z":    "100% of +0000 UTC",
		"no directive, 15":  "no directive, 15",
	} {
		if err := CheckExpiryFormat(format); err != nil {
			t.Errorf("%q: %v", format, err)
		}
		if got := Expiry(at.In(time.FixedZone("", 3600)), format); got != want {
			t.Errorf("Expiry(%q) = %q, want %q", format, got, want)
		}
	}
	if got := Expiry(time.Time{}, ""); got != nil {
		t.Errorf("without an end: %v", got)
	}
	for _, bad := range []string{"%", "%Y %", "%Q", "%-d", "%é", "%E"} {
		if err := CheckExpiryFormat(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

// Python is the referee of strftime.
func TestStrftime_python(t *testing.T) {
	python := peertest.Python(t)
	var formats []string
	for directive := range directives {
		if directive != 's' { // Python takes it for local time
			formats = append(formats, "%"+string(directive))
		}
	}
	slices.Sort(formats)
	format := strings.Join(formats, "|")
	moments := []int64{0, 951782399, 1795266711, 1704067200, 1735689599, 4102444800}
	script := "import sys,datetime\nfor s in sys.argv[2:]: print(datetime.datetime.fromtimestamp(int(s),datetime.timezone.utc).strftime(sys.argv[1]))"
	for year := 2000; year < 2030; year++ { // weeks are counted from the ends of years
		first := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		moments = append(moments, first.Add(-time.Second).Unix(), first.Unix(), first.AddDate(0, 0, 6).Unix())
	}
	args := []string{"-c", script, format}
	for _, s := range moments {
		args = append(args, strconv.FormatInt(s, 10))
	}
	command := exec.CommandContext(t.Context(), python, args...)
	command.Env = []string{"LC_ALL=C"}
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for i, s := range moments {
		if got := Strftime(time.Unix(s, 0), format); got != lines[i] {
			t.Errorf("at %d: %q, want %q", s, got, lines[i])
		}
	}
}

func TestOptions(t *testing.T) {
	type settings struct {
		word  string
		n     int
		on    bool
		ttl   *caddy.Duration
		words []string
	}
	duration := func(d time.Duration) *caddy.Duration { c := caddy.Duration(d); return &c }
	parse := func(input string) (s settings, err error) {
		return s, Options{"word": &s.word, "n": &s.n, "on": &s.on, "ttl": &s.ttl, "words": &s.words}.Parse(caddyfile.NewTestDispenser(input))
	}
	for input, want := range map[string]settings{
		"x":                        {},
		"x {\n}":                   {},
		"x {\nword a\nn 3\non\n}":  {word: "a", n: 3, on: true},
		"x {\non on\nwords a b\n}": {on: true, words: []string{"a", "b"}},
		"x {\non off\nttl none\n}": {ttl: duration(0)},
		"x {\nttl 90\n}":           {ttl: duration(90 * time.Second)},
		"x {\nttl 7d\n}":           {ttl: duration(7 * 24 * time.Hour)},
	} {
		got, err := parse(input)
		same := got.word == want.word && got.n == want.n && got.on == want.on && slices.Equal(got.words, want.words) &&
			(got.ttl == nil) == (want.ttl == nil) && (got.ttl == nil || *got.ttl == *want.ttl)
		if err != nil || !same {
			t.Errorf("%q: %+v, %v; want %+v", input, got, err, want)
		}
	}
	for _, bad := range []string{
		"x y", "x {\ny\n}", "x {\nword\n}", "x {\nword \"\"\n}", "x {\nword a b\n}", "x {\nword a\nword b\n}", "x {\nn 0\n}",
		"x {\nn -1\n}", "x {\nn x\n}", "x {\non maybe\n}", "x {\non on on\n}", "x {\nttl -1h\n}", "x {\nttl 0\n}", "x {\nttl 0s\n}", "x {\nttl 9999999999\n}", "x {\nttl 999999d\n}", "x {\nttl soon\n}", "x {\nwords\n}",
	} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokenapi

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// directives are those of Python's documentation, and some that every C library
// adds, with what they write of a time in UTC. Those that depend on the locale
// are written as in its default, C.
var directives = map[byte]func(time.Time) string{
	'a': layout("Mon"),
	'A': layout("Monday"),
	'b': layout("Jan"),
	'B': layout("January"),
	'c': layout("Mon Jan _2 15:04:05 2006"),
	'd': layout("02"),
	'D': layout("01/02/06"),
	'e': layout("_2"),
	'f': func(t time.Time) string { return fmt.Sprintf("%06d", t.Nanosecond()/int(time.Microsecond)) },
	'F': layout("2006-01-02"),
	'G': func(t time.Time) string { year, _ := t.ISOWeek(); return fmt.Sprint(year) },
	'H': layout("15"),
	'I': layout("03"),
	'j': layout("002"),
	'm': layout("01"),
	'M': layout("04"),
	'p': layout("PM"),
	'R': layout("15:04"),
	's': func(t time.Time) string { return fmt.Sprint(t.Unix()) },
	'S': layout("05"),
	'T': layout("15:04:05"),
	'u': func(t time.Time) string { return fmt.Sprint((int(t.Weekday())+6)%7 + 1) },
	'U': func(t time.Time) string { return week(t, int(t.Weekday())) },
	'V': func(t time.Time) string { _, week := t.ISOWeek(); return fmt.Sprintf("%02d", week) },
	'w': func(t time.Time) string { return fmt.Sprint(int(t.Weekday())) },
	'W': func(t time.Time) string { return week(t, (int(t.Weekday())+6)%7) },
	'x': layout("01/02/06"),
	'X': layout("15:04:05"),
	'y': layout("06"),
	'Y': layout("2006"),
	'z': func(time.Time) string { return "+0000" },
	'Z': func(time.Time) string { return "UTC" },
	'%': func(time.Time) string { return "%" },
}

func layout(layout string) func(time.Time) string {
	return func(t time.Time) string { return t.Format(layout) }
}

// week numbers the weeks of a year. The days before the first that begins in it
// are in week 0.
func week(t time.Time, dayOfWeek int) string {
	return fmt.Sprintf("%02d", (t.YearDay()+6-dayOfWeek)/7)
}

// Strftime writes a time, in UTC, as Python's strftime does by a format that
// CheckStrftime takes.
func Strftime(t time.Time, format string) string {
	t = t.UTC()
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] == '%' && i+1 < len(format) {
			if write := directives[format[i+1]]; write != nil {
				b.WriteString(write(t))
				i++
				continue
			}
		}
		b.WriteByte(format[i])
	}
	return b.String()
}

// CheckStrftime refuses a directive that Strftime does not know: another program
// would read what is left of it as a time.
func CheckStrftime(format string) error {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		i++
		if i == len(format) {
			return errors.New("the format ends within a directive; write %% for a percent sign")
		}
		if directives[format[i]] == nil {
			return fmt.Errorf("unknown directive '%%%c'", []rune(format[i:])[0])
		}
	}
	return nil
}

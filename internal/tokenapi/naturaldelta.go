// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokenapi

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

const (
	daysPerYear  = 365
	daysPerMonth = 30.5
)

// NaturalDelta writes how long something takes as Python's humanize.naturaldelta
// does, rounding halves to the even number: "an hour", "10 days", "1 year, 1 month".
func NaturalDelta(d time.Duration) string {
	d = max(d, -d)
	days := int(d / (24 * time.Hour))
	seconds := int(d % (24 * time.Hour) / time.Second)
	years, days := days/daysPerYear, days%daysPerYear
	months := int(math.RoundToEven(float64(days) / daysPerMonth))
	switch {
	case years == 0 && days == 0:
		return withinDay(seconds)
	case years == 0 && months == 0:
		return plural(days, "a day", "days")
	case years == 0 && months == 12:
		return "a year"
	case years == 0:
		return plural(months, "a month", "months")
	case years == 1 && days == 0:
		return "a year"
	case years == 1 && months == 0:
		return "1 year, " + plural(days, "1 day", "days")
	case years == 1 && months == 12:
		return "2 years"
	case years == 1:
		return "1 year, " + plural(months, "1 month", "months")
	}
	return fmt.Sprintf("%d years", years) // no Duration has 1,000, from where humanize groups digits
}

func withinDay(seconds int) string {
	switch {
	case seconds == 0:
		return "a moment"
	case seconds < 60:
		return plural(seconds, "a second", "seconds")
	case seconds < 3600:
		minutes := int(math.RoundToEven(float64(seconds) / 60))
		if minutes == 60 {
			return "an hour"
		}
		return plural(minutes, "a minute", "minutes")
	}
	hours := int(math.RoundToEven(float64(seconds) / 3600))
	if hours == 24 {
		return "a day"
	}
	return plural(hours, "an hour", "hours")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return strconv.Itoa(n) + " " + many
}

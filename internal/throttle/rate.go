// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package throttle

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Rate is how many requests may be made in any span of a length. The zero
// Rate is no limit.
type Rate struct {
	Requests int
	Per      time.Duration
}

// maxRequests bounds what a counter must be able to hold.
const maxRequests = 1_000_000_000

// periods are the words of Django REST framework's documentation, and those
// that are met in its users' settings. It judges a period by its first letter
// alone, so that its 10/month is 10/minute: such a word is no period here.
var periods = map[string]time.Duration{
	"s": time.Second, "sec": time.Second, "second": time.Second,
	"m": time.Minute, "min": time.Minute, "minute": time.Minute,
	"h": time.Hour, "hour": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour,
}

// ParseRate parses a rate, as 1000/day. No request at all is a rate, 0/day.
func ParseRate(text string) (Rate, error) {
	number, period, found := strings.Cut(text, "/")
	if !found {
		return Rate{}, fmt.Errorf("'%s' is not a rate, as 1000/day", text)
	}
	requests, err := strconv.ParseUint(number, 10, 0)
	if err != nil || requests > maxRequests {
		return Rate{}, fmt.Errorf("'%s' is not a rate: '%s' is not a number from 0 to %d", text, number, maxRequests)
	}
	per, known := periods[period]
	if !known {
		return Rate{}, fmt.Errorf("'%s' is not a rate: the period is one of second, minute, hour, day (s, m, h, d; sec, min)", text)
	}
	return Rate{int(requests), per}, nil
}

// String writes the rate as ParseRate reads it.
func (r Rate) String() string {
	for _, period := range []string{"second", "minute", "hour", "day"} {
		if periods[period] == r.Per {
			return strconv.Itoa(r.Requests) + "/" + period
		}
	}
	return strconv.Itoa(r.Requests) + "/" + r.Per.String()
}

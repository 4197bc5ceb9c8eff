// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokenapi

import (
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
)

// Lifetime returns how long tokens live: as the option says, or the default if
// it is not given. 0 is for ever.
func Lifetime(option *caddy.Duration, byDefault time.Duration) time.Duration {
	if option == nil {
		return byDefault
	}
	return time.Duration(*option)
}

// End returns when what begins now ends, to the microsecond that a store keeps;
// the zero time if never.
func End(now time.Time, lifetime time.Duration) time.Time {
	if lifetime == 0 {
		return time.Time{}
	}
	return now.Add(lifetime).UTC().Truncate(time.Microsecond)
}

// Expired reports whether what ends then has ended.
func Expired(ends, now time.Time) bool { return !ends.IsZero() && !ends.After(now) }

// Expiry returns the end of a token as JSON: in the format, or as DRF writes times
// if there is none, and null if there is no end.
func Expiry(ends time.Time, format string) any {
	switch {
	case ends.IsZero():
		return nil
	case format == "" || strings.EqualFold(format, "iso-8601"):
		return drf.Timestamp(ends)
	}
	return Strftime(ends, format)
}

// CheckExpiryFormat refuses a format that Expiry cannot write.
func CheckExpiryFormat(format string) error {
	if strings.EqualFold(format, "iso-8601") {
		return nil
	}
	return CheckStrftime(format)
}

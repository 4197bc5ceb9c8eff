// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import "time"

// ParseDuration reads a duration as Django writes it, 1 00:00:00, or in ISO 8601.
func ParseDuration(text string) (time.Duration, bool) { return parseDuration(text) }

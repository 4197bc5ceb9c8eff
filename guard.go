// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import "go.uber.org/zap"

// warnOfGuards warns of a chain in which a cookie comes before credentials
// that a program sends: a client with both is then refused for want of a CSRF
// token although it needs none, and a client with neither is not told how to
// authenticate.
func warnOfGuards(links []link, logger *zap.Logger) {
	for i := range links {
		// One with a challenge of its own reads the header as well, and its guard
		// may be about that.
		if links[i].guard == nil || links[i].challenger != nil {
			continue
		}
		for j := i + 1; j < len(links); j++ {
			if links[j].challenger == nil {
				continue
			}
			logger.Warn("an authenticator with CSRF protection comes before one of the Authorization header: "+
				"a request with both needs a CSRF token, and refusals are 403 without a challenge; "+
				"put the header's first unless this is meant",
				zap.String("first", links[i].name), zap.String("second", links[j].name))
			return
		}
	}
}

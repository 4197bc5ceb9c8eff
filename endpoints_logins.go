// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"slices"

	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
)

// loginLinks brings the ways to log in to the pages that show them.
type loginLinks struct {
	links   []endpoints.LoginLink
	showers []endpoints.LoginLinkShower
}

func (l *loginLinks) add(endpoint endpoints.Endpoint) {
	if linker, ok := endpoint.(endpoints.LoginLinker); ok {
		l.links = append(l.links, linker.LoginLinks()...)
	}
	if shower, ok := endpoint.(endpoints.LoginLinkShower); ok {
		l.showers = append(l.showers, shower)
	}
}

func (l *loginLinks) show() {
	if len(l.links) == 0 {
		return
	}
	for _, shower := range l.showers {
		shower.ShowLoginLinks(slices.Clone(l.links))
	}
}

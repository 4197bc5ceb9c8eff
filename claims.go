// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import "net/http"

// What authenticators of this module may be beside what package auth says.
type (
	// A noticer reads what this handler is about to forget or to remove: what
	// earlier handlers said of the user, and headers that are ours alone.
	noticer interface{ Notice(r *http.Request) }

	// A headerReader believes a header of some peers. Nobody else's may reach
	// an upstream that believes the same header.
	headerReader interface{ InputHeader() string }

	// An owner has users of its own, beside whom no user of the store may
	// have the same name.
	owner interface{ Owns(name string) bool }
)

// claim prepares for what the authenticators claim for themselves.
func (p *policy) claim() {
	var owners []owner
	for i := range p.links {
		guest := p.links[i].Authenticator
		if n, ok := guest.(noticer); ok {
			p.noticers = append(p.noticers, n)
		}
		if o, ok := guest.(owner); ok {
			owners = append(owners, o)
		}
	}
	if len(owners) == 0 {
		return
	}
	for i := range p.links {
		configured := p.links[i].configured
		p.links[i].configured = func(name string) bool {
			if configured(name) {
				return true
			}
			for _, o := range owners {
				if o.Owns(name) {
					return true
				}
			}
			return false
		}
	}
}

// notice lets the authenticators read what will not be there when they are asked.
func (p *policy) notice(r *http.Request) {
	for _, n := range p.noticers {
		n.Notice(r)
	}
}

// inputs returns the headers that the authenticators believe.
func (p *policy) inputs() (names []string) {
	for i := range p.links {
		if reader, ok := p.links[i].Authenticator.(headerReader); ok {
			if name := reader.InputHeader(); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

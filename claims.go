// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"net/http"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// claim prepares for what the authenticators claim for themselves.
func (p *policy) claim() {
	type ownerOf struct {
		auth.Owner
		source string
	}
	var owners []ownerOf
	for i := range p.links {
		guest := p.links[i].Authenticator
		if n, ok := guest.(auth.Noticer); ok {
			p.noticers = append(p.noticers, n)
		}
		if o, ok := guest.(auth.Owner); ok {
			owners = append(owners, ownerOf{o, p.links[i].source.Name})
		}
	}
	for i := range p.links {
		for _, o := range owners {
			p.links[i].owners = append(p.links[i].owners, o)
			if o.source != p.links[i].source.Name {
				p.links[i].strangers = append(p.links[i].strangers, o)
			}
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
		if reader, ok := p.links[i].Authenticator.(auth.HeaderReader); ok {
			if name := reader.InputHeader(); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

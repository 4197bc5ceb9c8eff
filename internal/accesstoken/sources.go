// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package accesstoken

import (
	"errors"
	"fmt"
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/possession"
)

const marker = possession.Marker

// Source returns where the users are kept: of several issuers one source, whose
// prefixes call has written.
func (s *Issuers) Source() auth.Source {
	if len(s.all) == 1 {
		return s.source(s.all[0])
	}
	var names []string
	for _, i := range s.all {
		if source := s.source(i); source.Name != "" {
			names = append(names, source.Name)
		}
	}
	if len(names) == 0 {
		return auth.Local
	}
	return auth.Source{Name: strings.Join(names, " "), Told: s.told()}
}

func (*Issuers) source(i *issuer) auth.Source { return i.options.Source(i.name) }

// told reports whether every issuer says how its users are told apart from all
// others.
func (s *Issuers) told() bool {
	for _, i := range s.all {
		if !s.source(i).Told {
			return false
		}
	}
	return true
}

// checkSources refuses issuers that could call two people by one name.
func (s *Issuers) checkSources() error {
	if len(s.all) < 2 {
		return nil
	}
	prefixes := make(map[string]string) // names by prefix
	for _, i := range s.all {
		source := s.source(i)
		if !source.Told {
			return fmt.Errorf("issuer '%s' has users of its own beside those of others: say `user_prefix <text>`, "+
				"or `link` to users of the store, or `user_prefix off` if the names cannot meet", i.name)
		}
		if source.Prefix == "" {
			continue
		}
		for prefix, other := range prefixes {
			if strings.HasPrefix(prefix, source.Prefix) || strings.HasPrefix(source.Prefix, prefix) {
				return fmt.Errorf("issuers '%s' and '%s' write user_prefix '%s' and '%s' before their users: "+
					"say two of which none begins as the other does, or their names could meet", other, i.name, prefix, source.Prefix)
			}
		}
		prefixes[source.Prefix] = i.name
	}
	return nil
}

// Owns reports whether a name is one that an issuer's user has here, so that
// nobody else may have it. A single issuer's is the handler's to see to.
func (s *Issuers) Owns(name string) bool {
	if len(s.all) < 2 {
		return false
	}
	for _, i := range s.all {
		if prefix := s.source(i).Prefix; prefix != "" && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

var errPrefix = errors.New("the user name begins with the user_prefix of another issuer")

// call gives the user the name that it has beside those of the other issuers.
func (s *Issuers) call(i *issuer, id *auth.Identity) (*auth.Identity, error) {
	if len(s.all) < 2 || id.ID == "" {
		return id, nil
	}
	prefix := s.source(i).Prefix
	if prefix == "" && s.Owns(id.ID) {
		return nil, refusal(errPrefix)
	}
	id.ID = prefix + id.ID
	return id, nil
}

// bind leaves out keys that belong to another issuer, where the issuer says so
// of its keys, as Entra ID does for each tenant.
func bind(t *jose.Token, keys []*keyset.Key) []*keyset.Key {
	for n, key := range keys {
		if key.Issuer == "" {
			continue
		}
		iss, _, _ := t.String("iss")
		tenant, _, _ := t.String("tid")
		bound := append([]*keyset.Key(nil), keys[:n]...)
		for _, key := range keys[n:] {
			if key.Issuer == "" || strings.ReplaceAll(key.Issuer, "{tenantid}", tenant) == iss {
				bound = append(bound, key)
			}
		}
		return bound
	}
	return keys
}

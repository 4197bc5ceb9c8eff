// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package keyset

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// Status is what an operator is told of a set. It holds no secret. Its kind is
// issuer, jwks_url, file, pem or secret.
type Status struct {
	outbound.Status

	// URL is where the keys of an issuer were.
	URL string `json:"url,omitempty"`

	// Keys are those in use.
	Keys []KeyStatus `json:"keys"`

	// Left says which keys of the source are not used, and why.
	Left []string `json:"left,omitempty"`
}

// KeyStatus is what an operator is told of a key.
type KeyStatus struct {
	ID         string   `json:"kid,omitempty"`
	Type       string   `json:"kty"`
	Algorithms []string `json:"algorithms"`
	Issuer     string   `json:"issuer,omitempty"`
}

// Statuses returns what an operator is told of every set that is in use, in the
// order of their sources.
func Statuses() []Status {
	statuses := []Status{}
	pool.Range(func(_, value any) bool {
		if s, ok := value.(*shared); ok {
			statuses = append(statuses, s.Describe())
		}
		return true
	})
	slices.SortStableFunc(statuses, func(a, b Status) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Kind, b.Kind))
	})
	return statuses
}

// Renew fetches every set in use anew, and returns when that has ended. It is
// for an operator, who knows that a key is to be trusted no more.
func Renew(ctx context.Context) {
	var fetching sync.WaitGroup
	pool.Range(func(_, value any) bool {
		if s, ok := value.(*shared); ok && s.document != nil {
			fetching.Go(func() {
				// What went wrong is in its status.
				_, _ = s.document.Renew(ctx)
			})
		}
		return true
	})
	fetching.Wait()
}

// Describe returns what an operator is told of the set.
func (s *shared) Describe() Status {
	status := Status{Status: outbound.Status{Source: s.name, Kind: s.kind, State: "good"}, Keys: []KeyStatus{}}
	known := s.static
	if s.document != nil {
		known = s.document.State().Value
		status.Status = s.document.Describe(s.kind, s.name)
	}
	if known == nil {
		return status
	}
	status.Left = texts(known.left)
	if known.url != "" {
		status.URL = outbound.Name(known.url)
	}
	for _, key := range known.all {
		status.Keys = append(status.Keys, KeyStatus{key.ID, key.Type, key.Algorithms, key.Issuer})
	}
	return status
}

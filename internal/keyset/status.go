// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package keyset

import (
	"cmp"
	"slices"
	"time"
)

// Status is what an operator is told of a set. It holds no secret.
type Status struct {
	// Source is the issuer, URL or file, and Kind which of them: issuer,
	// jwks_url, file, pem or secret.
	Source string `json:"source"`
	Kind   string `json:"kind"`

	// URL is where the keys of an issuer were.
	URL string `json:"url,omitempty"`

	Keys []KeyStatus `json:"keys"`

	// Left says which keys of the source are not used, and why.
	Left []string `json:"left,omitempty"`

	// Fetched is when the keys were last fetched, Age how long ago that is in
	// seconds.
	Fetched *time.Time `json:"fetched,omitempty"`
	Age     float64    `json:"age,omitempty"`

	// Next is when they will be fetched again.
	Next *time.Time `json:"next,omitempty"`

	// Error is why the last fetch failed.
	Error string `json:"error,omitempty"`

	// Failures are the fetches that failed since the last good one, Succeeded and
	// Failed all since the source was first configured.
	Failures  int    `json:"failures,omitempty"`
	Succeeded uint64 `json:"succeeded"`
	Failed    uint64 `json:"failed"`
}

// KeyStatus is what an operator is told of a key.
type KeyStatus struct {
	ID         string   `json:"kid,omitempty"`
	Type       string   `json:"kty"`
	Algorithms []string `json:"algorithms"`
}

// Statuses returns what an operator is told of every set that is in use, in the
// order of their sources.
func Statuses() []Status {
	var sets []*shared
	pool.Range(func(_, value any) bool {
		if s, ok := value.(*shared); ok {
			sets = append(sets, s)
		}
		return true
	})
	statuses := make([]Status, 0, len(sets))
	for _, s := range sets {
		statuses = append(statuses, s.Describe())
	}
	slices.SortStableFunc(statuses, func(a, b Status) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Kind, b.Kind))
	})
	return statuses
}

// Describe returns what an operator is told of the set.
func (s *shared) Describe() Status {
	status := Status{Source: s.name, Kind: s.kind, Keys: []KeyStatus{}}
	known := s.static
	if s.document != nil {
		state := s.document.State()
		known = state.Value
		if known != nil {
			status.Fetched, status.Age = &state.Good, time.Since(state.Good).Seconds()
		}
		if !state.Next.IsZero() {
			status.Next = &state.Next
		}
		status.Succeeded, status.Failed = state.Fetched, state.Failed
		if state.Err != nil {
			status.Error, status.Failures = state.Err.Error(), state.Failures
		}
	}
	if known == nil {
		return status
	}
	status.URL, status.Left = known.url, texts(known.left)
	for _, key := range known.all {
		status.Keys = append(status.Keys, KeyStatus{key.ID, key.Type, key.Algorithms})
	}
	return status
}

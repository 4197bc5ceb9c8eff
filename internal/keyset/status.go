// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package keyset

import "time"

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

	// Failures are the fetches that failed since the last good one.
	Failures int `json:"failures,omitempty"`
}

// KeyStatus is what an operator is told of a key.
type KeyStatus struct {
	ID         string   `json:"kid,omitempty"`
	Type       string   `json:"kty"`
	Algorithms []string `json:"algorithms"`
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
		if state.Err != nil {
			status.Error, status.Failures = state.Err.Error(), state.Failures
		}
	}
	if known == nil {
		return status
	}
	status.URL, status.Left = known.url, known.left
	for _, key := range known.all {
		status.Keys = append(status.Keys, KeyStatus{key.ID, key.Type, key.Algorithms})
	}
	return status
}

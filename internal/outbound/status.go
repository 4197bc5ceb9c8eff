// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"net/url"
	"time"
)

// Status is what an operator is told of a document. It holds no secret.
type Status struct {
	// Source is what the document is of, and Kind what it is.
	Source string `json:"source"`
	Kind   string `json:"kind"`

	// State is good; stale, while the last good answer stands in for a newer one
	// that could not be had; down, while there is none; or idle, before the
	// first fetch has ended.
	State string `json:"state"`

	// Fetched is when the answer in use was fetched, Age how long ago that is, in
	// seconds, and Next when that will be done again.
	Fetched *time.Time `json:"fetched,omitempty"`
	Age     float64    `json:"age,omitempty"`
	Next    *time.Time `json:"next,omitempty"`

	// Error is why the last fetch failed, and Failures how many did since the
	// last good one.
	Error    string `json:"error,omitempty"`
	Failures int    `json:"failures,omitempty"`

	// Succeeded and Failed are all fetches since the source is configured.
	Succeeded uint64 `json:"succeeded"`
	Failed    uint64 `json:"failed"`
}

// Describe returns what an operator is told of the document.
func (d *Document[T]) Describe(kind, source string) Status {
	state := d.State()
	s := Status{
		Source: source, Kind: kind, State: "good",
		Failures: state.Failures, Succeeded: state.Fetched, Failed: state.Failed,
	}
	if state.Value != nil {
		s.Fetched, s.Age = &state.Good, time.Since(state.Good).Seconds()
	}
	if !state.Next.IsZero() {
		s.Next = &state.Next
	}
	if state.Err != nil {
		s.Error = state.Err.Error()
	}
	switch {
	case state.Value != nil && state.Err != nil:
		s.State = "stale"
	case state.Value == nil && state.Err != nil:
		s.State = "down"
	case state.Value == nil:
		s.State = "idle"
	}
	return s
}

// Name returns a URL as logs and metrics call it: a query may hold a secret.
func Name(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	u.RawQuery, u.ForceQuery, u.User = "", false, nil
	return u.String()
}

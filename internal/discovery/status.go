// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package discovery

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// Statuses returns what an operator is told of all metadata in use, in the
// order of the issuers.
func Statuses() []outbound.Status {
	statuses := []outbound.Status{}
	pool.Range(func(_, value any) bool {
		if s, ok := value.(*shared); ok {
			statuses = append(statuses, s.document.Describe("metadata", s.name))
		}
		return true
	})
	slices.SortStableFunc(statuses, func(a, b outbound.Status) int { return cmp.Compare(a.Source, b.Source) })
	return statuses
}

// Renew fetches all metadata in use anew, and returns when that has ended.
func Renew(ctx context.Context) {
	var fetching sync.WaitGroup
	pool.Range(func(_, value any) bool {
		if s, ok := value.(*shared); ok {
			fetching.Go(func() {
				// What went wrong is in its status.
				_, _ = s.document.Renew(ctx)
			})
		}
		return true
	})
	fetching.Wait()
}

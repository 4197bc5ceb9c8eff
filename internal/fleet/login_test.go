// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// testLoginThrottle is what holds of two nodes on one store: guesses at both
// together are as many as at one, and what is cleared at one is at the other.
func testLoginThrottle(t *testing.T, a, b *node) {
	nodes := []*node{a, b}
	var verified, refused atomic.Int64
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			switch nodes[i%2].login("guessed", fmt.Sprint("guess", i)) {
			case http.StatusUnauthorized:
				verified.Add(1)
			case http.StatusTooManyRequests:
				refused.Add(1)
			}
		})
	}
	wg.Wait()
	if verified.Load() != 5 || refused.Load() != 35 {
		t.Errorf("%d of 40 guesses were verified, and %d refused; want 5 and 35", verified.Load(), refused.Load())
	}
	var cleared struct{ Cleared int }
	a.manage(http.MethodDelete, "/lockouts?all=true", "", &cleared)
	if cleared.Cleared != 2 {
		t.Errorf("%d counts were cleared, want the user's and the address's", cleared.Cleared)
	}
	// What the store said a moment ago is not asked again.
	b.await("the end of the lock", 5*time.Second, func() bool { return b.login("guessed", "another") == http.StatusUnauthorized })
}

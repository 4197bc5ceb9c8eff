// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"sync"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/background"
)

// starts are what guests begin when the app starts, and not before.
type starts struct {
	mu      sync.Mutex
	started bool
	waiting []func()
}

// OnStart has f called when the app starts, or at once if it was started.
func (a *App) OnStart(f func()) {
	a.starts.mu.Lock()
	if !a.starts.started {
		a.starts.waiting = append(a.starts.waiting, f)
		a.starts.mu.Unlock()
		return
	}
	a.starts.mu.Unlock()
	f()
}

// run calls what waited.
func (s *starts) run() {
	s.mu.Lock()
	waiting := s.waiting
	s.waiting, s.started = nil, true
	s.mu.Unlock()
	for _, f := range waiting {
		f()
	}
}

// Interface guards
var _ background.Provider = (*App)(nil)

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package loginthrottle

import "sync"

// maxHints bounds each kind of hints, whose keys clients make up.
const maxHints = 8192

// hints remember what is good to know and may be forgotten at any time.
type hints[V any] struct {
	mu sync.Mutex
	m  map[string]V
}

func (h *hints[V]) get(key string) (V, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v, ok := h.m[key]
	return v, ok
}

func (h *hints[V]) put(key string, v V) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.m == nil {
		h.m = make(map[string]V)
	}
	if _, known := h.m[key]; !known && len(h.m) >= maxHints {
		// Any will do: maps are walked in random order.
		for other := range h.m {
			delete(h.m, other)
			if len(h.m) <= maxHints*7/8 {
				break
			}
		}
	}
	h.m[key] = v
}

func (h *hints[V]) drop(key string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.m, key)
}

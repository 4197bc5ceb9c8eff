// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"encoding/json"
	"iter"
)

// Claims returns the claims in their order, each as it stands in the payload.
func (t *Token) Claims() iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		for _, m := range t.claims {
			if !yield(m.name, json.RawMessage(m.value)) {
				return
			}
		}
	}
}

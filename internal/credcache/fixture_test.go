// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package credcache

import (
	"encoding/binary"
	"fmt"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// typical is the identity of an API token's user.
func typical(n int) *auth.Identity {
	return &auth.Identity{
		ID:         fmt.Sprintf("user%06d", n),
		Key:        fmt.Sprintf("store:01JABCDEFGHJKMNPQRST%06d", n),
		Source:     "store",
		Name:       "Alice Liddell",
		Email:      fmt.Sprintf("user%06d@example.com", n),
		Groups:     []string{"editors", "reviewers"},
		Method:     "token",
		Credential: fmt.Sprintf("01JZYXWVTSRQPNMKJHGF%06d", n),
	}
}

func keyOf(n int) *Key {
	var f Fingerprint
	key := f.Key(binary.BigEndian.AppendUint64(nil, uint64(n)))
	return &key
}

// changeOf is a change of all that the identity rests on.
func changeOf(id *auth.Identity) tokenstore.Change {
	return tokenstore.Change{UserKey: id.Key, CredentialID: id.Credential, Family: id.Family, ClientID: id.Client}
}

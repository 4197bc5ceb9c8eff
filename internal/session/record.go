// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// maxAgent is how many bytes of a User-Agent are kept.
const maxAgent = 200

// data is what a session's record says beside its own fields.
type data struct {
	// Closes says that the browser forgets the session when it closes.
	Closes bool `json:"closes,omitempty"`

	Address string `json:"address,omitempty"`
	Agent   string `json:"agent,omitempty"`

	// Proof is which password of a user who is not of the store was given: a
	// record's PasswordVersion is for those of the store.
	Proof string `json:"proof,omitempty"`

	// Login is where the user has logged in, if that was elsewhere.
	Login *Login `json:"login,omitempty"`
}

func encodeData(d data) []byte {
	encoded, _ := json.Marshal(d) // texts and bools: it cannot fail
	return encoded
}

// dataOf returns what a record says. One that an import brought says nothing.
func dataOf(record *tokenstore.Credential) (d data) {
	if json.Unmarshal(record.Data, &d) != nil {
		return data{}
	}
	return d
}

// described returns a record as a Session without its user.
func described(record *tokenstore.Credential) *Session {
	d := dataOf(record)
	return &Session{
		ID:       record.ID,
		Created:  record.Created,
		LastUsed: record.LastUsed,
		Expires:  record.Expires,
		Remember: !d.Closes,
		Address:  d.Address,
		Agent:    d.Agent,
		Login:    d.Login,
	}
}

// cutAgent returns a User-Agent as it is kept: short, and without what would turn
// the rest of a page or a terminal around.
func cutAgent(agent string) string {
	return strings.Map(func(c rune) rune {
		if c == utf8.RuneError || !unicode.IsGraphic(c) {
			return -1
		}
		return c
	}, agent[:min(len(agent), maxAgent)])
}

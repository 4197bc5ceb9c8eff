// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package durin is what an API client of django-rest-durin is in the store: a
// tokenstore.Client whose Data says how long its tokens live and how often they
// may be used.
package durin

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Bounds of a client.
const (
	MaxName         = 64 // characters, as in durin
	MaxThrottleRate = 64 // bytes; as in durin
)

// prefix keeps the names of durin's clients apart from the ids of other clients.
const prefix = "durin:"

// ErrOther is what Decode returns of a client that is not one of durin's.
var ErrOther = errors.New("not an API client of durin")

// A Client is an application that users have one token each for.
type Client struct {
	// TokenTTL is how long its tokens live. Positive, unless they never end.
	TokenTTL time.Duration

	// Endless says that its tokens never end, which durin itself does not have.
	Endless bool

	// ThrottleRate is how often each user may use it, as "5/m". Empty: the rate
	// of the scope user_per_client, if there is one.
	ThrottleRate string
}

// ClientID returns the tokenstore.Client's ID of the client of that name.
func ClientID(name string) string { return prefix + name }

// Name returns the name of the client of that ID, if it is one of durin's.
func Name(clientID string) (name string, ok bool) { return strings.CutPrefix(clientID, prefix) }

// Slot returns the slot of the one token that a user has for a client.
func Slot(userKey, clientID string) string { return "durin:" + userKey + ":" + clientID }

// endless is the TokenTTL of tokens that never end. It is a word, since a
// project's duration of 0 means the contrary.
const endless = "none"

// data is a client as tokenstore.Client.Data has it.
type data struct {
	Durin *settings `json:"durin"`
}

type settings struct {
	TokenTTL     string `json:"token_ttl"`
	ThrottleRate string `json:"throttle_rate,omitempty"`
}

// Encode returns the client as tokenstore.Client.Data.
func Encode(c Client) []byte {
	ttl := c.TokenTTL.String()
	if c.Endless {
		ttl = endless
	}
	encoded, err := json.Marshal(data{&settings{ttl, c.ThrottleRate}})
	if err != nil { // no text fails to be JSON
		panic(err)
	}
	return encoded
}

// Decode reads what Encode wrote. It returns ErrOther for the data of a client of
// another kind.
func Decode(encoded []byte) (Client, error) {
	var d data
	if err := json.Unmarshal(encoded, &d); err != nil || d.Durin == nil {
		return Client{}, ErrOther
	}
	if d.Durin.TokenTTL == endless {
		return Client{Endless: true, ThrottleRate: d.Durin.ThrottleRate}, nil
	}
	ttl, err := time.ParseDuration(d.Durin.TokenTTL)
	if err != nil || ttl <= 0 {
		return Client{}, fmt.Errorf("an API client of durin with a token_ttl of %q", d.Durin.TokenTTL)
	}
	return Client{TokenTTL: ttl, ThrottleRate: d.Durin.ThrottleRate}, nil
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package simplejwt

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
)

// A Claim is one member of a token's payload.
type Claim struct {
	Name  string
	Value json.RawMessage
}

// Claims are a payload, in its order.
type Claims []Claim

// claimsOf returns the claims of a token that was parsed.
func claimsOf(parsed *jose.Token) Claims {
	claims := make(Claims, 0, 8) // most tokens have fewer
	for name, value := range parsed.Claims() {
		claims = append(claims, Claim{name, value})
	}
	return claims
}

// Raw returns the value of a claim, nil if there is none.
func (c Claims) Raw(name string) json.RawMessage {
	if i := c.index(name); i >= 0 {
		return c[i].Value
	}
	return nil
}

// Text returns the value of a claim that is a text, and whether it is.
func (c Claims) Text(name string) (text string, ok bool) {
	raw := c.Raw(name)
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	return text, json.Unmarshal(raw, &text) == nil
}

// with returns the claims with a value in its old place, or at the end.
func (c Claims) with(name string, value any) Claims {
	raw, ok := value.(json.RawMessage)
	if !ok {
		raw = encodeJSON(value)
	}
	if i := c.index(name); i >= 0 {
		c = slices.Clone(c)
		c[i].Value = raw
		return c
	}
	return append(slices.Clip(c), Claim{name, raw})
}

func (c Claims) index(name string) int {
	return slices.IndexFunc(c, func(claim Claim) bool { return claim.Name == name })
}

// MarshalJSON writes the claims in their order.
func (c Claims) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, claim := range c {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, encodeJSON(claim.Name)...), ':')
		b = append(b, claim.Value...)
	}
	return append(b, '}'), nil
}

// encodeJSON writes a text, a number or a list of texts, with nothing escaped
// that need not be.
func encodeJSON(value any) json.RawMessage {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // nothing else is written
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package knox is what a token of django-rest-knox is in the store beyond any
// other: whether using it puts its end off.
package knox

import (
	"encoding/json"
	"time"
)

// Refresh is knox's AUTO_REFRESH, as it stood when a token was issued: each use
// puts the end off to TTL from then on.
type Refresh struct {
	TTL         time.Duration // TOKEN_TTL
	MaxTTL      time.Duration // AUTO_REFRESH_MAX_TTL, from the token's creation on; 0: no bound
	MinInterval time.Duration // MIN_REFRESH_INTERVAL: what the end must gain to be written
}

// Ends returns the new end of a token that is used now, and reports whether it
// is worth writing. A token that never ends is not refreshed.
func (r Refresh) Ends(created, ends, now time.Time) (time.Time, bool) {
	if ends.IsZero() {
		return ends, false
	}
	later := now.Add(r.TTL).UTC().Truncate(time.Microsecond)
	if r.MaxTTL > 0 {
		if last := created.Add(r.MaxTTL); later.After(last) {
			later = last
		}
	}
	if later.Sub(ends) <= max(r.MinInterval, 0) {
		return ends, false
	}
	return later, true
}

// data is what tokenstore.Credential.Data holds.
type data struct {
	Knox *refresh `json:"knox"`
}

type refresh struct {
	TTL         string `json:"ttl"`
	MaxTTL      string `json:"max_ttl,omitempty"`
	MinInterval string `json:"min_interval"`
}

// Encode returns a Refresh as tokenstore.Credential.Data.
func Encode(r Refresh) []byte {
	d := data{&refresh{TTL: r.TTL.String(), MinInterval: r.MinInterval.String()}}
	if r.MaxTTL > 0 {
		d.Knox.MaxTTL = r.MaxTTL.String()
	}
	encoded, err := json.Marshal(d)
	if err != nil { // no text fails to be JSON
		panic(err)
	}
	return encoded
}

// Decode reads what Encode wrote, and reports whether it is such.
func Decode(encoded []byte) (r Refresh, ok bool) {
	var d data
	if len(encoded) == 0 || json.Unmarshal(encoded, &d) != nil || d.Knox == nil {
		return Refresh{}, false
	}
	for into, text := range map[*time.Duration]string{&r.TTL: d.Knox.TTL, &r.MaxTTL: d.Knox.MaxTTL, &r.MinInterval: d.Knox.MinInterval} {
		if text == "" && into == &r.MaxTTL {
			continue
		}
		parsed, err := time.ParseDuration(text)
		if err != nil || parsed < 0 {
			return Refresh{}, false
		}
		*into = parsed
	}
	return r, r.TTL > 0
}

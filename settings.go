// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/caddyserver/caddy/v2"
)

// Settings are what a rest_auth block may say. Those of the rest_auth app are
// the defaults of every site: a handler inherits whole what it has no line
// for, and nothing is merged.
type Settings struct {
	// Who may answer for a request, in the order in which they are asked. An
	// empty list, as opposed to none, inherits nothing and asks nobody.
	// Default: those of the app.
	AuthenticatorsRaw []json.RawMessage `json:"authenticators,omitzero" caddy:"namespace=rest_auth.authenticators inline_key=authenticator"`

	// What must hold for the request to be allowed: all of these.
	// Default: those of the app, else `authenticated`.
	PermissionsRaw []json.RawMessage `json:"permissions,omitempty" caddy:"namespace=rest_auth.permissions inline_key=permission"`

	// How often one caller may ask, in all of these ways at once. Requests that
	// are refused for another reason are not counted. An empty list, as opposed to
	// none, inherits nothing and counts nobody. Default: those of the app.
	Throttles []Throttle `json:"throttles,omitzero"`

	// The realm of challenges that name one. Default: "api".
	Realm string `json:"realm,omitempty"`

	// Which challenges a refusal carries. With "first", the first
	// authenticator's decides as in Django REST framework: where it has none
	// (sessions, remote users), the refusal is 403. With "all", every
	// authenticator's challenge is sent in order, and the refusal is 401 where
	// any has one. Default: "first".
	Challenge string `json:"challenge,omitempty"`

	// What bad credentials mean. With "refuse" they end the request. With
	// "anonymous" the next authenticator is asked, the bad Authorization line is
	// not forwarded, and the permissions decide; two Authorization lines and
	// failed CSRF checks are refused all the same. Default: "refuse".
	Invalid string `json:"invalid,omitempty"`

	// Who writes a refusal. With "respond" this handler does. With "error" it
	// is returned as an error for the server's error routes. With "auto" the
	// error routes get it if one of them takes its status for this request, and
	// the handler writes it otherwise. Default: "auto".
	Refusals string `json:"refusals,omitempty"`

	// Origins, as https://app.example.com, whose scripts may read refusals and
	// whose CORS preflights are passed on unauthenticated. The word * stands
	// for all, without credentials. Default: none.
	CORS []string `json:"cors,omitempty"`

	// Whether decisions are events of Caddy: `auth_succeeded` for a request that
	// is allowed for a known client, `auth_failed` for one that is refused.
	// Subscribers run before the request goes on, and it waits for them.
	// Default: that of the app, else false.
	Events *bool `json:"events,omitempty"`

	// What the upstream is told. Default: those of the app.
	HeaderUp []HeaderUp `json:"header_up,omitempty"`
}

// Words of the settings.
const (
	challengeFirst   = "first"
	challengeAll     = "all"
	invalidRefuse    = "refuse"
	invalidAnonymous = "anonymous"
	refusalsAuto     = "auto"
	refusalsRespond  = "respond"
	refusalsError    = "error"

	defaultRealm = "api"
)

// inherit fills what s does not say from the defaults of the app.
func (s *Settings) inherit(defaults *Settings) {
	if defaults != nil {
		if s.AuthenticatorsRaw == nil {
			s.AuthenticatorsRaw = cloneRaw(defaults.AuthenticatorsRaw)
		}
		if len(s.PermissionsRaw) == 0 {
			s.PermissionsRaw = cloneRaw(defaults.PermissionsRaw)
		}
		if s.Throttles == nil {
			s.Throttles = defaults.Throttles
		}
		if s.HeaderUp == nil {
			s.HeaderUp = defaults.HeaderUp
		}
		if s.CORS == nil {
			s.CORS = defaults.CORS
		}
		if s.Events == nil {
			s.Events = defaults.Events
		}
		s.Realm = firstOf(s.Realm, defaults.Realm)
		s.Challenge = firstOf(s.Challenge, defaults.Challenge)
		s.Invalid = firstOf(s.Invalid, defaults.Invalid)
		s.Refusals = firstOf(s.Refusals, defaults.Refusals)
	}
	s.Realm = firstOf(s.Realm, defaultRealm)
	s.Challenge = firstOf(s.Challenge, challengeFirst)
	s.Invalid = firstOf(s.Invalid, invalidRefuse)
	s.Refusals = firstOf(s.Refusals, refusalsAuto)
}

// check refuses words that have no meaning, and resolves placeholders.
func (s *Settings) check() (err error) {
	if s.Realm, err = caddy.NewReplacer().ReplaceOrErr(s.Realm, true, true); err != nil {
		return fmt.Errorf("realm: %w", err)
	}
	if err := checkWord("challenge", s.Challenge, challengeFirst, challengeAll); err != nil {
		return err
	}
	if err := checkWord("invalid", s.Invalid, invalidRefuse, invalidAnonymous); err != nil {
		return err
	}
	if err := checkWord("refusals", s.Refusals, refusalsAuto, refusalsRespond, refusalsError); err != nil {
		return err
	}
	if _, err := newThrottles(s.Throttles); err != nil {
		return fmt.Errorf("throttles: %w", err)
	}
	if hasControl(s.Realm) {
		return errors.New("realm: control characters cannot be sent in a header")
	}
	return nil
}

// complete refuses settings that would let through what nobody meant to, and
// says what is meant where nothing is said.
func (s *Settings) complete() error {
	if len(s.PermissionsRaw) > 0 {
		return nil
	}
	if len(s.AuthenticatorsRaw) == 0 {
		return errors.New("neither authenticators nor permissions are configured: nobody could pass; " +
			"add an authenticator, or a permission that says what is meant")
	}
	s.PermissionsRaw = []json.RawMessage{[]byte(`{"permission":"authenticated"}`)}
	return nil
}

func checkWord(setting, word string, known ...string) error {
	if slices.Contains(known, word) {
		return nil
	}
	return fmt.Errorf("%s: unknown word '%s', expected one of %v", setting, word, known)
}

// cloneRaw copies a list of guests before it is loaded, since loading clears
// the list that it loads from and the defaults are loaded by every handler.
func cloneRaw(raw []json.RawMessage) []json.RawMessage {
	if raw == nil {
		return nil
	}
	return append(make([]json.RawMessage, 0, len(raw)), raw...)
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidclogin

import (
	"context"
	"encoding/json"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
)

// logoutEvent is what a logout token says has happened.
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

var logoutTypes = []string{"", "JWT", "logout+jwt"}

// maxLogoutAge is how old a logout token may be, and how far its end: so long its
// ID is remembered.
const maxLogoutAge = time.Hour

// A Logout is what a provider says of sessions that are over.
type Logout struct {
	Issuer, Subject, SID string // of the last two one may be empty

	// ID names the token, and Until is how long it could be sent again.
	ID    string
	Until time.Time
}

// Logout verifies a logout token (OpenID Connect Back-Channel Logout section
// 2.6). It returns a *RefusedError or an *auth.Unavailable.
func (p *Provider) Logout(ctx context.Context, compact string) (*Logout, error) {
	if p.Preset == presetGitHub {
		return nil, failed("provider %s sends no logout tokens", p.Name)
	}
	t, err := jose.Parse(compact)
	if err != nil {
		return nil, failed("the logout token of %s: %w", p.Name, err)
	}
	logout := new(Logout)
	if logout.Issuer, err = p.verify(ctx, t, logoutTypes); err != nil {
		return nil, err
	}
	if t.Has("nonce") {
		// It would be an ID token then.
		return nil, failed("the logout token of %s has a nonce", p.Name)
	}
	var events map[string]json.RawMessage
	if json.Unmarshal(t.Raw("events"), &events) != nil || !isObject(events[logoutEvent]) {
		return nil, failed("the logout token of %s does not say so", p.Name)
	}
	for claim, into := range map[string]*string{"sub": &logout.Subject, "sid": &logout.SID, "jti": &logout.ID} {
		if *into, err = name(t, claim); err != nil {
			return nil, failed("the logout token of %s: %s: %w", p.Name, claim, err)
		}
	}
	issued, _, err := t.Time("iat")
	if err != nil {
		return nil, failed("the logout token of %s: %w", p.Name, err)
	}
	expires, _, err := t.Time("exp")
	now := p.now()
	switch {
	case err != nil:
		return nil, failed("the logout token of %s: %w", p.Name, err)
	case logout.Subject == "" && logout.SID == "":
		return nil, failed("the logout token of %s names nobody", p.Name)
	case logout.ID == "":
		return nil, failed("the logout token of %s has no jti", p.Name)
	case now.Sub(issued) > maxLogoutAge, expires.Sub(now) > maxLogoutAge:
		return nil, failed("the logout token of %s is valid for too long", p.Name)
	}
	logout.Until = expires.Add(2 * leeway)
	return logout, nil
}

func isObject(raw json.RawMessage) bool {
	var object map[string]json.RawMessage
	return len(raw) > 0 && json.Unmarshal(raw, &object) == nil && object != nil
}

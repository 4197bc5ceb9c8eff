// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package simplejwt

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Types of tokens.
const (
	Access  = "access"
	Refresh = "refresh"
	Sliding = "sliding"
)

// SessionClaim names the family of a token that this server issued: what ends
// with the refresh token that it came from.
const SessionClaim = "sid"

// sessionPrefix tells a family that begins here from what a project may have put
// into a claim of that name.
const sessionPrefix = "login:"

// NewFamily returns a name for what a login begins.
func NewFamily() string { return sessionPrefix + tokenstore.NewCredentialID() }

// A Token is a payload whose signature and times are good.
type Token struct {
	Claims  Claims
	Expires time.Time // zero if the token does not say
	Issued  time.Time // zero if the token does not say

	issuer  string
	id      string // jti, if it is a text
	compact string
	payload json.RawMessage
}

// ID returns the jti, or "".
func (t *Token) ID() string { return t.id }

// Issuer returns iss, or "".
func (t *Token) Issuer() string { return t.issuer }

// Ours reports whether this server issued the token, and has a record of it if it
// is a refresh token.
func (t *Token) Ours() bool { return t.session() != "" }

// session returns the family that this server wrote into the token. That of one
// that came after a project's own is the family of that one.
func (t *Token) session() string {
	text, _ := t.Claims.Text(SessionClaim)
	if strings.HasPrefix(text, sessionPrefix) || revocation.IsJWT(text) {
		return text
	}
	return ""
}

// Family returns what the token is revoked together with: its session, or, of one
// that this server did not issue, its own jti.
func (t *Token) Family() string {
	if sid := t.session(); sid != "" {
		return sid
	}
	return t.Alone()
}

// Alone returns the family that the token is in by itself. One without a jti is told
// by what is signed: a signature can be written in more than one way.
func (t *Token) Alone() string {
	if t.id != "" {
		return revocation.JWT(t.issuer, t.id)
	}
	sum := sha256.Sum256([]byte(t.compact[:max(strings.LastIndexByte(t.compact, '.'), 0)]))
	return revocation.JWT(t.issuer, "sha256:"+hex.EncodeToString(sum[:]))
}

// SpentKey is what the store remembers a token by that was spent, and of which it
// has no record that says so to who asks.
func (t *Token) SpentKey() string { return tokenstore.AttemptKey("simplejwt:spent:" + t.Alone()) }

// Compact returns the token as it was sent.
func (t *Token) Compact() string { return t.compact }

// Raw returns the payload.
func (t *Token) Raw() json.RawMessage { return t.payload }

// newClaims returns what every token begins with.
func (c *Codec) newClaims(kind string, now time.Time) Claims {
	var claims Claims
	if name := c.settings.TokenTypeClaim; name != None {
		claims = claims.with(name, kind)
	}
	claims = claims.with("exp", now.Add(c.Lifetime(kind)).Unix()).with("iat", now.Unix())
	if name := c.settings.JTIClaim; name != None {
		claims = claims.with(name, newID())
	}
	return claims
}

// New returns the claims of a refresh or sliding token for a user, which a
// family of tokens begins with. Password is what the token dies with, where
// check_revoke_token is on.
func (c *Codec) New(kind, userID, family, password string) Claims {
	now := c.now()
	claims := c.newClaims(kind, now)
	if kind == Sliding {
		claims = claims.with(c.settings.SlidingTokenRefreshExpClaim, now.Add(time.Duration(c.settings.SlidingTokenRefreshLifetime)).Unix())
	}
	claims = claims.with(c.settings.UserIDClaim, userID)
	if *c.settings.CheckRevokeToken {
		claims = claims.with(c.settings.RevokeTokenClaim, password)
	}
	return claims.with(SessionClaim, family)
}

// AccessOf returns the claims of an access token that is got for a refresh token:
// all of its claims but those that are a token's own.
func (c *Codec) AccessOf(refresh Claims, family string) Claims {
	claims := c.newClaims(Access, c.now())
	for _, claim := range refresh {
		switch claim.Name {
		case c.settings.TokenTypeClaim, c.settings.JTIClaim, "exp", "iat", "jti":
			continue
		}
		claims = claims.with(claim.Name, claim.Value)
	}
	return claims.with(SessionClaim, family)
}

// Successor returns the claims of the refresh token that comes after another.
func (c *Codec) Successor(refresh Claims, family string) Claims {
	now := c.now()
	claims := refresh
	if name := c.settings.JTIClaim; name != None {
		claims = claims.with(name, newID())
	}
	return claims.with("exp", now.Add(c.Lifetime(Refresh)).Unix()).with("iat", now.Unix()).with(SessionClaim, family)
}

// Slid returns the claims of a sliding token that lives on.
func (c *Codec) Slid(sliding Claims) Claims {
	now := c.now()
	return sliding.with("exp", now.Add(c.Lifetime(Sliding)).Unix()).with("iat", now.Unix())
}

// Lifetime returns how long a token of that type lives.
func (c *Codec) Lifetime(kind string) time.Duration {
	switch kind {
	case Refresh:
		return time.Duration(c.settings.RefreshTokenLifetime)
	case Sliding:
		return time.Duration(c.settings.SlidingTokenLifetime)
	}
	return time.Duration(c.settings.AccessTokenLifetime)
}

// Encode signs claims, with the audience and the issuer.
func (c *Codec) Encode(ctx context.Context, claims Claims) (string, error) {
	switch audience := c.settings.Audience; len(audience) {
	case 0:
	case 1:
		claims = claims.with("aud", audience[0])
	default:
		claims = claims.with("aud", audience)
	}
	if c.settings.Issuer != "" {
		claims = claims.with("iss", c.settings.Issuer)
	}
	payload, err := claims.MarshalJSON()
	if err != nil {
		return "", err
	}
	key, err := c.keys.signer(ctx)
	if err != nil {
		return "", unavailable(err)
	}
	compact, err := jose.Sign(key, jose.Header{Type: "JWT"}, payload)
	if err != nil {
		return "", unavailable(err)
	}
	return compact, nil
}

// newID returns a random UUID as Python's uuid4().hex.
func newID() string {
	var id [16]byte
	rand.Read(id[:])
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return hex.EncodeToString(id[:])
}

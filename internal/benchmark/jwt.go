// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	gojose "github.com/go-jose/go-jose/v4"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
)

const (
	// distinctTokens is more than the smallest cache remembers, so that each of
	// them is as new when it comes round.
	distinctTokens = 2_000

	// tokenLength is that of the RS256 token in the design's table.
	tokenLength = 739
)

// jwtScenarios are access tokens of an issuer whose keys are in files. The
// tokens of all algorithms have the same claims.
func jwtScenarios() []scenario {
	first := func(alg string) func(*issuer) (credentials, error) {
		return func(i *issuer) (credentials, error) { return i.list(alg, distinctTokens) }
	}
	site, secretSite := guardedJWT("jwks_file %s"), guardedJWT("secret_file %s")
	return []scenario{
		{
			name: "JWT RS256 of 739 bytes, seen before", target: 1.38,
			site: site, stored: fewTokens, sign: func(i *issuer) (credentials, error) { return i.list("RS256", 1) },
		},
		{name: "JWT RS256, first sight", target: 4.4, site: site, stored: fewTokens, options: "cache 1", sign: first("RS256")},
		{name: "JWT ES256, first sight", target: 7.2, site: site, stored: fewTokens, options: "cache 1", sign: first("ES256")},
		{name: "JWT HS256, first sight", target: 2.2, site: secretSite, stored: fewTokens, options: "cache 1", sign: first("HS256")},
		{
			name: "JWT RS256, bad signature, 401",
			site: site, stored: fewTokens, sign: func(i *issuer) (credentials, error) { return i.forged(allTokens) }, status: http.StatusUnauthorized,
		},
		{
			name: "JWT RS256, expired, 401",
			site: site, stored: fewTokens, sign: func(i *issuer) (credentials, error) { return i.expired() }, status: http.StatusUnauthorized,
		},
	}
}

// guardedJWT accepts the tokens of the issuer by the keys in its file.
func guardedJWT(keys string) func(*surroundings) string {
	return func(s *surroundings) string {
		file := s.issuer.keySet
		if strings.HasPrefix(keys, "secret") {
			file = s.issuer.secret
		}
		return guarded(authenticateJWT(fmt.Sprintf(keys, file)), anyUser)(s)
	}
}

func authenticateJWT(keys string) string {
	return "authenticate jwt {\nissuer https://login.example.com\naudience https://api.example.com\n" + keys + "\n}"
}

// issuer signs tokens, and has files of the keys that verify them.
type issuer struct {
	keys           map[string]jose.SigningKey
	public         []byte // the key set
	keySet, secret string // files
	now            time.Time
}

// prepareJWT makes the keys and the tokens of the scenarios that are measured.
func (b *benchmark) prepareJWT(only *regexp.Regexp) (err error) {
	if b.sites.issuer, err = newIssuer(b.machine.dir); err != nil {
		return fmt.Errorf("making keys: %w", err)
	}
	for i := range b.results.scenarios {
		s := &b.results.scenarios[i]
		if s.sign == nil || !only.MatchString(s.name) {
			continue
		}
		if s.ask, err = s.sign(b.sites.issuer); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func newIssuer(dir string) (*issuer, error) {
	i := &issuer{now: time.Now(), keySet: filepath.Join(dir, "jwks.json"), secret: filepath.Join(dir, "secret")}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	var raw [32]byte
	_, _ = rand.Read(raw[:])
	secret := hex.AppendEncode(nil, raw[:])
	i.keys = map[string]jose.SigningKey{
		"RS256": {ID: "rsa", Algorithm: "RS256", Private: rsaKey},
		"ES256": {ID: "ec", Algorithm: "ES256", Private: ecKey},
		"HS256": {Algorithm: "HS256", Private: secret},
	}
	if i.public, err = json.Marshal(gojose.JSONWebKeySet{Keys: []gojose.JSONWebKey{
		{Key: rsaKey.Public(), KeyID: "rsa", Algorithm: "RS256", Use: "sig"},
		{Key: ecKey.Public(), KeyID: "ec", Algorithm: "ES256", Use: "sig"},
	}}); err != nil {
		return nil, err
	}
	if err := os.WriteFile(i.keySet, i.public, 0o600); err != nil {
		return nil, err
	}
	return i, os.WriteFile(i.secret, secret, 0o600)
}

// token is the one of a number. With RS256 it has the length of the table.
func (i *issuer) token(alg string, n int, now time.Time) (string, error) {
	payload := fmt.Sprintf(`{"iss":"https://login.example.com","sub":"248289761001","aud":"https://api.example.com",`+
		`"exp":%d,"iat":%d,"jti":"%016d","client_id":"orders-web","scope":"openid profile orders.read",`+
		`"groups":["editors"],"email":"a@example.com"}`, now.Add(12*time.Hour).Unix(), now.Unix(), n)
	return jose.Sign(i.keys[alg], jose.Header{Type: "at+jwt"}, []byte(payload))
}

func (i *issuer) list(alg string, n int) (c credentials, err error) {
	for n := range n {
		token, err := i.token(alg, n, i.now)
		if err != nil {
			return c, err
		}
		if alg == "RS256" && len(token) != tokenLength {
			return c, fmt.Errorf("the token has %d bytes", len(token))
		}
		c.list = append(c.list, "Bearer "+token)
	}
	return c, nil
}

// forged are tokens of which each has a signature of its own that is wrong.
func (i *issuer) forged(n int) (credentials, error) {
	token, err := i.token("RS256", 0, i.now)
	return credentials{authorization: "Bearer " + token, forged: n}, err
}

func (i *issuer) expired() (credentials, error) {
	token, err := i.token("RS256", 0, i.now.Add(-24*time.Hour))
	return credentials{authorization: "Bearer " + token}, err
}

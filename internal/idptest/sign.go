// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package idptest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"maps"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// SignOption says how a token is signed.
type SignOption func(*signing)

type signing struct {
	alg    string
	key    crypto.PrivateKey
	id     *string
	header map[string]any
}

// Alg signs with that algorithm: RS, PS, ES256, EdDSA. Default: RS256.
func Alg(alg string) SignOption { return func(s *signing) { s.alg = alg } }

// KeyID names that key, which need not exist. Empty names none.
func KeyID(id string) SignOption { return func(s *signing) { s.id = &id } }

// Key signs with that key, which need not be the provider's, or that secret.
func Key(private crypto.PrivateKey) SignOption { return func(s *signing) { s.key = private } }

// Type sets typ. Empty leaves it out. Default: JWT.
func Type(typ string) SignOption {
	return func(s *signing) {
		s.header["typ"] = typ
		if typ == "" {
			s.header["typ"] = nil
		}
	}
}

// Header sets a member of the header, or removes it if value is nil.
func Header(name string, value any) SignOption {
	return func(s *signing) { s.header[name] = value }
}

// Sign returns a token with those claims, beside iss, iat and an exp in ten
// minutes. A claim that is nil is left out.
func (s *Server) Sign(claims map[string]any, options ...SignOption) string {
	s.t.Helper()
	how := &signing{alg: "RS256", header: map[string]any{}}
	for _, option := range options {
		option(how)
	}
	now := time.Now()
	all := jwt.MapClaims{"iss": s.URL, "iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix()}
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })

	method := jwt.GetSigningMethod(how.alg)
	if method == nil {
		s.t.Fatalf("unknown algorithm %s", how.alg)
	}
	token := jwt.NewWithClaims(method, all)
	private, id := s.signer(method)
	if how.key != nil {
		private = how.key
	}
	if how.id != nil {
		id = *how.id
	}
	if id != "" {
		token.Header["kid"] = id
	}
	maps.Copy(token.Header, how.header)
	maps.DeleteFunc(token.Header, func(_ string, value any) bool { return value == nil })
	text, err := token.SignedString(private)
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// signer returns the newest key that can sign by the method.
func (s *Server) signer(method jwt.SigningMethod) (crypto.PrivateKey, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range s.keys {
		fits := false
		switch method := method.(type) {
		case *jwt.SigningMethodRSA, *jwt.SigningMethodRSAPSS:
			_, fits = key.private.(*rsa.PrivateKey)
		case *jwt.SigningMethodECDSA:
			var private *ecdsa.PrivateKey
			private, fits = key.private.(*ecdsa.PrivateKey)
			fits = fits && private.Curve.Params().BitSize == method.CurveBits
		case *jwt.SigningMethodEd25519:
			_, fits = key.private.(ed25519.PrivateKey)
		}
		if fits {
			return key.private, key.id
		}
	}
	return nil, ""
}

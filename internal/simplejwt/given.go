// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package simplejwt

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/signing"
)

// given are keys of the configuration: those of a project.
type given struct {
	key       jose.SigningKey // of which Private is nil if there is none
	verifiers verifying
	public    bool
}

// errOnlyVerifies is returned where a token is to be made without a key.
var errOnlyVerifies = errors.New("there is no signing_key: tokens are verified, and not made")

// parseGiven reads signing_key and verifying_key. What it says of them does not
// quote them.
func parseGiven(s *Settings) (*given, error) {
	if isHMAC(s.Algorithm) {
		return parseSecret(s)
	}
	g := &given{public: true}
	if s.SigningKey != "" {
		private, err := jose.ParsePrivateKey([]byte(s.SigningKey))
		if err != nil {
			return nil, fmt.Errorf("signing_key: %w", err)
		}
		key, err := publicKey(private.Public(), s.Algorithm)
		if err != nil {
			return nil, fmt.Errorf("signing_key: %w", err)
		}
		g.key = jose.SigningKey{Algorithm: s.Algorithm, Private: private}
		g.verifiers = verifying{key}
	}
	if s.VerifyingKey != "" {
		keys, err := keyset.ParsePEM([]byte(s.VerifyingKey))
		if err != nil {
			return nil, fmt.Errorf("verifying_key: %w", err)
		}
		for _, key := range keys {
			if !slices.Contains(key.Algorithms, s.Algorithm) {
				return nil, fmt.Errorf("verifying_key: a key of type %s does not verify %s", key.Type, s.Algorithm)
			}
			key.Algorithms = []string{s.Algorithm}
		}
		// What is signed is to be accepted: the others are of keys that have signed before.
		for _, own := range g.verifiers {
			if !slices.ContainsFunc(keys, func(key *keyset.Key) bool { return key.Thumbprint == own.Thumbprint }) {
				return nil, errors.New("verifying_key: it does not verify what the signing_key signs")
			}
		}
		g.verifiers = keys
	}
	for _, key := range g.verifiers {
		key.ID = key.Thumbprint
	}
	return g, nil
}

// parseSecret reads the secret that signs and verifies, and one that did before, which
// only verifies.
func parseSecret(s *Settings) (*given, error) {
	if s.JWKURL != "" {
		return nil, fmt.Errorf("jwk_url: secrets, as those of %s, are not published", s.Algorithm)
	}
	g := new(given)
	for _, option := range [][2]string{{"signing_key", s.SigningKey}, {"verifying_key", s.VerifyingKey}} {
		name, secret := option[0], []byte(option[1])
		if len(secret) == 0 {
			continue
		}
		// A public key as a secret is the classic forgery.
		if strings.Contains(option[1], "-----BEGIN") {
			return nil, fmt.Errorf("%s: this is PEM, and %s takes a secret", name, s.Algorithm)
		}
		if err := keyset.CheckSecret(secret, s.Algorithm); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if name == "signing_key" {
			g.key = jose.SigningKey{Algorithm: s.Algorithm, Private: secret}
		}
		g.verifiers = append(g.verifiers, &keyset.Key{Type: "oct", Algorithms: []string{s.Algorithm}, Public: secret})
	}
	return g, nil
}

// publicKey returns the public part of a key, judged as those of others are.
func publicKey(public crypto.PublicKey, algorithm string) (*keyset.Key, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, errors.New("the private key is of no known kind")
	}
	keys, err := keyset.ParsePEM(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	if err != nil {
		return nil, err
	}
	if !slices.Contains(keys[0].Algorithms, algorithm) {
		return nil, fmt.Errorf("a key of type %s does not sign %s", keys[0].Type, algorithm)
	}
	keys[0].Algorithms = []string{algorithm}
	return keys[0], nil
}

func isHMAC(algorithm string) bool { return strings.HasPrefix(algorithm, "HS") }

func (g *given) signer(context.Context) (jose.SigningKey, error) {
	if g.key.Private == nil {
		return jose.SigningKey{}, errOnlyVerifies
	}
	return g.key, nil
}

// find returns all of them: tokens of simplejwt name no key.
func (g *given) find(context.Context, string, string) (verifying, error) { return g.verifiers, nil }

func (g *given) publish(context.Context) ([]byte, error) { return signing.Publish(g.verifiers) }

func (g *given) missed(context.Context) bool { return false }
func (g *given) publishes() bool             { return g.public && len(g.verifiers) > 0 }
func (g *given) signs() bool                 { return g.key.Private != nil }
func (g *given) generation() uint64          { return 0 }
func (g *given) start()                      {}
func (g *given) close() error                { return nil }

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package idptest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// signer is a key of the provider.
type signer struct {
	id      string
	private crypto.Signer
	jwk     map[string]any
}

// newSigners returns a key of each type: RSA, EC on P-256, and Ed25519.
func newSigners(t testing.TB) []*signer {
	t.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, o, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	suffix := "-" + strings.ToLower(rand.Text()[:8])
	return []*signer{
		newSigner(t, "rsa"+suffix, r), newSigner(t, "ec"+suffix, e), newSigner(t, "ed"+suffix, o),
	}
}

func newSigner(t testing.TB, id string, private crypto.Signer) *signer {
	t.Helper()
	text, err := jose.JSONWebKey{Key: private.Public(), KeyID: id, Use: "sig"}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	s := &signer{id: id, private: private}
	if err := json.Unmarshal(text, &s.jwk); err != nil {
		t.Fatal(err)
	}
	return s
}

// Rotate replaces all keys: tokens that were signed before are good no more.
func (s *Server) Rotate() {
	keys := newSigners(s.t)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = keys
}

// AddKey publishes one more key, which signs from now on what its type can.
// members are added to its JWK.
func (s *Server) AddKey(id string, private crypto.Signer, members map[string]any) {
	key := newSigner(s.t, id, private)
	for name, value := range members {
		key.jwk[name] = value
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append([]*signer{key}, s.keys...)
}

// AddJWK publishes whatever that is among the keys.
func (s *Server) AddJWK(jwk string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.extra = append(s.extra, json.RawMessage(jwk))
}

// KeyIDs returns the kids of the keys that sign: of RSA, EC and Ed25519 unless
// keys were added.
func (s *Server) KeyIDs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, key := range s.keys {
		ids = append(ids, key.id)
	}
	return ids
}

func (s *Server) jwks() any {
	all := []any{}
	for _, key := range s.keys {
		all = append(all, key.jwk)
	}
	for _, key := range s.extra {
		all = append(all, key)
	}
	return map[string]any{"keys": all}
}

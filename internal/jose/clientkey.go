// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

const (
	// ClientAssertionType is what a client calls its assertion (RFC 7523).
	ClientAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

	// clientAssertionLife is how long an assertion is good: it is used at once.
	clientAssertionLife = time.Minute

	minRSABits = 2048
)

// ParseClientKey reads the private key by which this server proves to another who
// it is. Without an algorithm it is the key's first: RS256, ES256, ES384, ES512 or
// EdDSA.
func ParseClientKey(text []byte, id, algorithm string) (*SigningKey, error) {
	private, err := ParsePrivateKey(text)
	if err != nil {
		return nil, err
	}
	own, err := algorithmOf(private)
	if err != nil {
		return nil, err
	}
	if algorithm == "" {
		algorithm = own
	}
	key := &SigningKey{ID: id, Algorithm: algorithm, Private: private}
	// That the algorithm is the key's shows when it signs.
	if _, err := key.ClientAssertion("", "", time.Now()); err != nil {
		return nil, err
	}
	return key, nil
}

// ParsePrivateKey returns the first private key in PEM: PKCS #8, PKCS #1 or SEC 1.
// No error quotes it.
func ParsePrivateKey(text []byte) (crypto.Signer, error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		var private any
		var err error
		switch block.Type {
		case "PRIVATE KEY":
			private, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			private, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			private, err = x509.ParseECPrivateKey(block.Bytes)
		case "ENCRYPTED PRIVATE KEY":
			return nil, errors.New("the key is encrypted: give it as `openssl pkey` writes it")
		default:
			continue
		}
		signer, ok := private.(crypto.Signer)
		if err != nil || !ok {
			return nil, errors.New("the private key cannot be read")
		}
		return signer, nil
	}
	return nil, errors.New("not a private key in PEM")
}

func algorithmOf(private crypto.Signer) (string, error) {
	switch key := private.(type) {
	case *rsa.PrivateKey:
		if bits := key.N.BitLen(); bits < minRSABits {
			return "", fmt.Errorf("an RSA key of %d bits is too weak, expected %d", bits, minRSABits)
		}
		return "RS256", nil
	case ed25519.PrivateKey:
		return "EdDSA", nil
	case *ecdsa.PrivateKey:
		switch key.Params().BitSize {
		case 256:
			return "ES256", nil
		case 384:
			return "ES384", nil
		case 521:
			return "ES512", nil
		}
	}
	return "", errors.New("the key is neither RSA, nor on P-256, P-384, P-521 or Ed25519")
}

// ClientAssertion returns what proves to the audience that it is the client who
// asks (RFC 7523 section 2.2), for a minute.
func (k *SigningKey) ClientAssertion(client, audience string, now time.Time) (string, error) {
	payload, err := json.Marshal(struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
		ID       string `json:"jti"`
		Issued   int64  `json:"iat"`
		Expires  int64  `json:"exp"`
	}{client, client, audience, rand.Text(), now.Unix(), now.Add(clientAssertionLife).Unix()})
	if err != nil {
		return "", err
	}
	return Sign(*k, Header{Type: "JWT"}, payload)
}

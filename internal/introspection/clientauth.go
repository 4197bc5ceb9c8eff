// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package introspection

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
)

const (
	// assertionLife is how long an assertion is good: it is used at once.
	assertionLife = time.Minute

	// minRSA is the length of the shortest RSA key in bits.
	minRSA = 2048

	maxKeyFile = 64 << 10

	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// authenticate adds to a request who makes it.
func (c *Client) authenticate(form url.Values, header http.Header, endpoint string) error {
	s := &c.settings
	switch s.ClientAuth {
	case authBasic:
		// RFC 6749 section 2.3.1 has both encoded as in a form before.
		credentials := url.QueryEscape(s.ClientID) + ":" + url.QueryEscape(s.ClientSecret)
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(credentials)))
	case authPost:
		form.Set("client_id", s.ClientID)
		form.Set("client_secret", s.ClientSecret)
	case authPrivateKey:
		audience := endpoint
		switch {
		case s.AssertionAudience != "":
			audience = s.AssertionAudience
		case s.Issuer != "":
			audience = s.Issuer
		}
		assertion, err := c.signer.assertion(s.ClientID, audience, c.now())
		if err != nil {
			return err
		}
		form.Set("client_id", s.ClientID)
		form.Set("client_assertion_type", assertionType)
		form.Set("client_assertion", assertion)
	case authBearer:
		header.Set("Authorization", "Bearer "+s.BearerToken)
	}
	return nil
}

// signer makes assertions of RFC 7523 section 2.2.
type signer struct{ key jose.SigningKey }

// newSigner reads the private key.
func newSigner(s *Server) (*signer, error) {
	private, err := readKey(s.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("key_file: %w", err)
	}
	algorithm, err := algorithmOf(private)
	if err != nil {
		return nil, fmt.Errorf("key_file: %w", err)
	}
	if s.KeyAlgorithm != "" {
		algorithm = s.KeyAlgorithm
	}
	made := &signer{jose.SigningKey{ID: s.KeyID, Algorithm: algorithm, Private: private}}
	// That the algorithm is the key's shows when it signs.
	if _, err := made.assertion("", "", time.Now()); err != nil {
		return nil, fmt.Errorf("key_file: %w", err)
	}
	return made, nil
}

func (s *signer) assertion(client, audience string, now time.Time) (string, error) {
	payload, err := json.Marshal(struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
		ID       string `json:"jti"`
		Issued   int64  `json:"iat"`
		Expires  int64  `json:"exp"`
	}{client, client, audience, rand.Text(), now.Unix(), now.Add(assertionLife).Unix()})
	if err != nil {
		return "", err
	}
	return jose.Sign(s.key, jose.Header{Type: "JWT"}, payload)
}

func readKey(name string) (any, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile))
	if err != nil {
		return nil, err
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "PRIVATE KEY":
			return x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			return x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			return x509.ParseECPrivateKey(block.Bytes)
		}
	}
	return nil, errors.New("there is no private key in it, or an encrypted one")
}

func algorithmOf(private any) (string, error) {
	switch key := private.(type) {
	case *rsa.PrivateKey:
		if key.N.BitLen() < minRSA {
			return "", fmt.Errorf("an RSA key of %d bits is too weak, expected %d", key.N.BitLen(), minRSA)
		}
		return "RS256", nil
	case *ecdsa.PrivateKey:
		switch key.Params().BitSize {
		case 256:
			return "ES256", nil
		case 384:
			return "ES384", nil
		case 521:
			return "ES512", nil
		}
	case ed25519.PrivateKey:
		return "EdDSA", nil
	}
	return "", fmt.Errorf("a key of this type signs no assertion: %T", private)
}

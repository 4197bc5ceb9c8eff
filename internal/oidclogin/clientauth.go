// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidclogin

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/oauth2"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
)

// Ways in which a site proves who it is to the provider.
const (
	clientBasic = "basic"
	clientPost  = "post"
	clientKey   = "private_key_jwt"
	clientNone  = "none"
)

func (p *Provider) checkClientAuth() error {
	secret, key := p.ClientSecret != "" || p.ClientSecretFile != "", p.ClientKeyFile != ""
	switch {
	case p.ClientSecret != "" && p.ClientSecretFile != "":
		return errors.New("client_secret and client_secret_file are given")
	case secret && key:
		return errors.New("both a secret and a key are given")
	case p.ClientKeyID != "" && !key:
		return errors.New("client_key_id: client_key_file is missing")
	}
	switch p.ClientAuth {
	case "":
	case clientBasic, clientPost:
		if !secret {
			return fmt.Errorf("client_auth %s: client_secret is missing", p.ClientAuth)
		}
	case clientKey:
		if !key {
			return fmt.Errorf("client_auth %s: client_key_file is missing", p.ClientAuth)
		}
	case clientNone:
		if secret || key {
			return errors.New("client_auth none: a secret or a key is given")
		}
	default:
		return fmt.Errorf("client_auth: unknown word '%s', expected basic, post, private_key_jwt or none", p.ClientAuth)
	}
	return nil
}

// clientAuth returns how this site proves who it is, to a provider that takes
// these methods, or says nothing of them.
func (p *Provider) clientAuth(methods []string) string {
	switch {
	case p.ClientAuth != "":
		return p.ClientAuth
	case p.key != nil:
		return clientKey
	case p.secret == "":
		return clientNone
	case len(methods) > 0 && !slices.Contains(methods, "client_secret_basic") && slices.Contains(methods, "client_secret_post"):
		return clientPost
	}
	return clientBasic
}

// assertionAge is how long the provider may take what proves this site.
const assertionAge = time.Minute

// assertion returns the parameters of RFC 7523 section 2.2.
func (p *Provider) assertion(tokenURL string) ([]oauth2.AuthCodeOption, error) {
	now := p.now()
	payload, err := json.Marshal(map[string]any{
		"iss": p.ClientID, "sub": p.ClientID, "aud": tokenURL, "jti": randomText(), "iat": now.Unix(), "exp": now.Add(assertionAge).Unix(),
	})
	if err != nil {
		return nil, err
	}
	signed, err := jose.Sign(*p.key, jose.Header{Type: "JWT"}, payload)
	if err != nil {
		return nil, err
	}
	return []oauth2.AuthCodeOption{
		oauth2.SetAuthURLParam("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
		oauth2.SetAuthURLParam("client_assertion", signed),
	}, nil
}

// parseClientKey reads the first private key of a PEM file: PKCS #8, PKCS #1 or
// SEC 1.
func parseClientKey(text []byte, id string) (*jose.SigningKey, error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return nil, errors.New("there is no private key")
		}
		var private any
		var err error
		switch block.Type {
		case "PRIVATE KEY":
			private, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			private, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			private, err = x509.ParseECPrivateKey(block.Bytes)
		default:
			continue
		}
		if err != nil {
			// What is wrong with a key may quote it.
			return nil, errors.New("the private key cannot be read")
		}
		algorithm, err := signingAlgorithm(private)
		if err != nil {
			return nil, err
		}
		return &jose.SigningKey{ID: id, Algorithm: algorithm, Private: private}, nil
	}
}

func signingAlgorithm(private any) (string, error) {
	switch key := private.(type) {
	case *rsa.PrivateKey:
		if key.N.BitLen() < 2048 {
			return "", errors.New("the RSA key has fewer than 2048 bits")
		}
		return "RS256", nil
	case ed25519.PrivateKey:
		return "EdDSA", nil
	case *ecdsa.PrivateKey:
		switch key.Curve.Params().BitSize {
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

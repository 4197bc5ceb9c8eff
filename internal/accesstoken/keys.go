// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package accesstoken

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// maxSecret is the size of the largest file that a secret is read from.
const maxSecret = 64 << 10

// Keys says where the keys are that verify an issuer's tokens. At most one of
// the options may be given.
type Keys struct {
	// The URL of a JSON Web Key Set. It is fetched in the background, and again
	// when a token names a key that is not in it.
	// Default: what the issuer's discovery document says.
	JWKSURL string `json:"jwks_url,omitempty"`

	// A file with a JSON Web Key Set. It is read again when it changes.
	JWKSFile string `json:"jwks_file,omitempty"`

	// A file with public keys or certificates in PEM. It is read again when it
	// changes.
	KeyFile string `json:"key_file,omitempty"`

	// A public key or certificate in PEM.
	Key string `json:"key,omitempty"`

	// A secret that is shared with the issuer, for HS256, HS384 and HS512. It is
	// refused if it is shorter than the hash or known to the world. It is best
	// written as a placeholder: `{env.JWT_SECRET}` or `{file./run/secrets/jwt}`.
	Secret string `json:"secret,omitempty"`

	// A file with such a secret, less the line break at its end.
	SecretFile string `json:"secret_file,omitempty"`
}

func (k *Keys) given() (names []string) {
	for _, option := range []struct{ name, value string }{
		{"jwks_url", k.JWKSURL},
		{"jwks_file", k.JWKSFile},
		{"key_file", k.KeyFile},
		{"key", k.Key},
		{"secret", k.Secret},
		{"secret_file", k.SecretFile},
	} {
		if option.value != "" {
			names = append(names, option.name)
		}
	}
	return names
}

func (k *Keys) secret() bool { return k.Secret != "" || k.SecretFile != "" }

func (k *Keys) resolveKeys() error {
	for _, option := range []struct {
		name  string
		field *string
	}{
		{"jwks_url", &k.JWKSURL},
		{"jwks_file", &k.JWKSFile},
		{"key_file", &k.KeyFile},
		{"key", &k.Key},
		{"secret", &k.Secret},
		{"secret_file", &k.SecretFile},
	} {
		if err := resolve(option.name, option.field); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keys) checkKeys(issuer string) error {
	switch names := k.given(); {
	case len(names) > 1:
		return fmt.Errorf("%s: keys come from one place, and several are given", strings.Join(names, ", "))
	case len(names) == 0 && issuer == "":
		return errors.New("no keys: say issuer, jwks_url, jwks_file, key_file, key, secret or secret_file")
	}
	return nil
}

// config returns what the key set is made of.
func (i *Issuer) config() (keyset.Config, error) {
	config := keyset.Config{Algorithms: i.Algorithms, Outbound: i.Settings}
	switch {
	case i.JWKSURL != "":
		if err := outbound.CheckURL(i.JWKSURL, i.Settings); err != nil {
			return config, fmt.Errorf("jwks_url: %w", err)
		}
		config.JWKSURL = i.JWKSURL
	case i.JWKSFile != "":
		config.File = i.JWKSFile
	case i.KeyFile != "":
		config.File = i.KeyFile
	case i.Key != "":
		config.PEM = i.Key
	case i.Secret != "":
		config.Secret = []byte(i.Secret)
	case i.SecretFile != "":
		secret, err := readSecret(i.SecretFile)
		if err != nil {
			return config, fmt.Errorf("secret_file: %w", err)
		}
		config.Secret = secret
	default:
		if err := outbound.CheckURL(i.Issuer, i.Settings); err != nil {
			return config, fmt.Errorf("issuer: %w: say where its keys are, if it has no discovery document", err)
		}
		config.Issuer = i.Issuer
	}
	return config, nil
}

func readSecret(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	secret, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	switch {
	case err != nil:
		return nil, err
	case len(secret) > maxSecret:
		return nil, fmt.Errorf("is larger than %d bytes", maxSecret)
	}
	secret, _ = bytes.CutSuffix(secret, []byte("\n"))
	secret, _ = bytes.CutSuffix(secret, []byte("\r"))
	return secret, nil
}

// name returns what the issuer's users are known by: the issuer, or without one
// what their tokens are verified by.
func (i *Issuer) name(config *keyset.Config) string {
	switch {
	case i.Issuer != "":
		return i.Issuer
	case config.JWKSURL != "":
		return "jwt:" + config.JWKSURL
	case config.File != "":
		return "jwt:" + config.File
	}
	digest := sha256.Sum256(append([]byte("rest_auth jwt issuer\n"+config.PEM+"\n"), config.Secret...))
	return "jwt:" + hex.EncodeToString(digest[:4])
}

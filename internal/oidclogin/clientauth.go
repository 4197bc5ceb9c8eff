// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidclogin

import (
	"errors"
	"fmt"
	"slices"

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

// assertion returns the parameters of RFC 7523 section 2.2.
func (p *Provider) assertion(tokenURL string) ([]oauth2.AuthCodeOption, error) {
	signed, err := p.key.ClientAssertion(p.ClientID, tokenURL, p.now())
	if err != nil {
		return nil, err
	}
	return []oauth2.AuthCodeOption{
		oauth2.SetAuthURLParam("client_assertion_type", jose.ClientAssertionType),
		oauth2.SetAuthURLParam("client_assertion", signed),
	}, nil
}

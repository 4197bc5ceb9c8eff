// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package introspection asks an authorization server what an access token is
// worth (RFC 7662), within bounds: one exchange for all requests with the same
// token, so many exchanges at a time, and none while the server is down.
package introspection

import (
	"errors"
	"fmt"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// The ways in which this server authenticates to the other.
const (
	authBasic      = "basic"
	authPost       = "post"
	authPrivateKey = "private_key_jwt"
	authBearer     = "bearer"
)

// Server says which server is asked, and as whom.
type Server struct {
	// The URL of the introspection endpoint.
	// Default: what the discovery document of `issuer` says.
	Endpoint string `json:"endpoint,omitempty"`

	// The issuer of the tokens, exactly as answers say in `iss`. An answer that
	// names another is refused, as is one that names none, unless `iss` is
	// optional. Default: none, `iss` is not looked at.
	Issuer string `json:"issuer,omitempty"`

	// The identifier of this server at the other. Default: none.
	ClientID string `json:"client_id,omitempty"`

	// Its secret, best written as a placeholder: `{env.INTROSPECTION_SECRET}` or
	// `{file./run/secrets/introspection}`. Default: none.
	ClientSecret string `json:"client_secret,omitempty"`

	// How the identifier and the secret are sent: `basic`, `post` (in the form),
	// or `private_key_jwt`: not the secret, but an assertion that `client_key_file` signs.
	// Default: private_key_jwt if there is a client_key_file, and basic otherwise.
	ClientAuth string `json:"client_auth,omitempty"`

	// A PEM file with the private key of private_key_jwt. It is read when the
	// configuration is loaded. Default: none.
	ClientKeyFile string `json:"client_key_file,omitempty"`

	// The `kid` of that key, as the other server knows it. Default: none.
	ClientKeyID string `json:"client_key_id,omitempty"`

	// The algorithm of the assertion. Default: RS256, ES256, ES384, ES512 or
	// EdDSA, as the key is.
	ClientKeyAlgorithm string `json:"client_key_algorithm,omitempty"`

	// Whom the assertion is for. Default: the issuer, or else the endpoint.
	AssertionAudience string `json:"assertion_audience,omitempty"`

	// An access token with which this server authenticates in place of an
	// identifier, best written as a placeholder. Default: none.
	BearerToken string `json:"token,omitempty"`
}

// Resolve replaces placeholders, sets the default of ClientAuth, and reports a
// mistake.
func (s *Server) Resolve(o outbound.Settings) error {
	replacer := caddy.NewReplacer()
	for name, field := range map[string]*string{
		"endpoint": &s.Endpoint, "issuer": &s.Issuer, "client_id": &s.ClientID, "client_secret": &s.ClientSecret,
		"client_key_file": &s.ClientKeyFile, "client_key_id": &s.ClientKeyID, "assertion_audience": &s.AssertionAudience, "token": &s.BearerToken,
	} {
		value, err := replacer.ReplaceOrErr(*field, true, true)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		*field = value
	}
	// What a file ends with is not part of a secret.
	s.ClientSecret = strings.TrimRight(s.ClientSecret, "\r\n")
	s.BearerToken = strings.TrimRight(s.BearerToken, "\r\n")
	switch {
	case s.Endpoint == "" && s.Issuer == "":
		return errors.New("say which server is asked: the URL of its introspection endpoint, or issuer")
	case s.Endpoint != "":
		if err := outbound.CheckURL(s.Endpoint, o); err != nil {
			return fmt.Errorf("endpoint '%s': %w", outbound.Name(s.Endpoint), err)
		}
	}
	if err := checkIssuer(s.Issuer); err != nil {
		return err
	}
	return s.checkAuth()
}

// checkIssuer refuses names that could be taken for those of other sources of
// users, or end a line.
func checkIssuer(issuer string) error {
	if strings.ContainsFunc(issuer, func(r rune) bool { return r <= ' ' || r == '|' || r == 0x7f }) {
		return fmt.Errorf("issuer: %q has a character that no issuer has", issuer)
	}
	if issuer != "" && !strings.Contains(issuer, "://") {
		return fmt.Errorf("issuer: '%s' is not a URL", issuer)
	}
	return nil
}

// checkAuth reports credentials that are missing, or of which it cannot be told
// which are meant.
func (s *Server) checkAuth() error {
	if s.BearerToken != "" {
		if s.ClientID != "" || s.ClientSecret != "" || s.ClientAuth != "" || s.ClientKeyFile != "" {
			return errors.New("token: stands in place of client_id, client_secret, client_auth and client_key_file")
		}
		if strings.ContainsFunc(s.BearerToken, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return errors.New("token: has a character that no token has")
		}
		s.ClientAuth = authBearer
		return nil
	}
	if s.ClientAuth == "" {
		if s.ClientAuth = authBasic; s.ClientKeyFile != "" {
			s.ClientAuth = authPrivateKey
		}
	}
	switch s.ClientAuth {
	case authPrivateKey:
		if s.ClientKeyFile == "" || s.ClientSecret != "" {
			return errors.New("private_key_jwt takes client_key_file, and no client_secret")
		}
	case authBasic, authPost:
		if s.ClientKeyFile != "" {
			return fmt.Errorf("client_key_file: is for private_key_jwt, not for %s", s.ClientAuth)
		}
		if s.ClientSecret == "" {
			return errors.New("say how this server authenticates: client_id with client_secret or client_key_file, or token")
		}
	default:
		return fmt.Errorf("client_auth: '%s' is not one of basic, post and private_key_jwt", s.ClientAuth)
	}
	if s.ClientID == "" {
		return errors.New("client_id: is missing")
	}
	if s.ClientKeyFile == "" && (s.ClientKeyID != "" || s.ClientKeyAlgorithm != "" || s.AssertionAudience != "") {
		return errors.New("client_key_id, client_key_algorithm and assertion_audience are for client_key_file")
	}
	return nil
}

// ParseLine reads one line of an authenticator's block, and reports whether it is
// one of these. Syntax:
//
//	issuer               <url>
//	client_id            <id>
//	client_secret        <secret>
//	client_auth          basic|post|private_key_jwt
//	client_key_file      <file>
//	client_key_id        <kid>
//	client_key_algorithm <alg>
//	assertion_audience   <audience>
//	token                <token>
func (s *Server) ParseLine(d *caddyfile.Dispenser) (known bool, err error) {
	field, known := map[string]*string{
		"issuer": &s.Issuer, "client_id": &s.ClientID, "client_secret": &s.ClientSecret, "client_auth": &s.ClientAuth,
		"client_key_file": &s.ClientKeyFile, "client_key_id": &s.ClientKeyID, "client_key_algorithm": &s.ClientKeyAlgorithm,
		"assertion_audience": &s.AssertionAudience, "token": &s.BearerToken,
	}[d.Val()]
	if !known {
		return false, nil
	}
	word := d.Val()
	if *field != "" {
		return true, d.Errf("%s is given twice", word)
	}
	if !d.AllArgs(field) || *field == "" {
		return true, d.ArgErr()
	}
	if word == "client_auth" && *field != authBasic && *field != authPost && *field != authPrivateKey {
		return true, d.Errf("client_auth: '%s' is not one of basic, post and private_key_jwt", *field)
	}
	return true, nil
}

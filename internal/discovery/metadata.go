// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package discovery learns from an issuer where its endpoints and keys are
// (OpenID Connect Discovery 1.0, RFC 8414).
package discovery

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// Metadata is what an issuer says of itself. The URLs in it may be asked under
// the settings that the metadata was fetched with, or are empty.
type Metadata struct {
	Issuer                string
	AuthorizationEndpoint string
	TokenEndpoint         string
	UserinfoEndpoint      string
	JWKSURI               string
	EndSessionEndpoint    string
	IntrospectionEndpoint string
	RevocationEndpoint    string

	IDTokenSigningAlgs       []string
	TokenEndpointAuthMethods []string
	CodeChallengeMethods     []string

	// AuthorizationResponseIss says that answers to authorization requests
	// name the issuer (RFC 9207).
	AuthorizationResponseIss bool
	BackchannelLogout        bool

	// Raw is the document.
	Raw json.RawMessage
}

// Parse reads a document. A member of a wrong type, or a URL that may not be
// asked, is an error: half a document would be somebody else's.
func Parse(raw []byte, s outbound.Settings) (*Metadata, error) {
	var members map[string]json.RawMessage // a struct would take members of any case
	if !utf8.Valid(raw) {
		return nil, errors.New("the metadata is no JSON object")
	}
	if err := json.Unmarshal(raw, &members); err != nil || members == nil {
		return nil, errors.New("the metadata is no JSON object")
	}
	m := &Metadata{Raw: raw}
	for _, address := range m.addresses() {
		if err := read(members, address.name, address.field); err != nil {
			return nil, err
		}
		if *address.field == "" {
			continue
		}
		if err := outbound.CheckURL(*address.field, s); err != nil {
			return nil, fmt.Errorf("%s of the metadata: %w", address.name, err)
		}
	}
	if err := errors.Join(
		read(members, "issuer", &m.Issuer),
		read(members, "id_token_signing_alg_values_supported", &m.IDTokenSigningAlgs),
		read(members, "token_endpoint_auth_methods_supported", &m.TokenEndpointAuthMethods),
		read(members, "code_challenge_methods_supported", &m.CodeChallengeMethods),
		read(members, "authorization_response_iss_parameter_supported", &m.AuthorizationResponseIss),
		read(members, "backchannel_logout_supported", &m.BackchannelLogout),
	); err != nil {
		return nil, err
	}
	if m.Issuer == "" {
		return nil, errors.New("the metadata names no issuer")
	}
	return m, nil
}

// read takes a member over, if it is there.
func read(members map[string]json.RawMessage, name string, field any) error {
	value, ok := members[name]
	if ok && json.Unmarshal(value, field) != nil {
		return fmt.Errorf("%s of the metadata has the wrong type", name)
	}
	return nil
}

type address struct {
	name  string
	field *string
}

func (m *Metadata) addresses() []address {
	return []address{
		{"authorization_endpoint", &m.AuthorizationEndpoint},
		{"token_endpoint", &m.TokenEndpoint},
		{"userinfo_endpoint", &m.UserinfoEndpoint},
		{"jwks_uri", &m.JWKSURI},
		{"end_session_endpoint", &m.EndSessionEndpoint},
		{"introspection_endpoint", &m.IntrospectionEndpoint},
		{"revocation_endpoint", &m.RevocationEndpoint},
	}
}

// wellKnown returns where the metadata of an issuer can be, in the order in
// which that is tried.
func wellKnown(issuer string) []string {
	issuer = strings.TrimSuffix(issuer, "/")
	urls := []string{issuer + "/.well-known/openid-configuration"}
	// RFC 8414 puts the word between the host and the path.
	scheme, rest, ok := strings.Cut(issuer, "://")
	if !ok {
		return urls
	}
	host, path, _ := strings.Cut(rest, "/")
	if path != "" {
		path = "/" + path
	}
	return append(urls, scheme+"://"+host+"/.well-known/oauth-authorization-server"+path)
}

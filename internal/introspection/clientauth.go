// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package introspection

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// authenticate adds to a request who makes it.
func (h *shared) authenticate(form url.Values, header http.Header, endpoint string) error {
	s := &h.settings
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
		assertion, err := h.key.ClientAssertion(s.ClientID, audience, h.now())
		if err != nil {
			return err
		}
		form.Set("client_id", s.ClientID)
		form.Set("client_assertion_type", jose.ClientAssertionType)
		form.Set("client_assertion", assertion)
	case authBearer:
		header.Set("Authorization", "Bearer "+s.BearerToken)
	}
	return nil
}

// readKey reads the private key of private_key_jwt, and returns its text, too.
func readKey(s *Server) (*jose.SigningKey, []byte, error) {
	text, err := outbound.ReadSecretFile(s.ClientKeyFile)
	if err != nil {
		return nil, nil, fmt.Errorf("client_key_file: %w", err)
	}
	key, err := jose.ParseClientKey(text, s.ClientKeyID, s.ClientKeyAlgorithm)
	if err != nil {
		return nil, nil, fmt.Errorf("client_key_file: %w", err)
	}
	return key, text, nil
}

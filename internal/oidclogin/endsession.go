// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidclogin

import (
	"context"
	"fmt"
	"net/url"
)

// maxHint is the longest ID token that a URL gets: servers refuse a request whose
// first line is long, Keycloak one of more than 4 KiB. Without a hint the provider
// asks who is meant.
const maxHint = 3 << 10

// EndSession returns where the browser goes to be logged out at the provider too
// (OpenID Connect RP-Initiated Logout section 2), or the empty string if the
// provider has no such place. It comes back to the address with the state.
func (p *Provider) EndSession(ctx context.Context, hint, back, state string) (string, error) {
	metadata, err := p.Metadata(ctx)
	if err != nil || metadata.EndSessionEndpoint == "" {
		return "", err
	}
	endpoint, err := url.Parse(metadata.EndSessionEndpoint)
	if err != nil {
		return "", unavailable(fmt.Errorf("provider %s: %w", p.Name, err))
	}
	query := endpoint.Query()
	query.Set("client_id", p.ClientID)
	query.Set("post_logout_redirect_uri", back)
	query.Set("state", state)
	if hint != "" && len(hint) <= maxHint {
		query.Set("id_token_hint", hint)
	}
	endpoint.RawQuery = query.Encode()
	return endpoint.String(), nil
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidclogin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
)

// maxAnswer bounds what a provider says of somebody.
const maxAnswer = 256 << 10

// addUserinfo returns the claims with those of the userinfo endpoint that they do
// not have: what is signed goes first (OpenID Connect Core section 5.3).
func (p *Provider) addUserinfo(ctx context.Context, claims json.RawMessage, subject, accessToken string) (json.RawMessage, error) {
	metadata, err := p.Metadata(ctx)
	if err != nil {
		return nil, err
	}
	if metadata.UserinfoEndpoint == "" {
		return nil, unavailable(fmt.Errorf("provider %s has no userinfo endpoint", p.Name))
	}
	var said, all map[string]json.RawMessage
	if err := p.ask(ctx, metadata.UserinfoEndpoint, accessToken, &said); err != nil {
		return nil, err
	}
	var about string
	if json.Unmarshal(said["sub"], &about) != nil || about != subject {
		return nil, failed("the userinfo of %s is of somebody else", p.Name)
	}
	if err := json.Unmarshal(claims, &all); err != nil {
		return nil, failed("the ID token of %s: %w", p.Name, err)
	}
	for claim, value := range said {
		if _, signed := all[claim]; !signed {
			all[claim] = value
		}
	}
	return json.Marshal(all)
}

// ask reads JSON that the access token opens.
func (p *Provider) ask(ctx context.Context, address, accessToken string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return unavailable(fmt.Errorf("provider %s: %w", p.Name, err))
	}
	r.Header.Set("Authorization", "Bearer "+accessToken)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "caddy-rest-auth")
	answer, err := p.client.HTTP().Do(r)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err
		}
		return unavailable(fmt.Errorf("provider %s: asking who that is: %w", p.Name, err))
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	switch {
	case err != nil:
		return unavailable(fmt.Errorf("provider %s: asking who that is: %w", p.Name, err))
	case answer.StatusCode != http.StatusOK:
		return unavailable(fmt.Errorf("provider %s: asking who that is: status %d", p.Name, answer.StatusCode))
	case len(body) > maxAnswer:
		return unavailable(fmt.Errorf("provider %s: asking who that is: the answer is too large", p.Name))
	case kind != "application/json":
		return unavailable(fmt.Errorf("provider %s: asking who that is: the answer is not JSON", p.Name))
	}
	if err := json.Unmarshal(body, into); err != nil {
		return unavailable(fmt.Errorf("provider %s: asking who that is: the answer is not what it should be", p.Name))
	}
	return nil
}

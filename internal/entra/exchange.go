// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package entra

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// maxAnswer bounds an answer of the token endpoint.
const maxAnswer = 256 << 10

// A RefusalError says that Entra ID or Graph refuses what this token asks for.
type RefusalError struct {
	// MFA tells that the user has to prove more than the token says.
	MFA bool

	// Claims are what a client has to ask for in its next token, as JSON, if
	// Entra ID said so.
	Claims string

	Err error
}

func (r *RefusalError) Error() string { return r.Err.Error() }

// Unwrap returns the cause.
func (r *RefusalError) Unwrap() error { return r.Err }

func unavailable(after time.Duration, cause error) *auth.Unavailable {
	return &auth.Unavailable{RetryAfter: after, Err: cause}
}

// Numbers of AADSTS errors by which Entra ID asks for more than a password.
var mfaNumbers = []int{50072, 50074, 50076, 50079, 50158}

// consentNumber is the error of an app that nobody consented to, which is for
// the operator to mend.
const consentNumber = 65001

// tokenAnswer is that of the token endpoint.
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int64  `json:"expires_in"`
	Error       string `json:"error"`
	Numbers     []int  `json:"error_codes"`
	Claims      string `json:"claims"`
}

// exchange returns a token for Graph on behalf of the user of another token.
func (g *Graph) exchange(ctx context.Context, tenant, assertion string) (string, error) {
	answer, err := g.askToken(ctx, tenant, url.Values{
		"grant_type":          {"urn:ietf:params:oauth:grant-type:jwt-bearer"},
		"requested_token_use": {"on_behalf_of"},
		"assertion":           {assertion},
		"scope":               {g.config.Cloud.Graph + "/GroupMember.Read.All"},
	})
	if err != nil {
		return "", err
	}
	return answer.AccessToken, nil
}

func (g *Graph) askToken(ctx context.Context, tenant string, form url.Values) (*tokenAnswer, error) {
	form.Set("client_id", g.config.ClientID)
	form.Set("client_secret", g.config.Secret)
	address := g.config.Cloud.Authority + "/" + tenant + "/oauth2/v2.0/token"
	// To ask twice does no harm, so that net/http may where the server has closed an
	// idle connection; without values the header itself is not sent.
	response, err := g.client.Post(ctx, address, form, http.Header{"Idempotency-Key": {}}, maxAnswer)
	if err != nil {
		return nil, unavailable(0, fmt.Errorf("asking Entra ID for a token: %w", err))
	}
	g.pauses.note(tenant, g.now(), response.Status, response.Header)
	var answer tokenAnswer
	if err := json.Unmarshal(response.Body, &answer); err != nil {
		return nil, unavailable(retryAfter(response.Header), fmt.Errorf("asking Entra ID for a token: answered %d without JSON", response.Status))
	}
	if response.Status == http.StatusOK && answer.AccessToken != "" {
		return &answer, nil
	}
	// Names and numbers alone: the description repeats what was sent.
	cause := fmt.Errorf("asking Entra ID for a token: answered %d with error '%.64s' AADSTS%d", response.Status, answer.Error, answer.Numbers)
	byUser := answer.Error == "invalid_grant" || answer.Error == "interaction_required"
	if response.Status != http.StatusBadRequest || !byUser || slices.Contains(answer.Numbers, consentNumber) {
		return nil, unavailable(retryAfter(response.Header), cause)
	}
	refusal := &RefusalError{Err: cause}
	for _, number := range answer.Numbers {
		refusal.MFA = refusal.MFA || slices.Contains(mfaNumbers, number)
	}
	if json.Valid([]byte(answer.Claims)) && len(answer.Claims) <= 2048 {
		refusal.Claims = answer.Claims
	}
	return nil, refusal
}

// appTokens are the tokens that the API itself has for Graph, by tenant.
type appTokens struct {
	lock  sync.Mutex
	known map[string]appToken
}

type appToken struct {
	token string
	until time.Time
}

func (a *appTokens) get(ctx context.Context, g *Graph, tenant string) (string, error) {
	now := g.now()
	a.lock.Lock()
	known := a.known[tenant]
	a.lock.Unlock()
	if now.Before(known.until) {
		return known.token, nil
	}
	answer, err := g.askToken(ctx, tenant, url.Values{
		"grant_type": {ClientCredentials},
		"scope":      {g.config.Cloud.Graph + "/.default"},
	})
	if err != nil {
		if refusal, ok := errors.AsType[*RefusalError](err); ok {
			// No user's token has a part in this.
			return "", unavailable(0, refusal.Err)
		}
		return "", err
	}
	life := min(time.Duration(max(answer.ExpiresIn, 0))*time.Second, time.Hour) * 9 / 10
	a.lock.Lock()
	defer a.lock.Unlock()
	if a.known == nil || len(a.known) >= 1000 {
		a.known = make(map[string]appToken)
	}
	a.known[tenant] = appToken{answer.AccessToken, now.Add(life)}
	return answer.AccessToken, nil
}

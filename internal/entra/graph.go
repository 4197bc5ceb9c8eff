// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package entra

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// Bounds of what Graph is asked for. A user is a member of some hundreds of
// groups; Entra ID itself limits memberships to some thousands.
const (
	maxPages  = 40
	maxGroups = 10_000
	maxPage   = 2 << 20 // bytes
	pageSize  = "999"
)

// Names of groups.
const (
	ByID          = "id"
	ByDisplayName = "display_name"
)

// Flows by which a token for Graph is had.
const (
	OnBehalfOf        = "on_behalf_of"
	ClientCredentials = "client_credentials"
)

// Causes of refusals by Graph.
var (
	errNextLink = errors.New("the next page of groups is not at Microsoft Graph")
	errTooMany  = errors.New("the user has too many groups")
	errNoUser   = errors.New("the user is not known to Microsoft Graph")
)

// GraphConfig is how Microsoft Graph is asked.
type GraphConfig struct {
	Cloud    Cloud  // Graph is where it is asked
	ClientID string // of the registration of the API
	Secret   string
	Flow     string
	Names    string
	Life     time.Duration // of what it said
	Outbound outbound.Settings
}

// Graph asks Microsoft Graph which groups users are in.
type Graph struct {
	config GraphConfig
	client *outbound.Client
	tokens appTokens
	memory memory
	pauses pauses
	now    func() time.Time
}

// NewGraph returns a Graph, which asks nobody yet.
func NewGraph(config GraphConfig) (*Graph, error) {
	if err := outbound.CheckURL(config.Cloud.Graph, config.Outbound); err != nil {
		return nil, fmt.Errorf("endpoint: %w", err)
	}
	client, err := outbound.New(config.Outbound)
	if err != nil {
		return nil, err
	}
	return &Graph{config: config, client: client, now: time.Now}, nil
}

// Close ends connections that are idle.
func (g *Graph) Close() { g.client.Close() }

// Groups returns the groups of the user whom a verified token is about, which
// are asked for at most once in a while. The error is a *RefusalError if it is the
// token's, and an *auth.Unavailable otherwise.
func (g *Graph) Groups(ctx context.Context, t *Token, compact string) ([]string, error) {
	key := t.Tenant + "|" + t.Object
	return g.memory.recall(ctx, key, compact, g.now, g.config.Life, g.patience(), func(ctx context.Context) ([]string, error) {
		return g.ask(ctx, t, compact)
	})
}

// patience is how long all pages together may take.
func (g *Graph) patience() time.Duration {
	if timeout := time.Duration(g.config.Outbound.Timeout); timeout > 0 {
		return 3 * timeout
	}
	return 3 * outbound.DefaultTimeout
}

func (g *Graph) ask(ctx context.Context, t *Token, compact string) ([]string, error) {
	if left := g.pauses.left(t.Tenant, g.now()); left > 0 {
		return nil, unavailable(left, errPause)
	}
	path := "/v1.0/users/" + t.Object
	var bearer string
	var err error
	switch {
	case t.AppOnly && g.config.Flow == OnBehalfOf:
		// An app has no user on whose behalf one could ask.
		return nil, &RefusalError{Err: errors.New("the groups of an app are not asked for on behalf of a user")}
	case g.config.Flow == OnBehalfOf:
		path = "/v1.0/me"
		bearer, err = g.exchange(ctx, t.Tenant, compact)
	default:
		if t.AppOnly {
			path = "/v1.0/servicePrincipals/" + t.Object
		}
		bearer, err = g.tokens.get(ctx, g, t.Tenant)
	}
	if err != nil {
		return nil, err
	}
	query := url.Values{"$select": {"id,displayName"}, "$top": {pageSize}}
	next := g.config.Cloud.Graph + path + "/transitiveMemberOf/microsoft.graph.group?" + query.Encode()
	groups := []string{}
	for range maxPages {
		page, err := g.page(ctx, t.Tenant, next, bearer)
		if err != nil {
			return nil, err
		}
		for _, group := range page.Value {
			if g.config.Names == ByDisplayName {
				groups = append(groups, group.DisplayName)
			} else {
				groups = append(groups, group.ID)
			}
		}
		if len(groups) > maxGroups {
			return nil, unavailable(0, errTooMany)
		}
		if next = page.NextLink; next == "" {
			return groups, nil
		}
		if !g.isOurs(next) {
			return nil, unavailable(0, errNextLink)
		}
	}
	return nil, unavailable(0, errTooMany)
}

// isOurs reports whether an address that Graph gave is one of Graph: the token
// must not be sent anywhere else.
func (g *Graph) isOurs(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return false
	}
	graph, err := url.Parse(g.config.Cloud.Graph)
	return err == nil && u.Scheme == graph.Scheme && strings.EqualFold(u.Host, graph.Host) &&
		strings.HasPrefix(u.Path, graph.Path+"/v1.0/")
}

// page is a part of Graph's answer.
type page struct {
	NextLink string `json:"@odata.nextLink"`
	Value    []struct {
		ID          string `json:"id"`
		DisplayName string `json:"displayName"`
	} `json:"value"`
}

func (g *Graph) page(ctx context.Context, tenant, address, bearer string) (*page, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, unavailable(0, errNextLink)
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	r.Header.Set("Accept", "application/json")
	answer, err := g.client.HTTP().Do(r)
	if err != nil {
		return nil, unavailable(0, asking(err))
	}
	defer func() { _ = answer.Body.Close() }()
	g.pauses.note(tenant, g.now(), answer.StatusCode, answer.Header)
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxPage+1))
	switch {
	case err != nil:
		return nil, unavailable(0, asking(err))
	case len(body) > maxPage:
		return nil, unavailable(0, outbound.ErrTooLarge)
	case answer.StatusCode == http.StatusNotFound:
		return nil, &RefusalError{Err: errNoUser}
	case answer.StatusCode != http.StatusOK:
		return nil, unavailable(retryAfter(answer.Header), fmt.Errorf("asking Microsoft Graph: answered %d", answer.StatusCode))
	}
	var p page
	if err := json.Unmarshal(body, &p); err != nil || p.Value == nil {
		return nil, unavailable(0, errors.New("the answer of Microsoft Graph is no list of groups"))
	}
	return &p, nil
}

// asking drops the address from an error of net/http.
func asking(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return fmt.Errorf("asking Microsoft Graph: %w", err)
}

func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, 600)) * time.Second
}

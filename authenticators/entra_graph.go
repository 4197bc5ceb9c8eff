// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/entra"
)

const (
	entraGraphCache    = 5 * time.Minute
	entraGraphMaxCache = time.Hour
)

// EntraGraph asks Microsoft Graph for the groups of users.
type EntraGraph struct {
	// The application (client) ID by which Graph is asked.
	// Default: client_id of the authenticator.
	ClientID string `json:"client_id,omitempty"`

	// The client secret of that application, as {env.ENTRA_CLIENT_SECRET} or
	// {file./run/secrets/entra}. Required.
	ClientSecret string `json:"client_secret,omitempty"`

	// How the application gets its token for Graph: `on_behalf_of` the user,
	// which takes the delegated permission GroupMember.Read.All, or by
	// `client_credentials`, which takes the application permission of that name.
	// Default: on_behalf_of.
	Flow string `json:"flow,omitempty"`

	// What a group is called: `id`, or `display_name`, which is not unique, and
	// in many tenants every user may make a group of any name.
	// Default: id; display_name with compat.
	GroupName string `json:"group_name,omitempty"`

	// The URL of Graph. Default: that of the cloud.
	Endpoint string `json:"endpoint,omitempty"`

	// For how long the groups of a user are remembered, at most an hour; with 0s
	// those who ask at once share an answer, and nothing is remembered.
	// Default: 5m.
	Cache *caddy.Duration `json:"cache,omitempty"`
}

func (g *EntraGraph) provision(e *Entra) (*entra.Graph, error) {
	replacer := caddy.NewReplacer()
	for name, field := range map[string]*string{"client_id": &g.ClientID, "client_secret": &g.ClientSecret, "endpoint": &g.Endpoint} {
		value, err := replacer.ReplaceOrErr(*field, true, true)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		*field = value
	}
	if g.ClientID == "" {
		g.ClientID = e.ClientID
	}
	for name, word := range map[string]struct {
		value    *string
		expected []string
	}{
		"flow":       {&g.Flow, []string{entra.OnBehalfOf, entra.ClientCredentials}},
		"group_name": {&g.GroupName, []string{entra.ByID, entra.ByDisplayName}},
	} {
		if *word.value == "" {
			*word.value = word.expected[0]
		}
		if !slices.Contains(word.expected, *word.value) {
			return nil, fmt.Errorf("%s: unknown word '%s', expected one of %v", name, *word.value, word.expected)
		}
	}
	cache := entraGraphCache
	if g.Cache != nil {
		cache = time.Duration(*g.Cache)
	}
	switch {
	case !entra.IsID(g.ClientID):
		return nil, errors.New("no client_id: say the application (client) ID by which Graph is asked")
	case g.ClientSecret == "":
		return nil, errors.New("no client_secret")
	case cache < 0 || cache > entraGraphMaxCache:
		return nil, fmt.Errorf("cache: %v is not between 0s and %v", cache, entraGraphMaxCache)
	}
	cloud := e.cloud
	if g.Endpoint != "" {
		cloud.Graph = strings.TrimSuffix(g.Endpoint, "/")
	}
	return entra.NewGraph(entra.GraphConfig{
		Cloud: cloud, ClientID: g.ClientID, Secret: g.ClientSecret, Flow: g.Flow, Names: g.GroupName,
		Life: cache, Outbound: e.Settings,
	})
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidclogin

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/discovery"
)

// githubMetadata is what GitHub documents, and GitHub Enterprise Server below its
// own host.
func (p *Provider) githubMetadata() *discovery.Metadata {
	return &discovery.Metadata{
		Issuer:                   p.Issuer,
		AuthorizationEndpoint:    p.Issuer + "/login/oauth/authorize",
		TokenEndpoint:            p.Issuer + "/login/oauth/access_token",
		UserinfoEndpoint:         p.githubAPI() + "/user",
		TokenEndpointAuthMethods: []string{"client_secret_post"},
	}
}

func (p *Provider) githubAPI() string {
	if p.Issuer == presets[presetGitHub].issuer {
		return "https://api.github.com"
	}
	return p.Issuer + "/api/v3"
}

type githubUser struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Name  string `json:"name"`
}

type githubEmail struct {
	Email    string `json:"email"`
	Primary  bool   `json:"primary"`
	Verified bool   `json:"verified"`
}

type githubOrganization struct {
	Login string `json:"login"`
}

// finishGitHub asks GitHub whom an access token is of, and writes it as OpenID
// Connect would: `sub` is the number of the account, which a rename leaves as it
// is; `email` the primary address, if it was verified; `organizations`, with the
// scope read:org, the logins of those that the user is a member of.
func (p *Provider) finishGitHub(ctx context.Context, accessToken string) (*Result, error) {
	var user githubUser
	if err := p.ask(ctx, p.githubAPI()+"/user", accessToken, &user); err != nil {
		return nil, err
	}
	if user.ID <= 0 || user.Login == "" {
		return nil, failed("provider %s names nobody", p.Name)
	}
	subject := strconv.FormatInt(user.ID, 10)
	claims := map[string]any{"sub": subject, "preferred_username": user.Login, "name": user.Name}
	if slices.ContainsFunc(p.Scopes, func(scope string) bool { return scope == "user:email" || scope == "user" }) {
		var emails []githubEmail
		if err := p.ask(ctx, p.githubAPI()+"/user/emails?per_page=100", accessToken, &emails); err != nil {
			return nil, err
		}
		for _, email := range emails {
			if email.Primary && email.Verified {
				claims["email"], claims["email_verified"] = email.Email, true
			}
		}
	}
	if slices.ContainsFunc(p.Scopes, func(scope string) bool { return scope == "read:org" || scope == "admin:org" }) {
		organizations, err := p.githubOrganizations(ctx, accessToken)
		if err != nil {
			return nil, err
		}
		claims["organizations"] = organizations
	}
	encoded, err := json.Marshal(claims)
	if err != nil {
		return nil, err
	}
	return p.admit(ctx, &Result{Issuer: p.Issuer, Subject: subject}, encoded)
}

// GitHub lists at most so many organizations at once; whoever is a member of more
// than all of the pages is one of the first of them.
const (
	githubPage  = 100
	githubPages = 10
)

// githubOrganizations returns the logins of those that the user is a member of.
func (p *Provider) githubOrganizations(ctx context.Context, accessToken string) ([]string, error) {
	logins := []string{}
	for page := 1; page <= githubPages; page++ {
		var organizations []githubOrganization
		address := p.githubAPI() + "/user/orgs?per_page=" + strconv.Itoa(githubPage) + "&page=" + strconv.Itoa(page)
		if err := p.ask(ctx, address, accessToken, &organizations); err != nil {
			return nil, err
		}
		for i := range organizations {
			logins = append(logins, organizations[i].Login)
		}
		if len(organizations) < githubPage {
			break
		}
	}
	return logins, nil
}

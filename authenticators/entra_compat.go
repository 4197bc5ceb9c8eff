// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"context"
	"errors"
	"slices"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/entra"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/federation"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Texts of django-auth-adfs.
const (
	djangoInvalid  = "Invalid access token."
	djangoMFA      = "MFA auth is required."
	djangoInactive = "User inactive or deleted."
	djangoEmpty    = "Invalid authorization header. No credentials provided."
	djangoSpaces   = "Invalid authorization header. Access token should not contain spaces."
)

// completeDjango sets the defaults of django-entra-auth.
func (e *Entra) completeDjango() {
	yes := true
	if e.AllowGuests == nil {
		e.AllowGuests = &yes
	}
	if e.Leeway == nil {
		e.Leeway = new(caddy.Duration)
	}
	if e.UserClaim == "" {
		e.UserClaim = "upn"
	}
	if e.GroupClaim == nil {
		e.GroupClaim = []string{claimGroups}
	}
	if e.Link == "" && e.UserPrefix.UserPrefix == "" {
		e.Link = e.UserClaim
	}
	if e.Create == nil && e.Link != "" {
		e.Create = &yes
	}
	if e.Graph != nil && e.Graph.GroupName == "" {
		e.Graph.GroupName = entra.ByDisplayName
	}
}

// djangoChallenge is what AdfsAccessTokenAuthentication sends, without the comma
// between its parameters.
func (e *Entra) djangoChallenge() string {
	plain := e.Challenger
	plain.ChallengeScopes, plain.ResourceMetadata = nil, ""
	return plain.Challenge(nil) + ` token_type="JWT"`
}

// djangoFailure tells as little apart as Django does.
func djangoFailure(err error) *auth.Failure {
	detail := djangoInvalid
	refusal, _ := errors.AsType[*entra.RefusalError](err)
	switch {
	case refusal != nil && refusal.MFA:
		detail = djangoMFA
	case errors.Is(err, federation.ErrInactiveUser):
		detail = djangoInactive
	}
	failure := &auth.Failure{Code: auth.CodeAuthenticationFailed, Detail: detail, Err: err}
	if cause, ok := errors.AsType[*auth.Failure](err); ok {
		failure.Candidate, failure.Err = cause.Candidate, cause.Err
	}
	return failure
}

func djangoUnreadable(failure *auth.Failure) *auth.Failure {
	unreadable := *failure
	switch {
	case errors.Is(failure.Err, auth.ErrEmptyCredentials):
		unreadable.Detail = djangoEmpty
	case errors.Is(failure.Err, auth.ErrSpaces):
		unreadable.Detail = djangoSpaces
	}
	unreadable.Code = auth.CodeAuthenticationFailed
	return &unreadable
}

// djangoIdentity gives a user of the store what Django would have written to
// it: the groups and flags of the token in place of the user's own. Here they
// are this request's, and the store keeps what an operator put there.
func (e *Entra) djangoIdentity(ctx context.Context, id, mapped *auth.Identity) (*auth.Identity, error) {
	if id.Source != users.SourceStore {
		return id, nil
	}
	if e.StaffClaim != nil {
		id.Staff = mapped.Staff
	}
	if e.SuperuserClaim != nil {
		id.Superuser = mapped.Superuser
	}
	if e.NameClaim != "" && mapped.Name != "" {
		id.Name = mapped.Name
	}
	if e.EmailClaim != "" && mapped.Email != "" {
		id.Email = mapped.Email
	}
	if len(e.GroupClaim) == 0 {
		return id, nil
	}
	user, err := e.store.User(ctx, id.Key)
	// A user who would be created is not there where nothing is to be changed.
	if err != nil && (!auth.DryRun(ctx) || !errors.Is(err, tokenstore.ErrNotFound)) {
		return nil, &auth.Unavailable{Err: err}
	}
	known, err := e.store.Groups(ctx)
	if err != nil {
		return nil, &auth.Unavailable{Err: err}
	}
	id.Groups = nil
	// The user's own, without what the groups in the store give.
	id.Permissions = slices.DeleteFunc(slices.Clone(user.Permissions), func(name string) bool {
		return slices.Contains(user.Inherited, name)
	})
	for _, group := range known {
		if slices.Contains(mapped.Groups, group.Name) {
			id.Groups = append(id.Groups, group.Name)
			id.Permissions = append(id.Permissions, group.Permissions...)
		}
	}
	if e.MirrorGroups {
		id.Groups = mapped.Groups
	}
	id.Permissions = append(id.Permissions, mapped.Permissions...)
	slices.Sort(id.Permissions)
	id.Permissions = slices.Compact(id.Permissions)
	return id, nil
}

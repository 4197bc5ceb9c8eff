// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package federation

import (
	"context"
	"errors"
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// linkSubject is the word that links by issuer and subject.
const linkSubject = "subject"

// Accounts says who an issuer's user is here.
type Accounts struct {
	auth.UserPrefix

	// Which user of the store an issuer's user is: `subject` for the one that
	// was created or imported for this issuer and subject, or the name of a
	// claim that is the login name of one. With `email` the issuer has to say
	// that the address was verified. Names, groups, permissions and flags are
	// the store's then, and those that claims are mapped to come in addition.
	// Default: none; users are the issuer's own and the store is not asked.
	Link string `json:"link,omitempty"`

	// Adds users who are not there yet to the store, without a password. Who is
	// to be kept out then has to be disabled: a deleted user is added again.
	// Default: false, they are refused.
	Create *bool `json:"create,omitempty"`

	store  tokenstore.Store
	users  *users.Directory
	logger *zap.Logger
}

// Inherit takes what the accounts do not say from another one's.
func (a *Accounts) Inherit(from *Accounts) {
	a.UserPrefix.UserPrefix = or(a.UserPrefix.UserPrefix, from.UserPrefix.UserPrefix)
	a.Link = or(a.Link, from.Link)
	a.Create = or(a.Create, from.Create)
}

// Provision checks the options and finds the store, which need not answer yet.
func (a *Accounts) Provision(ctx caddy.Context) (err error) {
	if err := a.Check(); err != nil {
		return err
	}
	a.logger = ctx.Logger()
	if a.store, err = tokenstore.FromContext(ctx); err != nil {
		return fmt.Errorf("loading the store: %w", err)
	}
	if a.users, err = users.FromContext(ctx); err != nil {
		return fmt.Errorf("loading the users: %w", err)
	}
	return nil
}

// Check reports options that contradict each other.
func (a *Accounts) Check() error {
	switch {
	case a.Link == "" && a.creates():
		return errors.New("create: nobody is created without link, which says who is who")
	case a.Link != "" && a.UserPrefix.UserPrefix != "":
		return errors.New("user_prefix: users who are linked to the store have the names that they have there")
	}
	return nil
}

// creates reports whether unknown users are added.
func (a *Accounts) creates() bool { return a.Create != nil && *a.Create }

// Linked reports whether the users are those of the store.
func (a *Accounts) Linked() bool { return a.Link != "" }

// Source returns where the users are kept whom an issuer vouches for.
func (a *Accounts) Source(issuer string) auth.Source {
	if a.Linked() {
		return auth.Local
	}
	return a.UserPrefix.Source(issuer)
}

// Identity returns who the issuer's user is here, as a new identity with what
// external has. It returns an *auth.Failure for a user who is unknown or
// inactive, and an *auth.Unavailable if the store does not answer. A client that
// speaks for itself is linked to nobody.
func (a *Accounts) Identity(ctx context.Context, external *auth.Identity, issuer, subject string) (*auth.Identity, error) {
	id := *external
	id.Source = issuer
	if id.HasUser() || subject != "" {
		id.Key = Key(issuer, subject)
	}
	if !a.Linked() || !id.HasUser() {
		return &id, nil
	}
	user, err := a.find(ctx, &id, issuer, subject)
	if err != nil {
		return nil, err
	}
	id.ID, id.Key, id.Source = user.ID, user.Key, user.Source
	id.Name, id.Email = user.Name, user.Email
	id.Staff = id.Staff || user.Staff
	id.Superuser = id.Superuser || user.Superuser
	id.Groups = union(append([]string(nil), user.Groups...), id.Groups)
	id.Permissions = union(append([]string(nil), user.Permissions...), id.Permissions)
	return &id, nil
}

func (a *Accounts) find(ctx context.Context, id *auth.Identity, issuer, subject string) (*auth.Identity, error) {
	if a.Link == linkSubject {
		return a.bySubject(ctx, id, issuer, subject)
	}
	return a.byName(ctx, id)
}

// refuse says that a user is not let in. The cause is logged.
func refuse(candidate *auth.Identity, cause error) *auth.Failure {
	return &auth.Failure{Code: "invalid_token", Detail: inactive, Candidate: candidate, Err: cause}
}

func undecided(err error) *auth.Unavailable { return &auth.Unavailable{Err: err} }

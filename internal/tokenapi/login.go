// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokenapi

import (
	"context"
	"errors"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
)

// badLogin does not tell whether the name, the password or the state of the
// user is at fault.
const badLogin = "Unable to log in with provided credentials."

// A Directory knows who may log in by password.
type Directory interface {
	Authenticate(ctx context.Context, name, password string) (*auth.Identity, error)
}

// Login returns whose user name and password are in a form, as DRF's
// AuthTokenSerializer does: a *drf.Error says what is wrong with the fields, or
// with endpoints.Failed that the credentials are. Other errors are the
// directory's.
func Login(ctx context.Context, data *drf.Data, directory Directory) (*auth.Identity, error) {
	values, err := data.Read(
		drf.Field{Name: "username", Label: "Username"},
		drf.Field{Name: "password", Label: "Password", KeepSpace: true},
	)
	if err != nil {
		return nil, err
	}
	id, err := directory.Authenticate(ctx, values.String("username"), values.String("password"))
	if failure, bad := errors.AsType[*auth.Failure](err); bad {
		return nil, endpoints.Failed(drf.NonField(badLogin), failure)
	}
	return id, err
}

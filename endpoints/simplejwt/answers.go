// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package simplejwt

import (
	"errors"
	"net/http"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/simplejwt"
)

// What simplejwt says of users.
const (
	noAccountLogin  = "No active account found with the given credentials"
	noAccountToken  = "No active account found for the given token." //nolint:gosec // no secret
	passwordChanged = "The user's password has been changed."        //nolint:gosec // no secret
	noRefreshCookie = "No valid refresh token found."
)

// codeNotValid is the code of whatever is wrong with a token.
const codeNotValid = "token_not_valid"

// errNoAccount and errPassword refuse the users of good tokens.
var (
	errNoAccount = errors.New("the user of the token is gone or inactive")
	errPassword  = errors.New("the password was changed after the token was issued")
)

// refused returns the answer to what is wrong with a token or its user: 401 with
// simplejwt's challenge, which its views have whatever authenticators a site
// knows. Any other error is returned as it is.
func (e *Endpoint) refused(w http.ResponseWriter, err error) error {
	if bad, ok := errors.AsType[*simplejwt.Error](err); ok {
		return e.unauthorized(w, drf.Object{{Name: "detail", Value: bad.Message}, {Name: "code", Value: codeNotValid}},
			&auth.Failure{Code: codeNotValid, Detail: bad.Message, Err: bad.Err})
	}
	var detail string
	switch {
	case errors.Is(err, errNoAccount):
		detail = noAccountToken
	case errors.Is(err, errPassword):
		detail = passwordChanged
	default:
		return err
	}
	return e.unauthorized(w, drf.Object{{Name: "detail", Value: detail}},
		&auth.Failure{Code: auth.CodeAuthenticationFailed, Detail: detail, Err: err})
}

func (e *Endpoint) unauthorized(w http.ResponseWriter, body drf.Object, cause *auth.Failure) error {
	w.Header().Set("WWW-Authenticate", e.AuthHeaderTypes[0]+` realm="api"`)
	return endpoints.Failed(&drf.Error{Status: http.StatusUnauthorized, Body: body}, cause)
}

// field reads one text of a body.
func field(data *drf.Data, name string) (string, error) {
	values, err := data.Read(drf.Field{Name: name})
	if err != nil {
		return "", err
	}
	return values.String(name), nil
}

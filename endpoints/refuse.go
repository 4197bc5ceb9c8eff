// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"errors"
	"net/http"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// A Refuser is an Endpoint that refuses people by pages. Refuse is called in
// place of writing JSON with a status of 400 or above, if the route has Pages
// and the request names HTML as acceptable. Said is the JSON; headers such as
// Retry-After are set. An error means that nothing was written.
type Refuser interface {
	Refuse(w http.ResponseWriter, r *http.Request, status int, said map[string]any) error
}

// Failed returns the error of an Action that answers bad credentials in its
// API's own way, by a *drf.Error. The cause is logged and counted as one of an
// authenticator is.
func Failed(answer error, cause *auth.Failure) error { return errors.Join(answer, cause) }

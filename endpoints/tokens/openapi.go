// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokens

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
)

// document answers with the OpenAPI description of this API as it is mounted
// and configured here.
func (e *Endpoint) document(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	var document map[string]any
	if err := json.Unmarshal(e.openapi, &document); err != nil {
		return err
	}
	base := strings.TrimSuffix(e.at.Origin+endpoints.Base(r, e.at), "/")
	if base == "" {
		base = "/"
	}
	document["servers"] = []any{map[string]any{"url": base}}
	return drf.Write(w, r, http.StatusOK, document)
}

//go:embed openapi.json
var openapi string

// openapiFor returns the description with the names that sessions have here.
func openapiFor(settings *session.Settings) []byte {
	return []byte(strings.NewReplacer(
		`"sessionid"`, strconv.Quote(settings.Cookie),
		`"X-CSRFToken"`, strconv.Quote(settings.CSRFHeader),
	).Replace(openapi))
}

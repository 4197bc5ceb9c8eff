// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package entratest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// graphScope is asked of the token endpoint for Graph, wherever it listens.
const graphScope = "GroupMember.Read.All"

// token answers client_credentials and on_behalf_of, as v2.0 of the endpoint.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	tenant := r.PathValue("tenant")
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	switch {
	case !isTenant(tenant):
		refuse(w, http.StatusBadRequest, "invalid_request", 90002, "Tenant not found.")
	case id != Orders && id != Daemon:
		refuse(w, http.StatusBadRequest, "unauthorized_client", 700016, "Application was not found in the directory.")
	case secret != Secret:
		refuse(w, http.StatusUnauthorized, "invalid_client", 7000215, "Invalid client secret provided.")
	default:
		switch r.PostFormValue("grant_type") {
		case "client_credentials":
			s.clientCredentials(w, r, tenant, id)
		case "urn:ietf:params:oauth:grant-type:jwt-bearer":
			s.onBehalfOf(w, r, tenant, id)
		default:
			refuse(w, http.StatusBadRequest, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
		}
	}
}

func (s *Server) clientCredentials(w http.ResponseWriter, r *http.Request, tenant, id string) {
	resource, isDefault := strings.CutSuffix(r.PostFormValue("scope"), "/.default")
	switch {
	case !isDefault:
		refuse(w, http.StatusBadRequest, "invalid_scope", 1002012, "The provided value for scope is not valid. It must be suffixed with /.default.")
	case resource == s.URL: // Graph
		issued(w, "graph-app-"+tenant)
	case id == Daemon && (resource == OrdersURI || resource == Orders || resource == "api://"+Orders):
		s.Lock()
		version, roles := s.TokenVersion, s.Roles
		s.Unlock()
		claims := s.App(version, tenant, roles...)
		if version == "1.0" {
			claims["aud"] = resource
		}
		issued(w, s.Sign(claims))
	default:
		refuse(w, http.StatusBadRequest, "invalid_resource", 500011, "The resource principal was not found in the tenant.")
	}
}

func (s *Server) onBehalfOf(w http.ResponseWriter, r *http.Request, tenant, id string) {
	claims, good := read(r.PostFormValue("assertion"))
	object, _ := claims["oid"].(string)
	scope := r.PostFormValue("scope")
	s.Lock()
	mfa := s.MFA[object]
	s.Unlock()
	switch {
	case r.PostFormValue("requested_token_use") != "on_behalf_of":
		refuse(w, http.StatusBadRequest, "invalid_request", 900144, "The request body must contain requested_token_use.")
	case !good || claims["tid"] != tenant:
		refuse(w, http.StatusBadRequest, "invalid_grant", 50013, "Assertion failed signature validation.")
	case id != Orders || claims["aud"] != Orders && claims["aud"] != OrdersURI:
		refuse(w, http.StatusBadRequest, "invalid_grant", 500131, "Assertion audience does not match the Client app presenting the assertion.")
	case claims["scp"] == nil:
		refuse(w, http.StatusBadRequest, "invalid_grant", 50013, "Application assertion is not supported.")
	case scope != graphScope && scope != s.URL+"/"+graphScope:
		refuse(w, http.StatusBadRequest, "invalid_grant", 65001, "The user or administrator has not consented to use the application.")
	case mfa:
		write(w, http.StatusBadRequest, map[string]any{
			"error": "interaction_required", "error_codes": []int{50076}, "suberror": "basic_action",
			"error_description": "AADSTS50076: Due to a configuration change made by your administrator, you must use multi-factor authentication to access the resource.",
			"claims":            `{"access_token":{"capolids":{"essential":true,"values":["00000000-1111-2222-3333-444444444444"]}}}`,
		})
	default:
		issued(w, "graph-user-"+object)
	}
}

func issued(w http.ResponseWriter, token string) {
	write(w, http.StatusOK, map[string]any{"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token})
}

func refuse(w http.ResponseWriter, status int, code string, number int, text string) {
	write(w, status, map[string]any{
		"error": code, "error_description": "AADSTS" + strconv.Itoa(number) + ": " + text, "error_codes": []int{number},
		"timestamp": "2026-01-01 00:00:00Z", "trace_id": "00000000-0000-0000-0000-000000000000", "correlation_id": "00000000-0000-0000-0000-000000000000",
	})
}

// asked returns whose groups a request asks Graph for.
func asked(w http.ResponseWriter, r *http.Request) (id string, ok bool) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	user, isUser := strings.CutPrefix(token, "graph-user-")
	_, isApp := strings.CutPrefix(token, "graph-app-")
	me := strings.HasPrefix(r.URL.Path, "/v1.0/me/")
	switch {
	case me && isUser:
		return user, true
	case !me && (isApp || isUser):
		return r.PathValue("id"), true
	}
	write(w, http.StatusUnauthorized, map[string]any{"error": map[string]any{"code": "InvalidAuthenticationToken", "message": "Access token is empty."}})
	return "", false
}

// memberOf answers with one page of groups.
func (s *Server) memberOf(w http.ResponseWriter, r *http.Request) {
	id, ok := asked(w, r)
	if !ok {
		return
	}
	s.Lock()
	groups, size, host := s.Groups[id], s.PageSize, s.NextHost
	s.Unlock()
	skip, _ := strconv.Atoi(r.URL.Query().Get("$skiptoken"))
	skip = min(max(skip, 0), len(groups))
	end := min(skip+size, len(groups))
	page := map[string]any{"@odata.context": s.URL + "/v1.0/$metadata#groups", "value": groups[skip:end]}
	if end < len(groups) {
		next, _ := url.Parse(s.URL + r.URL.Path)
		if host != "" {
			next.Host = host
		}
		query := r.URL.Query()
		query.Set("$skiptoken", strconv.Itoa(end))
		next.RawQuery = query.Encode()
		page["@odata.nextLink"] = next.String()
	}
	write(w, http.StatusOK, page)
}

// memberGroups answers with the IDs of all groups.
func (s *Server) memberGroups(w http.ResponseWriter, r *http.Request) {
	id, ok := asked(w, r)
	if !ok {
		return
	}
	var body struct {
		SecurityEnabledOnly *bool `json:"securityEnabledOnly"`
	}
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&body) != nil || body.SecurityEnabledOnly == nil {
		write(w, http.StatusBadRequest, map[string]any{"error": map[string]any{"code": "BadRequest"}})
		return
	}
	ids := []string{}
	s.Lock()
	for _, group := range s.Groups[id] {
		ids = append(ids, group.ID)
	}
	s.Unlock()
	write(w, http.StatusOK, map[string]any{"value": ids})
}

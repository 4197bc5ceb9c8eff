// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
)

// Prefix begins the path of every resource.
const Prefix = "/rest_auth/"

// Handler serves the JSON API of m, errors included.
func Handler(m *Manager) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := Handle(m, w, r)
		if err == nil {
			return
		}
		refusal := (*Error)(nil)
		if !errors.As(err, &refusal) {
			refusal = &Error{Status: http.StatusInternalServerError, Text: err.Error()}
		}
		writeJSON(w, refusal.Status, map[string]string{"error": refusal.Text})
	})
}

// Handle answers one request of the JSON API, or returns an *Error and leaves
// the answer to the caller.
func Handle(m *Manager, w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	by := *m
	by.Log = m.Log.With(zap.String("remote", r.RemoteAddr))
	c := &call{Manager: &by, w: w, r: r}
	err := c.route()
	if refusal := (*Error)(nil); errors.As(err, &refusal) && refusal.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	return err
}

// A call is one request and the Manager that it is about.
type call struct {
	*Manager
	w http.ResponseWriter
	r *http.Request
}

// methods are what a resource can do. The strings are the variable parts of
// its path.
type methods map[string]func(c *call, arg string) error

// resources by their paths, with * for a part that varies.
var resources = map[string]methods{
	"users":                 {http.MethodGet: (*call).listUsers, http.MethodPost: (*call).postUser},
	"users/*":               {http.MethodGet: (*call).getUser, http.MethodPatch: (*call).patchUser, http.MethodDelete: (*call).deleteUser},
	"users/*/password":      {http.MethodPut: (*call).putPassword, http.MethodDelete: (*call).deletePassword},
	"groups":                {http.MethodGet: (*call).listGroups},
	"groups/*":              {http.MethodPut: (*call).putGroup, http.MethodDelete: (*call).deleteGroup},
	"tokens":                {http.MethodGet: (*call).listTokens, http.MethodPost: (*call).postToken, http.MethodDelete: (*call).deleteTokens},
	"tokens/*":              {http.MethodGet: (*call).getToken, http.MethodDelete: (*call).deleteToken},
	"tokens/*/rotate":       {http.MethodPost: (*call).rotateToken},
	"revocations":           {http.MethodPost: (*call).postRevocation},
	"lockouts":              {http.MethodGet: (*call).listLockouts, http.MethodDelete: (*call).deleteLockouts},
	"sessions":              {http.MethodGet: (*call).listSessions, http.MethodDelete: (*call).deleteSessions},
	"sessions/*":            {http.MethodDelete: (*call).deleteSession},
	"clients":               {http.MethodGet: (*call).listClients, http.MethodPost: (*call).postClient},
	"clients/*":             {http.MethodPatch: (*call).patchClient, http.MethodDelete: (*call).deleteClient},
	"issuers":               {http.MethodGet: (*call).listIssuers, http.MethodPost: (*call).fetchIssuers},
	"signing_keys":          {http.MethodGet: (*call).listSigningKeys},
	"signing_keys/*/rotate": {http.MethodPost: (*call).rotateSigningKeys},
	"import":                {http.MethodPost: (*call).imports},
	"export":                {http.MethodGet: (*call).export},
	"store":                 {http.MethodGet: (*call).getStore},
	"store/backup":          {http.MethodPost: (*call).backup},
}

// route finds the resource. Parts are separated before they are unescaped, so
// that a name may contain a slash.
func (c *call) route() error {
	path, ok := strings.CutPrefix(c.r.URL.EscapedPath(), Prefix)
	if !ok {
		return refuse(http.StatusNotFound, "there is nothing here; resources begin with %s", Prefix)
	}
	parts := strings.Split(path, "/")
	arg := ""
	if len(parts) > 1 && parts[0] != "store" {
		var err error
		if arg, err = url.PathUnescape(parts[1]); err != nil || arg == "" {
			return refuse(http.StatusNotFound, "there is nothing without a name")
		}
		parts[1] = "*"
	}
	known, ok := resources[strings.Join(parts, "/")]
	if !ok {
		return refuse(http.StatusNotFound, "there is no such resource under %s", Prefix)
	}
	handle, ok := known[c.r.Method]
	if !ok {
		allow := make([]string, 0, len(known))
		for method := range known {
			allow = append(allow, method)
		}
		c.w.Header().Set("Allow", strings.Join(sortedSet(allow), ", "))
		return refuse(http.StatusMethodNotAllowed, "method %s is not for this resource", c.r.Method)
	}
	return handle(c, arg)
}

// query returns the parameters, none of which may be unknown, empty or there
// twice: one that was ignored would select more than was meant.
func (c *call) query(known ...string) (map[string]string, error) {
	values, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the query is malformed")
	}
	params := make(map[string]string, len(values))
	for name, value := range values {
		if !slices.Contains(known, name) {
			return nil, refuse(http.StatusBadRequest, "unknown parameter; known here: %s", strings.Join(known, ", "))
		}
		if len(value) != 1 || value[0] == "" {
			return nil, invalid(name, "must be given once and not be empty")
		}
		params[name] = value[0]
	}
	return params, nil
}

const (
	defaultLimit = 100
	maxLimit     = 1000
	maxCursor    = 4 << 10
)

// page reads the parameters of a list.
func page(params map[string]string) (cursor string, limit int, err error) {
	cursor, limit = params["cursor"], defaultLimit
	if len(cursor) > maxCursor {
		return "", 0, invalid("cursor", "not one that this list handed out")
	}
	if text, ok := params["limit"]; ok {
		limit, err = strconv.Atoi(text)
		if err != nil || limit < 1 || limit > maxLimit {
			return "", 0, invalid("limit", "must be a number from 1 to %d", maxLimit)
		}
	}
	return cursor, limit, nil
}

// takeTime is for an answer that may take minutes. Caddy gives a request ten
// seconds, at the end of which its context would end too.
func (c *call) takeTime() {
	// A writer without deadlines has none to lift.
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Time{})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"encoding the answer"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// The client may be gone; nobody is left to be told.
	_, _ = w.Write(append(body, '\n'))
}

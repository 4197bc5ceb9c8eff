// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// corsPolicy says which origins' scripts may read a refusal. The upstream
// speaks for itself on requests that are allowed.
type corsPolicy struct {
	any     bool
	origins []string
}

func newCORSPolicy(origins []string) (*corsPolicy, error) {
	policy := new(corsPolicy)
	for _, origin := range origins {
		if origin == "*" {
			policy.any = true
			continue
		}
		u, err := url.Parse(origin)
		if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil || u.Scheme+"://"+u.Host != origin ||
			strings.Contains(u.Host, "*") {
			return nil, fmt.Errorf("'%s' is not an origin, as https://app.example.com", origin)
		}
		if u.Port() != "" && (u.Scheme+u.Port() == "https443" || u.Scheme+u.Port() == "http80") {
			return nil, fmt.Errorf("'%s' has the port that browsers leave out", origin)
		}
		policy.origins = append(policy.origins, strings.ToLower(origin))
	}
	return policy, nil
}

// allows returns what Access-Control-Allow-Origin is to say, if anything.
func (c *corsPolicy) allows(r *http.Request) (origin string, credentials bool) {
	if !c.any && len(c.origins) == 0 {
		return "", false
	}
	origins := r.Header["Origin"]
	if len(origins) != 1 {
		return "", false
	}
	if slices.Contains(c.origins, strings.ToLower(origins[0])) {
		return origins[0], true
	}
	if c.any {
		return "*", false
	}
	return "", false
}

// preflight reports whether the request only asks whether another may be made.
// Browsers send it without credentials (Fetch standard, CORS-preflight fetch):
// one that has some is judged as any other request.
func (c *corsPolicy) preflight(r *http.Request) bool {
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" ||
		r.Header["Authorization"] != nil || r.Header["Cookie"] != nil {
		return false
	}
	origin, _ := c.allows(r)
	return origin != ""
}

// expose lets the scripts of an allowed origin read a refusal.
func (c *corsPolicy) expose(w http.ResponseWriter, r *http.Request) {
	if !c.any && len(c.origins) == 0 {
		return
	}
	header := w.Header()
	if !slices.Contains(header["Vary"], "Origin") {
		header.Add("Vary", "Origin")
	}
	origin, credentials := c.allows(r)
	if origin == "" {
		return
	}
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
	if credentials {
		header.Set("Access-Control-Allow-Credentials", "true")
	}
}

// answerPreflight tells a browser what scripts of an allowed origin may send.
// The request that follows is judged as any other.
func (c *corsPolicy) answerPreflight(w http.ResponseWriter, r *http.Request, methods string) {
	header := w.Header()
	c.expose(w, r)
	header.Add("Vary", "Access-Control-Request-Headers")
	header.Set("Access-Control-Allow-Methods", methods)
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" && !hasControl(asked) {
		header.Set("Access-Control-Allow-Headers", asked)
	}
	header.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

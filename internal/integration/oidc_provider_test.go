// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
)

// idp is a provider at which people log in without being asked: it hands out
// codes, and redeems them as RFC 6749, RFC 7636 and OpenID Connect say.
type idp struct {
	*idptest.Server
	t *testing.T

	mu     sync.Mutex
	grants map[string]*grant // by code
	used   int               // codes that were redeemed, or tried to be
	asked  http.Header       // of the latest request for tokens
	form   url.Values

	// What is changed of its answers.
	claims      map[string]any
	sign        []idptest.SignOption
	replay      bool // codes can be redeemed again
	noPKCE      bool // verifiers are not looked at
	tokenStatus int
	tokenBody   string
	userinfo    map[string]any
}

// grant is somebody's consent.
type grant struct {
	query url.Values // of the authorization request
	spent bool
}

func newIDP(t *testing.T) *idp {
	t.Helper()
	p := &idp{Server: idptest.New(t), t: t, grants: make(map[string]*grant), claims: map[string]any{"sub": "1001", "preferred_username": "dora", "name": "Dora", "sid": "s1"}}
	p.Handle("POST /token", p.token)
	p.Handle("GET /userinfo", func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer access-") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(p.userinfo)
	})
	return p
}

// consent is the provider's part of a login: it returns what the browser brings
// to the callback.
func (p *idp) consent(location string) url.Values {
	p.t.Helper()
	at, err := url.Parse(location)
	if err != nil || at.Scheme+"://"+at.Host != p.URL || at.Path != "/authorize" {
		p.t.Fatalf("a login leads to %s: %v", location, err)
	}
	query := at.Query()
	for name, want := range map[string]string{"response_type": "code", "client_id": "site", "code_challenge_method": "S256"} {
		if query.Get(name) != want {
			p.t.Errorf("%s is %q in %s", name, query.Get(name), location)
		}
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(query.Get(name)) != 43 {
			p.t.Errorf("%s is %q", name, query.Get(name))
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	code := fmt.Sprintf("code-%d", len(p.grants))
	p.grants[code] = &grant{query: query}
	return url.Values{"code": {code}, "state": {query.Get("state")}}
}

func (p *idp) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = r.ParseForm()
	p.used++
	p.asked, p.form = r.Header.Clone(), r.PostForm
	w.Header().Set("Content-Type", "application/json")
	if p.tokenStatus != 0 {
		w.WriteHeader(p.tokenStatus)
		_, _ = w.Write([]byte(p.tokenBody))
		return
	}
	g := p.grants[r.PostForm.Get("code")]
	verifier := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	if g == nil || g.spent && !p.replay || g.query.Get("redirect_uri") != r.PostForm.Get("redirect_uri") ||
		!p.noPKCE && base64.RawURLEncoding.EncodeToString(verifier[:]) != g.query.Get("code_challenge") {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant","error_description":"<script>"}`))
		return
	}
	g.spent = true
	claims := map[string]any{"aud": "site", "nonce": g.query.Get("nonce")}
	maps.Copy(claims, p.claims)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"access_token": "access-" + r.PostForm.Get("code"), "token_type": "Bearer", "expires_in": 60, "id_token": p.Sign(claims, p.sign...),
	})
}

// redeemed returns how many codes were brought.
func (p *idp) redeemed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.used
}

const oidcSite = `
{{site}} {
	rest_auth_endpoints {
		oidc /auth/ {
			%s
		}
	}
	rest_auth {
		authenticate session {
			login_url /auth/login/
		}
		header_up Remote-User {http.auth.user.id}
		header_up Remote-Groups {http.auth.user.groups}
	}
	reverse_proxy {{echo}}
}
`

// providerLines are those of a provider in a test, and more.
func providerLines(name string, p *idp, more string) string {
	return "provider " + name + " {\nissuer " + p.URL + "\nclient_id site\nclient_secret secret\nuser_claim preferred_username\n" +
		"allow_http\nallow_internal loopback\n" + more + "\n}\n"
}

// serveOIDC serves a site with a login at a provider; more are lines of it.
func serveOIDC(t *testing.T, p *idp, more string) *server {
	t.Helper()
	s := serve(t, strings.Replace(oidcSite, "%s", providerLines("corp", p, more), 1))
	s.awaitStore()
	return s
}

// loginAt begins a login, and returns where it leads.
func (v *visit) loginAt(path string) string {
	v.t.Helper()
	got := v.ask("GET", path, "", asHTML)
	if got.Status != 302 {
		v.t.Fatalf("GET %s: %d %s", path, got.Status, got.Body)
	}
	return got.Header.Get("Location")
}

// callback comes back from the provider.
func (v *visit) callback(name string, query url.Values, lines ...string) reply {
	v.t.Helper()
	if len(lines) == 0 {
		lines = []string{asHTML}
	}
	return v.ask("GET", "/auth/callback/"+name+"/?"+query.Encode(), "", lines...)
}

// loggedIn logs somebody in at the only provider, and fails if that does.
func (v *visit) loggedIn(p *idp) *visit {
	v.t.Helper()
	if got := v.callback("corp", p.consent(v.loginAt("/auth/login/?next=/wiki"))); got.Status != 303 || got.Header.Get("Location") != "/wiki" {
		v.t.Fatalf("a login ends with %d to %q: %s", got.Status, got.Header.Get("Location"), got.Body)
	}
	return v
}

// attempts returns the cookies of logins under way.
func (v *visit) attempts() (names []string) {
	v.t.Helper()
	at, _ := url.Parse(v.URL)
	for _, cookie := range v.jar.Cookies(at) {
		if strings.HasPrefix(cookie.Name, "oidc-") {
			names = append(names, cookie.Name)
		}
	}
	return names
}

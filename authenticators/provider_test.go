// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/caddyauth"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/auth/authtest"
)

// guest is a provider made of a function.
type guest func(w http.ResponseWriter, r *http.Request) (caddyauth.User, bool, error)

func (g guest) Authenticate(w http.ResponseWriter, r *http.Request) (caddyauth.User, bool, error) {
	return g(w, r)
}

func hosting(g guest) *Provider {
	return &Provider{name: "test", source: "provider:test", Errors: errorsUnavailable, guest: g, logger: zap.NewNop()}
}

// plainHash compares passwords at once, where bcrypt would take a second for
// each user whom nobody knows.
type plainHash struct{}

func init() { caddy.RegisterModule(plainHash{}) }

func (plainHash) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.authentication.hashes.test_plain", New: func() caddy.Module { return new(plainHash) }}
}

func (plainHash) Compare(hash, password []byte) (bool, error) {
	return subtle.ConstantTimeCompare(hash, append([]byte("$"), password...)) == 1, nil
}

const httpBasic = `{"providers": {"http_basic": {
	"hash": {"algorithm": "test_plain"}, "accounts": [{"username": "alice", "password": "$word"}], "realm": "the shop"
}}}`

// Caddy's http_basic challenges whatever was wrong, and so the scheme of the
// request tells no password from a wrong one.
func TestProvider_httpBasic(t *testing.T) {
	ctx, _ := newApp(t)
	p := mustLoad[*Provider](t, ctx, "provider", httpBasic)
	good := &auth.Identity{ID: "alice", Key: "provider:http_basic|alice", Source: "provider:http_basic", Method: "provider"}
	bad := &auth.Failure{}
	authtest.Run(t, p, []authtest.Case{
		{Name: "good", Request: with("Basic " + encode("alice:word")), Identity: good},
		{Name: "lower case", Request: with("basic " + encode("alice:word")), Identity: good},
		{Name: "wrong password", Request: with("Basic " + encode("alice:x")), Err: bad},
		{Name: "unknown user", Request: with("Basic " + encode("bob:word")), Err: bad},
		{Name: "empty", Request: with("Basic " + encode(":")), Err: bad},
		{Name: "no credentials", Request: with("Basic"), Err: bad},
		{Name: "not base64", Request: with("Basic !"), Err: bad},
		{Name: "other scheme", Request: with("Token x"), Err: auth.ErrNoCredentials},
		{Name: "nothing", Request: with(), Err: auth.ErrNoCredentials},
		{Name: "two lines", Request: with("Basic "+encode("alice:word"), "Token x"), Err: auth.Ambiguous()},
	})
	for _, r := range []*http.Request{with(), with("Token x"), with("Basic " + encode("alice:x"))} {
		_, err := p.Authenticate(r)
		if got := p.Challenge(r, err); got != `Basic realm="the shop"` {
			t.Errorf("Challenge after %v = %q", err, got)
		}
	}
	if got := p.Challenge(with(), nil); got != "" {
		t.Errorf("Challenge of a provider that was not asked = %q", got)
	}
}

func encode(s string) string {
	r := &http.Request{Header: http.Header{}}
	name, password, _ := strings.Cut(s, ":")
	r.SetBasicAuth(name, password)
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Basic ")
}

// TestProvider_outcomes is every way in which a provider can answer.
func TestProvider_outcomes(t *testing.T) {
	const bearer = "Bearer x.y.z"
	down := errors.New("the directory does not answer")
	status := func(code int) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.WriteHeader(code) }
	}
	challenge := func(lines ...string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.Header()["Www-Authenticate"] = lines }
	}
	redirect := func(w http.ResponseWriter) {
		w.Header().Set("Location", "/login")
		w.WriteHeader(http.StatusFound)
	}
	const (
		allowed = iota
		abstained
		failed
		denied
		throttled
		unavailable
	)
	tests := map[string]struct {
		authorization string
		writes        func(http.ResponseWriter)
		ok            bool
		err           error
		errors        string // the option
		configured    string // the option challenge
		want          int
	}{
		"true":              {ok: true, want: allowed},
		"true, 200 written": {ok: true, writes: status(200), want: allowed},
		"true, early hints": {ok: true, writes: status(103), want: allowed},
		"true, early hints and 401": {ok: true, want: failed, writes: func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusUnauthorized)
		}},
		"false, challenge after the status": {authorization: bearer, want: abstained, writes: func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusUnauthorized)
			w.Header().Set("WWW-Authenticate", "Bearer")
		}},
		"true and an error":                  {ok: true, err: down, want: unavailable},
		"true and an error, refuse":          {ok: true, err: down, errors: errorsRefuse, want: failed},
		"true and an error, abstain":         {ok: true, err: down, errors: errorsAbstain, want: abstained},
		"true and 401":                       {ok: true, writes: status(401), want: failed},
		"true and a redirection":             {ok: true, writes: redirect, want: failed},
		"true and 503":                       {ok: true, writes: status(503), want: unavailable},
		"false":                              {want: abstained},
		"false, 200 written":                 {writes: status(200), want: abstained},
		"false and 401":                      {writes: status(401), want: abstained},
		"false and 403":                      {writes: status(403), want: abstained},
		"false and 500":                      {writes: status(500), want: unavailable},
		"false and 429":                      {writes: status(429), want: throttled},
		"false, bearer":                      {authorization: bearer, want: abstained},
		"false, challenge":                   {writes: challenge("Bearer"), want: abstained},
		"false, challenge of the scheme":     {authorization: bearer, writes: challenge("bearer realm=x"), want: failed},
		"false, challenge of another":        {authorization: bearer, writes: challenge("Basic realm=x"), want: abstained},
		"false, second challenge":            {authorization: bearer, writes: challenge("Basic realm=x", "Bearer"), want: failed},
		"false, scheme that only begins so":  {authorization: bearer, writes: challenge("Bear"), want: abstained},
		"false, unusable challenge":          {authorization: bearer, writes: challenge("Bearer realm=\"\r\n\""), want: abstained},
		"false, endless challenge":           {authorization: bearer, writes: challenge("Bearer realm=" + strings.Repeat("x", maxChallenge)), want: abstained},
		"false, redirection":                 {authorization: bearer, writes: redirect, want: abstained},
		"false, configured":                  {configured: `Bearer realm="api"`, want: abstained},
		"false, configured, bearer":          {authorization: bearer, configured: `Bearer realm="api"`, want: failed},
		"false, configured, other":           {authorization: "Token x", configured: "Bearer", want: abstained},
		"error":                              {err: down, want: unavailable},
		"error, bearer":                      {authorization: bearer, err: down, want: unavailable},
		"error, bearer, refuse":              {authorization: bearer, err: down, errors: errorsRefuse, want: failed},
		"error, bearer, abstain":             {authorization: bearer, err: down, errors: errorsAbstain, want: abstained},
		"error, own scheme, abstain":         {authorization: bearer, err: down, errors: errorsAbstain, writes: challenge("Bearer"), want: failed},
		"error, challenge of the scheme":     {authorization: bearer, err: down, writes: challenge("Bearer"), want: failed},
		"error, challenge":                   {err: down, writes: challenge("Bearer"), want: failed},
		"error, redirection":                 {err: down, writes: redirect, want: failed},
		"error, redirection, abstain":        {err: down, writes: redirect, errors: errorsAbstain, want: abstained},
		"error and 401":                      {err: down, writes: status(401), want: failed},
		"error and 403":                      {err: down, writes: status(403), want: denied},
		"error and 500":                      {err: down, writes: status(500), want: unavailable},
		"error and 500, abstain":             {err: down, writes: status(500), errors: errorsAbstain, want: unavailable},
		"error of Caddy's, 401":              {err: caddyhttp.Error(401, down), want: failed},
		"error of Caddy's, 403":              {err: caddyhttp.Error(403, down), want: denied},
		"error of Caddy's, 429":              {err: caddyhttp.Error(429, down), want: throttled},
		"error of Caddy's, 502":              {err: fmt.Errorf("asking: %w", caddyhttp.Error(502, down)), errors: errorsRefuse, want: unavailable},
		"error that claims none":             {err: auth.ErrNoCredentials, want: unavailable},
		"error that claims to be a denial":   {err: new(auth.Denial), want: unavailable},
		"the client went away":               {err: context.Canceled, want: unavailable},
		"error, configured, bearer":          {authorization: bearer, err: down, configured: "Bearer", want: failed},
		"error, configured, other, refuse":   {authorization: "Token x", err: down, configured: "Bearer", errors: errorsRefuse, want: failed},
		"error, configured, abstain, bearer": {authorization: bearer, err: down, configured: "Bearer", errors: errorsAbstain, want: failed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := hosting(func(w http.ResponseWriter, _ *http.Request) (caddyauth.User, bool, error) {
				if test.writes != nil {
					test.writes(w)
				}
				return caddyauth.User{ID: "mallory"}, test.ok, test.err
			})
			p.DefaultChallenge, p.scheme = test.configured, schemeOf(test.configured)
			if test.errors != "" {
				p.Errors = test.errors
			}
			r := with()
			if test.authorization != "" {
				r = with(test.authorization)
			}
			id, err := p.Authenticate(r)
			got := allowed
			switch err.(type) {
			case nil:
			case *auth.Failure:
				got = failed
			case *auth.Denial:
				got = denied
			case *auth.Throttled:
				got = throttled
			case *auth.Unavailable:
				got = unavailable
			default:
				got = abstained
				if !errors.Is(err, auth.ErrNoCredentials) {
					t.Fatalf("an error of no kind: %v", err)
				}
			}
			if got != test.want || (id != nil) != (got == allowed) {
				t.Errorf("Authenticate = %v, %v", id, err)
			}
			if got != abstained && errors.Is(err, auth.ErrNoCredentials) {
				t.Errorf("%v is ErrNoCredentials too", err)
			}
		})
	}
}

func TestProvider_identity(t *testing.T) {
	user := caddyauth.User{ID: "alice", Metadata: map[string]string{
		"name": "Alice Liddell", "email": "alice@example.com", "roles": "editors, readers  staff,,", "raw": "\xff",
	}}
	p := hosting(func(http.ResponseWriter, *http.Request) (caddyauth.User, bool, error) { return user, true, nil })
	p.GroupClaim = "roles"
	p.UserPrefix.UserPrefix = "portal:"
	authtest.Run(t, &onlyWith{Provider: p}, []authtest.Case{{
		Name: "user", Request: with("Bearer x"), Identity: &auth.Identity{
			ID: "alice", Key: "provider:test|portal:alice", Source: "provider:test", Method: "provider",
			Name: "Alice Liddell", Email: "alice@example.com", Groups: []string{"editors", "readers", "staff"},
			Claims: []byte(`{"email":"alice@example.com","name":"Alice Liddell","raw":"\ufffd","roles":"editors, readers  staff,,"}`),
		},
	}})
	user.ID = ""
	if id, err := p.Authenticate(with("Bearer x")); id != nil || !errors.Is(err, errNobody) {
		t.Errorf("a user without a name: %v, %v", id, err)
	}
}

// onlyWith asks the provider of a user for the one request that has credentials.
type onlyWith struct{ *Provider }

func (o *onlyWith) Authenticate(r *http.Request) (*auth.Identity, error) {
	if r.Header.Get("Authorization") != "Bearer x" {
		return nil, auth.ErrNoCredentials
	}
	return o.Provider.Authenticate(r)
}

func TestProvider_redirect(t *testing.T) {
	where, code := "/login?next=%2F", http.StatusFound
	p := hosting(func(w http.ResponseWriter, r *http.Request) (caddyauth.User, bool, error) {
		w.Header()["location"] = []string{where}
		w.WriteHeader(code)
		return caddyauth.User{}, false, nil
	})
	ask := func(lines ...string) (string, int) {
		r := with()
		for _, line := range lines {
			name, value, headed := strings.Cut(line, ": ")
			if !headed {
				r.Method = line
				continue
			}
			r.Header.Add(name, value)
		}
		_, err := p.Authenticate(r)
		return p.Redirect(r, err)
	}
	for _, test := range []struct {
		lines []string
		want  bool
	}{
		{nil, true},
		{[]string{"Accept: */*"}, true},
		{[]string{"Accept: text/html,application/xhtml+xml;q=0.9"}, true},
		{[]string{"Accept: application/json", "Accept: Text/HTML"}, true},
		{[]string{"Accept: application/json"}, false},
		{[]string{"Accept: */*", "Sec-Fetch-Mode: cors"}, false},
		{[]string{"Accept: text/html", "Sec-Fetch-Mode: navigate"}, true},
		{[]string{"Accept: application/json, text/plain, */*"}, false},
		{[]string{"Accept: image/avif,image/webp,*/*;q=0.8"}, false},
		{[]string{"HEAD", "Accept: text/html"}, true},
		{[]string{"POST", "Accept: text/html"}, true},
		{[]string{"PUT", "Accept: text/html"}, false},
		{[]string{"OPTIONS"}, false},
	} {
		location, status := ask(test.lines...)
		if (location == where && status == code) != test.want || location != "" && !test.want {
			t.Errorf("%q: %q %d", test.lines, location, status)
		}
	}
	for _, bad := range []string{"", "http://a b", "%zz", "/a\r\nX: y", "/#\r\nX: y"} {
		where = bad
		if location, _ := ask(); location != "" {
			t.Errorf("the location %q is passed on", location)
		}
	}
	where = "/login"
	for _, none := range []int{200, 201, 304, 401} {
		code = none
		if location, _ := ask(); location != "" {
			t.Errorf("%d is a redirection to %q", none, location)
		}
	}
	if location, _ := p.Redirect(with(), nil); location != "" {
		t.Errorf("a provider that was not asked redirects to %q", location)
	}
}

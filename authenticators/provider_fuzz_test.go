// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp/caddyauth"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// FuzzProvider holds whatever a client sends and a provider makes of it: only a
// plain true is an identity, nothing that is passed on can begin a header line,
// and no error repeats the credentials.
func FuzzProvider(f *testing.F) {
	f.Add("Basic YWxpY2U6cHc=", "session=abcdef", "Basic realm=x", "/login", 302, "bad: ", false, false)
	f.Add("Bearer a.b.c", "", "", "https://login.example.com/?next=/", 303, "", true, false)
	f.Add("Bearer \xff\xfe", "=;;=", "Bearer\r\nX: y", "/\r\nX: y", 401, "no", true, true)
	f.Add("Basic", "a", "realm=\"x\"", "//", 503, "down", false, true)
	f.Add("", "", "", "#\x12", 302, "", true, true)
	f.Fuzz(func(t *testing.T, authorization, cookie, challenge, location string, status int, text string, ok, fails bool) {
		r := with(authorization)
		r.Header["Cookie"] = []string{cookie}
		p := hosting(func(w http.ResponseWriter, r *http.Request) (caddyauth.User, bool, error) {
			w.Header()["Www-Authenticate"] = []string{challenge}
			w.Header()["Location"] = []string{location}
			w.WriteHeader(status)
			var err error
			if fails {
				err = errors.New(text + r.Header.Get("Authorization") + text + r.Header.Get("Cookie"))
			}
			return caddyauth.User{ID: "alice"}, ok, err
		})
		id, err := p.Authenticate(r)
		if (id == nil) == (err == nil) || id != nil && (!ok || fails || status >= http.StatusMultipleChoices) {
			t.Errorf("Authenticate = %v, %v", id, err)
		}
		to, _ := p.Redirect(r, err)
		for _, line := range []string{p.Challenge(r, err), to} {
			if !isQuotable(line) {
				t.Errorf("%q is passed on", line)
			}
		}
		if _, failed := errors.AsType[*auth.Failure](err); failed && errors.Is(err, auth.ErrNoCredentials) {
			t.Errorf("%v is a failure and ErrNoCredentials", err)
		}
		for _, secret := range []string{authorization, cookie} {
			harmless := len(secret) < minSecret || strings.Contains(text, secret) || strings.Contains(secret, "*") ||
				strings.Contains("the provider returned an error: (status )", secret)
			if err != nil && !harmless && strings.Contains(err.Error(), secret) {
				t.Errorf("the error repeats %q: %v", secret, err)
			}
		}
	})
}

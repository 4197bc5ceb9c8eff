// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/auth/authtest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const simplejwtKey = "pZ8vQm3xT6rW1yKd9LfBn4HsJc7GuEa2XoVtRi5NkMb0qPwYd"

// simplejwtToken is a token of the key with these claims, for an hour.
func simplejwtToken(claims string) string {
	b64 := base64.RawURLEncoding.EncodeToString
	text := b64([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." +
		b64(fmt.Appendf(nil, `{"exp":%d,%s}`, time.Now().Add(time.Hour).Unix(), claims))
	mac := hmac.New(sha256.New, []byte(simplejwtKey))
	mac.Write([]byte(text))
	return text + "." + b64(mac.Sum(nil))
}

func simplejwtAccess(jti, user string) string {
	return simplejwtToken(fmt.Sprintf(`"token_type":"access","jti":%q,"user_id":%q`, jti, user))
}

// newSimpleJWT returns an authenticator with these members of its JSON.
func newSimpleJWT(t testing.TB, members string) (*SimpleJWT, *app, tokenstore.User) {
	t.Helper()
	ctx, app := newApp(t)
	alice := addUser(t, app.store, tokenstore.User{Name: "alice", Active: true, Origin: "django", OriginID: "1", Groups: []string{"editors"}})
	a := mustLoad[*SimpleJWT](t, ctx, "simplejwt", `{"signing_key":"`+simplejwtKey+`"`+members+`}`)
	t.Cleanup(func() { _ = a.Cleanup() })
	return a, app, alice
}

func TestSimpleJWT(t *testing.T) {
	a, app, alice := newSimpleJWT(t, "")
	gone := addUser(t, app.store, tokenstore.User{Name: "gone", Active: true, Origin: "django", OriginID: "2"})
	gone.Active = false
	addUser(t, app.store, gone)
	if err := app.store.Revoke(t.Context(), revocation.JWT("", "revoked"), time.Time{}); err != nil {
		t.Fatal(err)
	}
	const notValid = "Given token not valid for any token type"
	refused := func(code, detail string) error { return &auth.Failure{Code: code, Detail: detail} }
	id := func(jti string) *auth.Identity {
		return &auth.Identity{ID: "alice", Key: alice.Key, Source: "store", Groups: []string{"editors"}, Method: "simplejwt", Credential: jti, Family: "jwt:|" + jti}
	}
	authtest.Run(t, a, []authtest.Case{
		{Name: "imported", Request: with("Bearer " + simplejwtAccess("a", "1")), Identity: id("a")},
		{Name: "by key", Request: with("bearer " + simplejwtAccess("b", alice.Key)), Identity: id("b")},
		{Name: "none", Request: with(), Err: auth.ErrNoCredentials},
		{Name: "other scheme", Request: with("Token x"), Err: auth.ErrNoCredentials},
		{Name: "scheme alone", Request: with("Bearer"), Err: refused("bad_authorization_header", "Authorization header must contain two space-delimited values")},
		{Name: "garbage", Request: with("Bearer x.y.z"), Err: refused("token_not_valid", notValid)},
		{Name: "refresh", Request: with("Bearer " + simplejwtToken(`"token_type":"refresh","jti":"c","user_id":1`)), Err: refused("token_not_valid", notValid)},
		{Name: "bound", Request: with("Bearer " + simplejwtToken(`"token_type":"access","jti":"c","user_id":1,"cnf":{"jkt":"x"}`)), Err: refused("token_not_valid", notValid)},
		{Name: "revoked", Request: with("Bearer " + simplejwtAccess("revoked", "1")), Err: refused("token_not_valid", notValid)},
		{Name: "unknown user", Request: with("Bearer " + simplejwtAccess("d", "3")), Err: refused("user_not_found", "User not found")},
		{Name: "inactive", Request: with("Bearer " + simplejwtAccess("e", "2")), Err: refused("user_inactive", "User is inactive")},
		{Name: "two headers", Request: with("Bearer a", "Bearer b"), Err: &auth.Failure{Detail: "Invalid authorization header. More than one was sent."}},
	})
}

func TestSimpleJWT_ofCookie(t *testing.T) {
	a, _, alice := newSimpleJWT(t, `,"jwt_auth_cookie":"access","jwt_auth_cookie_use_csrf":false`)
	cookie := func(value string) *http.Request {
		r := with()
		r.Header.Set("Cookie", "access="+value)
		return r
	}
	beside := cookie(simplejwtAccess("a", "1"))
	beside.Header.Set("Authorization", "Basic eDp5")
	authtest.Run(t, a, []authtest.Case{
		{Name: "good", Request: cookie(simplejwtAccess("a", "1")), Identity: &auth.Identity{ID: "alice", Key: alice.Key, Groups: []string{"editors"}}},
		{Name: "stale", Request: cookie(simplejwtToken(`"token_type":"access","jti":"a"`)), Err: auth.ErrNoCredentials},
		{Name: "garbage", Request: cookie("x"), Err: auth.ErrNoCredentials},
		{Name: "beside a header", Request: beside, Err: auth.ErrNoCredentials},
	})
}

func TestSimpleJWT_ofNobody(t *testing.T) {
	a, _, _ := newSimpleJWT(t, `,"stateless":true,"user_prefix":"shop:"`)
	if source := a.UserSource(); source != (auth.Source{Name: "simplejwt", Prefix: "shop:", Told: true}) {
		t.Errorf("the source is %+v", source)
	}
	token := func(more string) *http.Request {
		return with("Bearer " + simplejwtToken(`"token_type":"access","jti":"a","user_id":"9999"`+more))
	}
	authtest.Run(t, a, []authtest.Case{
		{Name: "plain", Request: token(""), Identity: &auth.Identity{ID: "9999", Key: "simplejwt|9999", Source: "simplejwt"}},
		{Name: "flags", Request: token(`,"username":"zoe","is_staff":true,"is_superuser":true`), Identity: &auth.Identity{ID: "9999", Name: "zoe", Staff: true, Superuser: true}},
		{Name: "no flags", Request: token(`,"is_staff":"true","is_superuser":1`), Identity: &auth.Identity{ID: "9999"}},
		{Name: "no name", Request: with("Bearer " + simplejwtToken(`"token_type":"access","jti":"a","user_id":""`)), Err: &auth.Failure{Code: "user_not_found", Detail: "User not found"}},
	})
}

// downStore does not answer what is asked about tokens and users.
type downStore struct{ tokenstore.Store }

func (downStore) Revoked(context.Context, string) (bool, error) {
	return false, tokenstore.ErrUnavailable
}

func TestSimpleJWT_storeDown(t *testing.T) {
	a, app, _ := newSimpleJWT(t, "")
	good := app.store.Store
	app.store.Store = downStore{good}
	_, err := a.Authenticate(with("Bearer " + simplejwtAccess("a", "1")))
	if unavailable, ok := errors.AsType[*auth.Unavailable](err); !ok || !errors.Is(unavailable, tokenstore.ErrUnavailable) {
		t.Errorf("Authenticate = %v, want unavailable", err)
	}
	if _, err := a.Authenticate(with("Bearer x")); errors.Is(err, tokenstore.ErrUnavailable) {
		t.Errorf("Authenticate of garbage = %v", err)
	}
	app.store.Store = good
}

func TestSimpleJWT_challenge(t *testing.T) {
	a, _, _ := newSimpleJWT(t, `,"auth_header_types":["JWT","Bearer"]`)
	for _, realm := range []string{"api", `a "b"`} {
		a.SetRealm(realm)
		want := "JWT realm=" + quoted(realm)
		if got := a.Challenge(with(), nil); got != want {
			t.Errorf("Challenge = %s, want %s", got, want)
		}
	}
}

// FuzzSimpleJWT lets nobody in but by a token of the key, answers no client with 5xx,
// and repeats nothing that was sent.
func FuzzSimpleJWT(f *testing.F) {
	a, _, _ := newSimpleJWT(f, `,"auth_token_classes":["access","sliding"],"jwt_auth_cookie":"access"`)
	good := simplejwtAccess("a", "1")
	parts := strings.Split(good, ".")
	for _, token := range []string{good, parts[0] + "." + parts[1] + ".", "a.b.c", "..", "\xff.\x00.x", strings.Repeat(".", 100), good + " x"} {
		f.Add("Bearer "+token, token)
		f.Add("", token)
	}
	f.Fuzz(func(t *testing.T, authorization, cookie string) {
		r := with()
		if authorization != "" {
			r = with(authorization)
		}
		r.Header["Cookie"] = []string{"access=" + cookie}
		id, err := a.Authenticate(r)
		switch _, failed := errors.AsType[*auth.Failure](err); {
		case err == nil:
			if !strings.Contains(authorization+cookie, good) || id.ID != "alice" {
				t.Errorf("%+v is let in", id)
			}
		case !failed && !errors.Is(err, auth.ErrNoCredentials):
			t.Errorf("Authenticate = %v", err)
		}
		for _, sent := range []string{authorization, cookie} {
			if err != nil && len(sent) > 12 && strings.Contains(err.Error(), sent) {
				t.Errorf("the error repeats %q: %v", sent, err)
			}
		}
	})
}

// BenchmarkSimpleJWT is a token at first sight, one that is looked at again after a
// minute, and what is asked on each request about one that is remembered.
func BenchmarkSimpleJWT(b *testing.B) {
	a, _, _ := newSimpleJWT(b, "")
	r := with("Bearer " + simplejwtAccess("a", "1"))
	for name, f := range map[string]func() error{
		"Authenticate": func() error { _, err := a.Authenticate(r); return err },
		"Recheck":      func() error { _, err := a.Recheck(r, nil); return err },
		"CacheKey":     func() error { a.CacheKey(r); return nil },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

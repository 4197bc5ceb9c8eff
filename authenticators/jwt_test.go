// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/auth/authtest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	jwtSecret = "a secret of the tests that no list of known secrets has"
	jwtConfig = `"issuer": "issuer", "audience": ["api"], "secret": "` + jwtSecret + `"`
)

// signHS256 returns a token of these claims.
func signHS256(header, claims, secret string) string {
	segment := base64.RawURLEncoding.EncodeToString
	signed := segment([]byte(header)) + "." + segment([]byte(claims))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return signed + "." + segment(mac.Sum(nil))
}

func jwtRequest(claims string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+signHS256(`{"alg":"HS256","typ":"JWT"}`, claims, jwtSecret))
	return r
}

func TestJWT_laws(t *testing.T) {
	ctx, a := newApp(t)
	user, err := a.store.PutUser(t.Context(), tokenstore.User{Name: "alice", Origin: "issuer", OriginID: "u1", Active: true, Groups: []string{"g"}})
	if err != nil {
		t.Fatal(err)
	}
	const good = `{"iss":"issuer","aud":"api","exp":4102444800,"sub":"u1","jti":"j","scope":"read write"}`
	forged := jwtRequest(good)
	forged.Header.Set("Authorization", "Bearer "+signHS256(`{"alg":"HS256"}`, good, "another secret"))
	cookie := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("a=b"))
	cookie.AddCookie(&http.Cookie{Name: "access", Value: signHS256(`{"alg":"HS256"}`, good, jwtSecret)})
	refused := &auth.Failure{Code: "invalid_token", Detail: "Invalid token."}
	cases := func(id auth.Identity) []authtest.Case {
		return []authtest.Case{
			{Name: "good", Request: jwtRequest(good), Identity: &id},
			{Name: "in a cookie", Request: cookie, Identity: &id},
			{Name: "forged", Request: forged, Err: refused},
			{Name: "for others", Request: jwtRequest(`{"iss":"issuer","aud":"x","exp":4102444800,"sub":"u1"}`), Err: refused},
			{Name: "expired", Request: jwtRequest(`{"iss":"issuer","aud":"api","exp":1,"sub":"u1"}`), Err: &auth.Failure{Code: "invalid_token", Detail: "Token has expired."}},
			{Name: "another issuer's", Request: jwtRequest(`{"iss":"x","aud":"api","exp":4102444800,"sub":"u1"}`), Err: auth.ErrNoCredentials},
		}
	}
	t.Run("stateless", func(t *testing.T) {
		j := mustLoad[*JWT](t, ctx, "jwt", `{`+jwtConfig+`, "cookie": "access"}`)
		authtest.Run(t, j, cases(auth.Identity{
			ID: "u1", Key: "issuer|u1", Source: "issuer", Scopes: []string{"read", "write"}, Method: "jwt", Credential: "j",
			Family: revocation.JWT("issuer", "j"), Expires: time.Unix(4102444800+30, 0),
		}))
	})
	t.Run("linked", func(t *testing.T) {
		j := mustLoad[*JWT](t, ctx, "jwt", `{`+jwtConfig+`, "cookie": "access", "link": "subject"}`)
		authtest.Run(t, j, cases(auth.Identity{
			ID: "alice", Key: user.Key, Source: "store", Groups: []string{"g"}, Scopes: []string{"read", "write"}, Method: "jwt",
		}))
	})
	t.Run("several", func(t *testing.T) {
		j := mustLoad[*JWT](t, ctx, "jwt", `{"issuers": [{`+jwtConfig+`, "user_prefix": "a:"}, {"issuer": "https://b.example.com", "user_prefix": "b:"}], "audience": ["x"], "cookie": "access"}`)
		authtest.Run(t, j, cases(auth.Identity{ID: "a:u1", Key: "issuer|u1", Scopes: []string{"read", "write"}}))
		if !j.Owns("b:carol") || j.Owns("carol") {
			t.Error("the prefixes of the issuers are not theirs alone")
		}
	})
}

// TestJWT_CacheKey wants another key for each generation of keys, and for a token
// that came as one that is bound.
func TestJWT_CacheKey(t *testing.T) {
	ctx, _ := newApp(t)
	j := mustLoad[*JWT](t, ctx, "jwt", `{`+jwtConfig+`}`)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if _, ok := j.CacheKey(r); ok {
		t.Error("a request without a token has a key")
	}
	r.Header.Set("Authorization", "Bearer "+strings.Repeat("a", 1<<20))
	if _, ok := j.CacheKey(r); ok {
		t.Error("what is too long to be a token is copied and hashed")
	}
	r.Header.Set("Authorization", "Bearer a.b.c")
	bearer, _ := j.CacheKey(r)
	r.Header.Set("Authorization", "DPoP a.b.c")
	bound, _ := j.CacheKey(r)
	if string(bearer) == string(bound) {
		t.Errorf("both keys are %q", bearer)
	}
}

// TestJWT_Recheck has what happens to a remembered token without its signature
// being looked at again.
func TestJWT_Recheck(t *testing.T) {
	ctx, a := newApp(t)
	j := mustLoad[*JWT](t, ctx, "jwt", `{`+jwtConfig+`}`)
	r := jwtRequest(`{"iss":"issuer","aud":"api","exp":4102444800,"sub":"u1","jti":"j"}`)
	id, err := j.Authenticate(r)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := j.Recheck(r, id); err != nil || again.Key != id.Key || again.Method != "jwt" || !again.Expires.Equal(id.Expires) {
		t.Errorf("Recheck = %+v, %v", again, err)
	}
	stranger := *id
	stranger.Proof = "another issuer"
	if _, err := j.Recheck(r, &stranger); !errors.Is(err, auth.ErrChanged) {
		t.Errorf("an issuer that is not there any more: %v", err)
	}
	if err := a.store.Revoke(t.Context(), id.Family, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Recheck(r, id); !isFailure(err) {
		t.Errorf("a revoked token: %v", err)
	}
	if _, err := j.Authenticate(r); !isFailure(err) {
		t.Errorf("a revoked token, verified anew: %v", err)
	}
}

// FuzzJWT looks for requests that are answered as none of an authenticator's
// outcomes, or let in.
func FuzzJWT(f *testing.F) {
	ctx, _ := newApp(f)
	guest, err := load(ctx, "jwt", `{`+jwtConfig+`, "cookie": "access", "query": "t"}`)
	if err != nil {
		f.Fatal(err)
	}
	j := guest.(*JWT)
	const good = `{"iss":"issuer","aud":"api","exp":4102444800,"sub":"u1"}`
	for _, seed := range []string{"", "Bearer", "Bearer a.b.c", "DPoP ..", "Bearer " + signHS256(`{"alg":"none"}`, good, ""), "Bearer " + signHS256(`{"alg":"HS256"}`, good, "x")} {
		f.Add(seed, "", "")
	}
	f.Add("", "access=a.b.c; access=x", "t=a.b.c&t=%zz")
	f.Fuzz(func(t *testing.T, header, cookie, query string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Authorization"], r.Header["Cookie"], r.URL.RawQuery = []string{header}, []string{cookie}, query
		id, err := j.Authenticate(r)
		if id != nil || !isFailure(err) && !errors.Is(err, auth.ErrNoCredentials) {
			t.Fatalf("Authenticate(%q, %q, %q) = %+v, %v", header, cookie, query, id, err)
		}
		if challenge := j.Challenge(r, err); strings.ContainsAny(challenge, "\r\n\x00") {
			t.Fatalf("the challenge is %q", challenge)
		}
	})
}

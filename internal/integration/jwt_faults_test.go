// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
)

const unavailable = `{"detail":"Service temporarily unavailable, try again later."}`

// TestJWT_providerDown starts beside providers that fail, each in its way: their
// tokens are answered 503, others as ever, and each heals alone.
func TestJWT_providerDown(t *testing.T) {
	up := idptest.New(t)
	down := make(map[string]*idptest.Server)
	lines := "issuer " + up.Issuer() + "\n"
	for name, fault := range map[string]idptest.Fault{
		"slow": idptest.Slow, "huge": idptest.Huge, "HTML": idptest.HTML, "redirect": idptest.Redirect, "empty": idptest.Empty,
		"no metadata": idptest.EmptyJSON, "no keys": idptest.EmptyKeys, "error": idptest.Error, "not found": idptest.NotFound,
		"cut": idptest.Cut, "closed": idptest.Closed,
	} {
		down[name] = idptest.New(t)
		down[name].Fail(fault)
		lines += "issuer " + down[name].Issuer() + "\n"
	}
	s := serve(t, whoamiSite("authenticate jwt {\n"+lines+"audience api\nuser_prefix off\ncookie access\ntimeout 1s\n"+local+"}\nauthenticate token"))
	s.seed()
	sign := func(idp *idptest.Server, audience string) string {
		return bearerToken(idp.Sign(map[string]any{"sub": "u", "aud": audience}))
	}
	began := time.Now()
	var group sync.WaitGroup
	for name, idp := range down {
		line := sign(idp, "api")
		for range 3 {
			group.Go(func() {
				got := s.get("/", line)
				if got.Status != 503 || got.Body != unavailable || got.Header.Get("Retry-After") == "" {
					t.Errorf("%s: %d %q, Retry-After %q", name, got.Status, got.Body, got.Header.Get("Retry-After"))
				}
			})
		}
	}
	group.Wait()
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("the answers took %v", took)
	}
	// What is bad whoever signed it is bad now, and others' are not concerned.
	s.get("/", sign(down["slow"], "other")).expect(t, 401, bearerError("The access token is for another audience."), invalidToken)
	s.get("/", sign(up, "api")).expect(t, 200, "-", "*")
	s.get("/", token("token-alice")).expect(t, 200, "-", "*")
	s.get("/").expect(t, 401, bearerPlain, notAuthenticated)
	// Two tokens are two, whatever becomes of their keys.
	line, other := sign(down["slow"], "api"), sign(down["error"], "api")
	s.get("/", line, other).expect(t, 401, bearerPlain, "*")
	s.get("/", line, "Cookie: access=a.b.c").expect(t, 401, `Bearer realm="api", error="invalid_request", error_description="Invalid request. More than one access token was sent."`, "*")
	for _, idp := range down {
		idp.Heal()
	}
	for name, idp := range down {
		line := sign(idp, "api")
		s.await("tokens of the provider that was "+name, func() bool { return s.get("/", line).Status == http.StatusOK })
	}
}

// await waits for what has to happen some time.
func (s *server) await(what string, so func() bool) {
	s.t.Helper()
	for began := time.Now(); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			s.t.Fatalf("waiting for %s: nothing in a minute", what)
		}
	}
}

// TestJWT_rotation replaces the keys of a provider while requests run: a token of
// the new ones is never refused, and one of the old ones not let in any more.
func TestJWT_rotation(t *testing.T) {
	idp := idptest.New(t)
	s := serve(t, jwtSite(idp))
	claims := map[string]any{"sub": "u", "aud": "api"}
	before := bearerToken(idp.Sign(claims))
	s.get("/", before).expect(t, 200, "-", "*")

	var refused atomic.Int64
	stop := make(chan struct{})
	var group sync.WaitGroup
	var current atomic.Value
	current.Store(before)
	for range 4 {
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				// The token is taken first: it may be of the old keys by now.
				line := current.Load().(string)
				if s.get("/", line).Status != http.StatusOK && line != before {
					refused.Add(1)
				}
			}
		})
	}
	idp.Rotate()
	after := bearerToken(idp.Sign(claims))
	current.Store(after)
	s.await("the old keys to be gone", func() bool { return s.get("/", before).Status == http.StatusUnauthorized })
	close(stop)
	group.Wait()
	if n := refused.Load(); n > 0 {
		t.Errorf("%d tokens of the new keys were refused", n)
	}
	s.get("/", after).expect(t, 200, "-", "*")
	s.get("/", before).expect(t, 401, bearerInvalid, invalidToken)
}

// TestJWT_unknownKeys sends many tokens of keys that do not exist: the provider is
// asked once for all of them, and those of its keys are accepted meanwhile.
func TestJWT_unknownKeys(t *testing.T) {
	idp := idptest.New(t)
	s := serve(t, jwtSite(idp))
	claims := map[string]any{"sub": "u", "aud": "api"}
	good := bearerToken(idp.Sign(claims))
	s.get("/", good).expect(t, 200, "-", "*")
	_, before := idp.Fetches()
	for i := range 100 {
		kid := "k" + strings.Repeat("x", i)
		s.get("/", bearerToken(idp.Sign(claims, idptest.KeyID(kid)))).expect(t, 401, bearerInvalid, invalidToken)
	}
	s.get("/", good).expect(t, 200, "-", "*")
	if _, after := idp.Fetches(); after > before+1 {
		t.Errorf("%d fetches for a hundred unknown keys", after-before)
	}
}

// TestJWT_weakKeys has a provider publish keys that nobody should use beside good
// ones: no token by one of them is accepted, those of the others are.
func TestJWT_weakKeys(t *testing.T) {
	idp := idptest.New(t)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	other, secret := rsaKey(t), []byte(strings.Repeat("secret--", 8))
	claims := map[string]any{"sub": "u", "aud": "api"}
	good := idp.Sign(claims)
	idp.AddKey("short", short, nil)
	idp.AddKey("encrypts", other, map[string]any{"use": "enc"})
	idp.AddKey("another alg", other, map[string]any{"alg": "RS512"})
	idp.AddJWK(`{"kty":"oct","kid":"secret","k":"` + base64.RawURLEncoding.EncodeToString(secret) + `"}`)
	idp.AddJWK(`{"kty":"RSA","kid":"e1","n":"` + base64.RawURLEncoding.EncodeToString(other.N.Bytes()) + `","e":"AQ"}`)
	s := serve(t, jwtSite(idp))
	for name, token := range map[string]string{
		"short":       idp.Sign(claims, idptest.KeyID("short"), idptest.Key(short)),
		"encrypts":    idp.Sign(claims, idptest.KeyID("encrypts"), idptest.Key(other)),
		"another alg": idp.Sign(claims, idptest.KeyID("another alg"), idptest.Key(other)),
		"secret":      idp.Sign(claims, idptest.Alg("HS256"), idptest.KeyID("secret"), idptest.Key(secret)),
		"no kid":      idp.Sign(claims, idptest.KeyID(""), idptest.Key(short)),
		"exponent":    idp.Sign(claims, idptest.KeyID("e1"), idptest.Key(other)),
	} {
		if got := s.get("/", bearerToken(token)); got.Status != 401 || got.Header.Get("WWW-Authenticate") != bearerInvalid {
			t.Errorf("%s: %d %q", name, got.Status, got.Body)
		}
	}
	s.get("/", bearerToken(good)).expect(t, 200, "-", "*")
	s.get("/", bearerToken(idp.Sign(claims, idptest.Alg("RS512"), idptest.KeyID("another alg"), idptest.Key(other)))).expect(t, 200, "-", "*")
}

// TestJWT_reload keeps what was fetched over a reload, and begins with a new
// issuer at once.
func TestJWT_reload(t *testing.T) {
	one, two := idptest.New(t), idptest.New(t)
	s := serve(t, jwtSite(one))
	sign := func(idp *idptest.Server) string {
		return bearerToken(idp.Sign(map[string]any{"sub": "u", "aud": "api"}))
	}
	s.get("/", sign(one)).expect(t, 200, "-", "*")
	_, before := one.Fetches()
	s.reload(jwtSite(one, "realm again"))
	one.Fail(idptest.Closed)
	s.get("/", sign(one)).expect(t, 200, "-", "*")
	if _, after := one.Fetches(); after != before {
		t.Errorf("%d fetches for a reload", after-before)
	}
	s.reload(jwtSite(two))
	s.get("/", sign(two)).expect(t, 200, "-", "*")
	s.get("/", sign(one)).expect(t, 401, bearerInvalid, notAuthenticated)
}

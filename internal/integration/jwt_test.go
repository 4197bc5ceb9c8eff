// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
)

// Challenges of RFC 6750, as a site of the realm api writes them.
const (
	bearerPlain   = `Bearer realm="api"`
	bearerInvalid = bearerPlain + `, error="invalid_token", error_description="The access token is invalid."`
	bearerExpired = bearerPlain + `, error="invalid_token", error_description="The access token has expired."`
	expiredToken  = `{"detail":"Token has expired."}`
)

// bearerError is the challenge of a token that is refused with a description.
func bearerError(description string) string {
	return bearerPlain + `, error="invalid_token", error_description="` + description + `"`
}

func bearerToken(token string) string { return "Authorization: Bearer " + token }

// local lets a site of a test ask a provider on loopback.
const local = "allow_http\nallow_internal loopback\n"

// jwtSite accepts the tokens of a provider for the audience api, and prints whom
// they stand for.
func jwtSite(idp *idptest.Server, lines ...string) string {
	return whoamiSite("authenticate jwt {\nissuer " + idp.Issuer() + "\naudience api\n" + local + strings.Join(lines, "\n") + "\n}")
}

const printUser = `respond "{http.auth.user.id}|{http.auth.user.key}|{http.auth.user.scopes}|{http.auth.user.groups}|{http.auth.user.client}|{http.auth.method}"`

// whoamiSite is a site of those authenticators.
func whoamiSite(lines string) string {
	return "{{site}} {\nrest_auth {\n" + lines + "\n}\n" + printUser + "\n}"
}

// TestJWT is a token of each kind, good and bad, and what the client is told.
func TestJWT(t *testing.T) {
	idp := idptest.New(t)
	s := serve(t, jwtSite(idp))
	good := map[string]any{"sub": "u1", "aud": "api", "jti": "j1", "scope": "read write", "azp": "app"}
	claims := func(changes ...any) map[string]any {
		changed := make(map[string]any)
		for name, value := range good {
			changed[name] = value
		}
		for i := 0; i+1 < len(changes); i += 2 {
			changed[changes[i].(string)] = changes[i+1]
		}
		return changed
	}
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	signed := idp.Sign(good)
	who := "u1|" + idp.Issuer() + "|u1|read,write||app|jwt"
	for _, alg := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "EdDSA"} {
		s.get("/", bearerToken(idp.Sign(good, idptest.Alg(alg)))).expect(t, 200, "-", who)
	}
	for name, line := range map[string]string{
		"another case":         "Authorization: bEARER " + signed,
		"two blanks":           "Authorization: Bearer  " + signed,
		"aud in a list":        bearerToken(idp.Sign(claims("aud", []string{"x", "api"}))),
		"no kid":               bearerToken(idp.Sign(good, idptest.KeyID(""))),
		"no typ":               bearerToken(idp.Sign(good, idptest.Type(""))),
		"at+jwt":               bearerToken(idp.Sign(good, idptest.Type("at+jwt"))),
		"application/at+jwt":   bearerToken(idp.Sign(good, idptest.Type("application/AT+JWT"))),
		"expired in leeway":    bearerToken(idp.Sign(claims("exp", in(-20*time.Second)))),
		"not yet in leeway":    bearerToken(idp.Sign(claims("nbf", in(20*time.Second)))),
		"issued ahead":         bearerToken(idp.Sign(claims("iat", in(20*time.Second)))),
		"exp with decimals":    bearerToken(idp.Sign(claims("exp", float64(in(time.Minute))+0.5))),
		"no iat":               bearerToken(idp.Sign(claims("iat", nil))),
		"x5u and jku, ignored": bearerToken(idp.Sign(good, idptest.Header("jku", "http://127.0.0.1:1/"), idptest.Header("x5u", "http://127.0.0.1:1/"))),
	} {
		t.Run(name, func(t *testing.T) { s.get("/", line).expect(t, 200, "-", who) })
	}
	for name, test := range map[string]struct{ line, challenge, body string }{
		"none":              {"", bearerPlain, notAuthenticated},
		"another scheme":    {basic("u1", "pw"), bearerPlain, notAuthenticated},
		"no token":          {"Authorization: Bearer", bearerPlain + `, error="invalid_request", error_description="Invalid bearer header. No credentials provided."`, detail("Invalid bearer header. No credentials provided.")},
		"two words":         {"Authorization: Bearer a b", bearerPlain + `, error="invalid_request", error_description="Invalid bearer header. Credentials string should not contain spaces."`, detail("Invalid bearer header. Credentials string should not contain spaces.")},
		"opaque":            {bearerToken("abc"), bearerInvalid, notAuthenticated},
		"two segments":      {bearerToken("a.b"), bearerInvalid, notAuthenticated},
		"five segments":     {bearerToken("a.b.c.d.e"), bearerInvalid, notAuthenticated},
		"dots":              {bearerToken(".."), bearerInvalid, invalidToken},
		"three of garbage":  {bearerToken("a.b.c"), bearerInvalid, invalidToken},
		"another issuer":    {bearerToken(idp.Sign(claims("iss", "https://other.example.com"))), bearerInvalid, notAuthenticated},
		"issuer + slash":    {bearerToken(idp.Sign(claims("iss", idp.Issuer()+"/"))), bearerInvalid, notAuthenticated},
		"no issuer":         {bearerToken(idp.Sign(claims("iss", nil))), bearerInvalid, notAuthenticated},
		"issuer a list":     {bearerToken(idp.Sign(claims("iss", []string{idp.Issuer()}))), bearerInvalid, invalidToken},
		"issuer null":       {bearerToken(idp.Sign(claims("iss", map[string]any{}))), bearerInvalid, invalidToken},
		"expired":           {bearerToken(idp.Sign(claims("exp", in(-time.Minute)))), bearerExpired, expiredToken},
		"no exp":            {bearerToken(idp.Sign(claims("exp", nil))), bearerInvalid, invalidToken},
		"exp a text":        {bearerToken(idp.Sign(claims("exp", "9999999999"))), bearerInvalid, invalidToken},
		"exp below zero":    {bearerToken(idp.Sign(claims("exp", -1))), bearerInvalid, invalidToken},
		"exp huge":          {bearerToken(idp.Sign(claims("exp", 1e300))), bearerInvalid, invalidToken},
		"exp in capitals":   {bearerToken(idp.Sign(claims("exp", nil, "EXP", in(time.Hour)))), bearerInvalid, invalidToken},
		"not yet":           {bearerToken(idp.Sign(claims("nbf", in(2*time.Minute)))), bearerError("The access token is not valid yet."), invalidToken},
		"from the future":   {bearerToken(idp.Sign(claims("iat", in(2*time.Minute)))), bearerError("The access token is not valid yet."), invalidToken},
		"another audience":  {bearerToken(idp.Sign(claims("aud", "other"))), bearerError("The access token is for another audience."), invalidToken},
		"audience + slash":  {bearerToken(idp.Sign(claims("aud", "api/"))), bearerError("The access token is for another audience."), invalidToken},
		"no audience":       {bearerToken(idp.Sign(claims("aud", nil))), bearerInvalid, invalidToken},
		"audience empty":    {bearerToken(idp.Sign(claims("aud", []string{}))), bearerError("The access token is for another audience."), invalidToken},
		"audience a number": {bearerToken(idp.Sign(claims("aud", 7))), bearerInvalid, invalidToken},
		"no subject":        {bearerToken(idp.Sign(claims("sub", nil, "azp", nil))), bearerPlain + `, error="invalid_token", error_description="Invalid token."`, invalidToken},
		"subject a list":    {bearerToken(idp.Sign(claims("sub", []string{"u1"}))), bearerPlain + `, error="invalid_token", error_description="Invalid token."`, invalidToken},
		"jti a number":      {bearerToken(idp.Sign(claims("jti", 7))), bearerInvalid, invalidToken},
		"ID token":          {bearerToken(idp.Sign(claims("nonce", "n", "scope", nil))), bearerError("The token is not an access token."), invalidToken},
		"ID token, at_hash": {bearerToken(idp.Sign(claims("at_hash", "h"))), bearerError("The token is not an access token."), invalidToken},
		"refresh token":     {bearerToken(idp.Sign(claims("typ", "Refresh"))), bearerError("The token is not an access token."), invalidToken},
		"logout token":      {bearerToken(idp.Sign(good, idptest.Type("logout+jwt"))), bearerError("The token is not an access token."), invalidToken},
		"DPoP proof":        {bearerToken(idp.Sign(good, idptest.Type("dpop+jwt"))), bearerError("The token is not an access token."), invalidToken},
		"critical":          {bearerToken(idp.Sign(good, idptest.Header("crit", []string{"exp"}))), bearerInvalid, invalidToken},
		"not encoded":       {bearerToken(idp.Sign(good, idptest.Header("b64", false))), bearerInvalid, invalidToken},
		"compressed":        {bearerToken(idp.Sign(good, idptest.Header("zip", "DEF"))), bearerInvalid, invalidToken},
		"nested":            {bearerToken(idp.Sign(good, idptest.Header("cty", "JWT"))), bearerInvalid, invalidToken},
		"DPoP, not bound":   {"Authorization: DPoP " + signed, bearerInvalid, invalidToken},
		"cnf a text":        {bearerToken(idp.Sign(claims("cnf", "x"))), bearerInvalid, invalidToken},
		"bound, unknown":    {bearerToken(idp.Sign(claims("cnf", map[string]any{"kid": "x"}))), bearerInvalid, invalidToken},
		"bound, as Bearer":  {bearerToken(idp.Sign(claims("cnf", map[string]any{"jkt": "x"}))), bearerInvalid, invalidToken},
		"certificate bound": {bearerToken(idp.Sign(claims("cnf", map[string]any{"x5t#S256": "x"}))), bearerInvalid, invalidToken},
		"cut":               {bearerToken(signed[:len(signed)-1]), bearerInvalid, invalidToken},
		"no signature":      {bearerToken(signed[:strings.LastIndexByte(signed, '.')+1]), bearerInvalid, invalidToken},
		"padded":            {bearerToken(signed + "="), bearerInvalid, invalidToken},
	} {
		t.Run(name, func(t *testing.T) {
			var lines []string
			if test.line != "" {
				lines = append(lines, test.line)
			}
			// A second time: what was refused is not remembered as anything else.
			for range 2 {
				s.get("/", lines...).expect(t, 401, test.challenge, test.body)
			}
		})
	}
	if s.get("/", bearerToken(signed)).Status != http.StatusOK {
		t.Error("a good token is refused after all the bad ones")
	}
}

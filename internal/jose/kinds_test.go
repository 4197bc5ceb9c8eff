// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"errors"
	"testing"
)

func TestAccessTokenOnly(t *testing.T) {
	const plain = `{"alg":"RS256","typ":"JWT"}`
	tests := map[string]struct {
		header, payload string
		want            error
	}{
		"RFC 9068":                    {`{"alg":"RS256","typ":"at+jwt"}`, `{"iss":"i","client_id":"c","scope":"a"}`, nil},
		"RFC 9068, long":              {`{"alg":"RS256","typ":"application/AT+jwt"}`, `{}`, nil},
		"RFC 9068, with a nonce":      {`{"alg":"RS256","typ":"at+jwt"}`, `{"nonce":"n"}`, nil},
		"Entra ID v1":                 {`{"alg":"RS256","typ":"JWT","x5t":"x","kid":"x"}`, `{"aud":"api://a","appid":"c","scp":"User.Read","ver":"1.0","idtyp":"user"}`, nil},
		"Entra ID v2":                 {plain, `{"aud":"6e74172b","azp":"c","scp":"access_as_user","ver":"2.0"}`, nil},
		"Entra ID, application":       {plain, `{"aud":"api://a","azp":"c","roles":["Orders.Read"],"idtyp":"app","ver":"2.0"}`, nil},
		"Entra ID, for Graph":         {`{"alg":"RS256","typ":"JWT","nonce":"n"}`, `{"aud":"00000003-0000-0000-c000-000000000000","scp":"User.Read"}`, nil},
		"Keycloak":                    {plain, `{"typ":"Bearer","azp":"web","scope":"profile"}`, nil},
		"Keycloak, before 24":         {plain, `{"typ":"Bearer","nonce":"n","session_state":"s"}`, nil},
		"Keycloak, bound":             {plain, `{"typ":"DPoP","cnf":{"jkt":"x"}}`, nil},
		"Okta":                        {`{"alg":"RS256","kid":"k"}`, `{"ver":1,"jti":"AT.x","cid":"c","uid":"u","scp":["openid"],"auth_time":1}`, nil},
		"Okta, its own":               {`{"alg":"RS256","typ":"application/okta-internal-at+jwt"}`, `{"scp":["openid"]}`, nil},
		"Auth0":                       {plain, `{"aud":["https://api","https://x.auth0.com/userinfo"],"azp":"c","scope":"openid","gty":"password"}`, nil},
		"Cognito":                     {`{"alg":"RS256","kid":"k"}`, `{"token_use":"access","client_id":"c","scope":"a"}`, nil},
		"simplejwt":                   {plain, `{"token_type":"access","jti":"j","user_id":"1"}`, nil},
		"token_type of others":        {plain, `{"token_type":"Bearer"}`, nil},
		"GitHub Actions":              {plain, `{"sub":"repo:a/b:ref:refs/heads/main","repository":"a/b","run_id":"1"}`, nil},
		"Kubernetes":                  {`{"alg":"RS256","kid":"k"}`, `{"sub":"system:serviceaccount:a:b","kubernetes.io":{"namespace":"a"}}`, nil},
		"Google, a service account's": {plain, `{"aud":"https://api.example.com","azp":"1","email":"a@b","email_verified":true}`, nil},
		"scope beside a nonce":        {plain, `{"scope":"a","nonce":"n"}`, nil},
		"a type of nobody":            {`{"alg":"RS256","typ":"my-token"}`, `{}`, nil},
		"a long type of nobody":       {`{"alg":"RS256","typ":"idididididididididididididididididididid"}`, `{}`, nil},
		"an htm of its own":           {plain, `{"htm":"x"}`, nil},

		"Google, a user's ID token":   {plain, `{"aud":"c.apps.googleusercontent.com","azp":"c","at_hash":"h","sub":"1"}`, ErrType},
		"Entra ID, ID token":          {plain, `{"aud":"6e74172b","nonce":"n","ver":"2.0","preferred_username":"a"}`, ErrType},
		"Keycloak, ID token":          {plain, `{"typ":"ID","azp":"web"}`, ErrType},
		"Keycloak, ID token, scopes":  {plain, `{"typ":"ID","scope":"a"}`, ErrType},
		"Keycloak, serialized ID":     {plain, `{"typ":"Serialized-ID"}`, ErrType},
		"Keycloak, refresh token":     {plain, `{"typ":"Refresh","scope":"a"}`, ErrType},
		"Keycloak, offline token":     {plain, `{"typ":"Offline","scope":"a"}`, ErrType},
		"Keycloak, logout token":      {plain, `{"typ":"Logout"}`, ErrType},
		"Okta, ID token":              {`{"alg":"RS256"}`, `{"ver":1,"jti":"ID.x","amr":["pwd"],"idp":"p","at_hash":"h"}`, ErrType},
		"Auth0, ID token":             {plain, `{"aud":"c","sid":"s","nonce":"n"}`, ErrType},
		"Cognito, ID token":           {`{"alg":"RS256"}`, `{"token_use":"id","aud":"c"}`, ErrType},
		"Cognito, something else":     {`{"alg":"RS256"}`, `{"token_use":"other"}`, ErrType},
		"hybrid flow, ID token":       {plain, `{"c_hash":"h"}`, ErrType},
		"FAPI, ID token":              {plain, `{"s_hash":"h"}`, ErrType},
		"ID token with scopes":        {plain, `{"at_hash":"h","scope":"a"}`, ErrType},
		"ID token, typed":             {`{"alg":"RS256","typ":"id_token+jwt"}`, `{}`, ErrType},
		"ID token, typed otherwise":   {`{"alg":"RS256","typ":"ID"}`, `{}`, ErrType},
		"userinfo":                    {`{"alg":"RS256","typ":"userinfo+jwt"}`, `{}`, ErrType},
		"logout token":                {`{"alg":"RS256","typ":"logout+jwt"}`, `{"events":{"http://schemas.openid.net/event/backchannel-logout":{}}}`, ErrType},
		"logout token, old":           {plain, `{"sid":"s","events":{"http://schemas.openid.net/event/backchannel-logout":{}}}`, ErrType},
		"security event":              {`{"alg":"RS256","typ":"secevent+jwt"}`, `{"events":{}}`, ErrType},
		"DPoP proof":                  {`{"alg":"ES256","typ":"dpop+jwt","jwk":{}}`, `{"jti":"j","htm":"GET","htu":"https://api","iat":1}`, ErrType},
		"DPoP proof without typ":      {`{"alg":"ES256"}`, `{"jti":"j","htm":"GET","htu":"https://api","iat":1}`, ErrType},
		"client assertion, typed":     {`{"alg":"RS256","typ":"client-authentication+jwt"}`, `{"iss":"c","sub":"c"}`, ErrType},
		"request object":              {`{"alg":"RS256","typ":"oauth-authz-req+jwt"}`, `{"client_id":"c"}`, ErrType},
		"introspection response":      {`{"alg":"RS256","typ":"token-introspection+jwt"}`, `{"token_introspection":{"active":true}}`, ErrType},
		"grant of another domain":     {`{"alg":"RS256","typ":"oauth-id-jag+jwt"}`, `{"scope":"a"}`, ErrType},
		"simplejwt, refresh token":    {plain, `{"token_type":"refresh","jti":"j"}`, ErrType},
		"simplejwt, sliding token":    {plain, `{"token_type":"sliding","jti":"j"}`, ErrType},
		"refresh_token":               {plain, `{"token_type":"refresh_token"}`, ErrType},
		"REFRESH":                     {plain, `{"typ":"REFRESH"}`, ErrType},
		"at+jwt, and a refresh token": {`{"alg":"RS256","typ":"at+jwt"}`, `{"token_type":"refresh"}`, ErrType},
		"token_use a number":          {plain, `{"token_use":1}`, ErrType},
		"typ null":                    {plain, `{"typ":null}`, ErrType},
		"passport":                    {`{"alg":"ES256","typ":"passport"}`, `{}`, ErrType},
	}
	for name, test := range tests {
		if err := AccessTokenOnly(withClaims(t, test.header, test.payload)); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
	}
}

// TestAccessTokenOnlyNamed has the operator accept a type of the house, which
// does not make other tokens of it.
func TestAccessTokenOnlyNamed(t *testing.T) {
	for payload, want := range map[string]error{`{"nonce":"n"}`: nil, `{"typ":"Refresh"}`: ErrType, `{"events":{}}`: ErrType} {
		token := withClaims(t, `{"alg":"RS256","typ":"orders+jwt"}`, payload)
		if err := AccessTokenOnly(token, "Application/Orders+JWT"); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", payload, err, want)
		}
		if err := AccessTokenOnly(token, "JWT"); !errors.Is(err, ErrType) {
			t.Errorf("%s: not named, got %v", payload, err)
		}
	}
}

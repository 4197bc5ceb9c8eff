// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package idptest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
)

func keysOf(t *testing.T, idp *idptest.Server) jose.JSONWebKeySet {
	t.Helper()
	answer, err := http.Get(idp.JWKSURL())
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(text, &set); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return set
}

// Its tokens are good for another library, until the keys are others.
func TestSign(t *testing.T) {
	idp := idptest.New(t)
	for _, alg := range []jose.SignatureAlgorithm{jose.RS256, jose.RS512, jose.PS256, jose.ES256, jose.EdDSA} {
		text := idp.Sign(map[string]any{"sub": "alice", "exp": nil}, idptest.Alg(string(alg)), idptest.Type("at+jwt"))
		token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{alg})
		if err != nil {
			t.Fatal(alg, err)
		}
		var claims map[string]any
		if err := token.Claims(keysOf(t, idp), &claims); err != nil || claims["sub"] != "alice" || claims["iss"] != idp.URL || claims["exp"] != nil {
			t.Error(alg, claims, err)
		}
		if header := token.Headers[0]; header.ExtraHeaders["typ"] != "at+jwt" {
			t.Error(header)
		}
		idp.Rotate()
		if err := token.Claims(keysOf(t, idp), &claims); err == nil {
			t.Error(alg, "is good after the rotation")
		}
	}
	if metadata, keys := idp.Fetches(); metadata != 0 || keys != 10 {
		t.Error(metadata, keys)
	}
}

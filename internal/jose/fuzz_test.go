// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

// agrees has golang-jwt read a token that Parse accepted: it understands the
// same, whether it reads claims by their exact names or folds their case.
func agrees(t *testing.T, compact string, token *Token) {
	t.Helper()
	// golang-jwt does not know the name of RFC 9864.
	if bytes.Contains(token.HeaderMember("alg"), []byte("Ed25519")) {
		return
	}
	claims := jwt.MapClaims{}
	read, _, err := jwt.NewParser(jwt.WithStrictDecoding()).ParseUnverified(compact, claims)
	if err != nil {
		t.Fatalf("golang-jwt refuses it: %v", err)
	}
	if read.Method.Alg() != token.Alg || !bytes.Equal(read.Signature, token.signature) {
		t.Fatalf("alg %s, golang-jwt has %s", token.Alg, read.Method.Alg())
	}
	if kid, _ := read.Header["kid"].(string); kid != token.KeyID {
		t.Fatalf("kid %q, golang-jwt has %q", token.KeyID, kid)
	}
	if typ, _ := read.Header["typ"].(string); typ != token.Type {
		t.Fatalf("typ %q, golang-jwt has %q", token.Type, typ)
	}
	if len(claims) != len(token.claims) {
		t.Fatalf("%d claims, golang-jwt has %d", len(token.claims), len(claims))
	}
	for name, value := range claims {
		var ours any
		if err := json.Unmarshal(token.Raw(name), &ours); err != nil || !reflect.DeepEqual(ours, value) {
			t.Fatalf("%q is %s, golang-jwt has %v", name, token.Raw(name), value)
		}
	}
	var folded jwt.RegisteredClaims
	_, _, foldedErr := jwt.NewParser().ParseUnverified(compact, &folded)
	for _, name := range []string{"iss", "sub"} {
		ours, _, err := token.String(name)
		theirs := map[string]string{"iss": folded.Issuer, "sub": folded.Subject}[name]
		if err == nil && foldedErr == nil && ours != theirs {
			t.Fatalf("%s is %q, golang-jwt has %q", name, ours, theirs)
		}
	}
	for name, get := range map[string]func() (*jwt.NumericDate, error){
		"exp": claims.GetExpirationTime, "nbf": claims.GetNotBefore, "iat": claims.GetIssuedAt,
	} {
		ours, ok, err := token.Time(name)
		if err != nil || !ok {
			continue
		}
		theirs, err := get()
		switch {
		case err != nil:
			t.Fatalf("%s: golang-jwt refuses it: %v", name, err)
		case theirs == nil && ours.Unix() != 0:
			// It takes 0 for none.
			t.Fatalf("%s is %v, golang-jwt has none", name, ours)
		case theirs != nil && theirs.Sub(ours).Abs() > time.Second:
			t.Fatalf("%s is %v, golang-jwt has %v", name, ours, theirs)
		}
	}
	if ours, err := token.Audience(); err == nil && ours != nil {
		theirs, err := claims.GetAudience()
		if err != nil || strings.Join(ours, "\x00") != strings.Join(theirs, "\x00") {
			t.Fatalf("aud is %q, golang-jwt has %q, %v", ours, theirs, err)
		}
	}
}

// FuzzParse has golang-jwt read what is accepted.
func FuzzParse(f *testing.F) {
	for _, example := range rfcExamples {
		f.Add(example.token)
	}
	for _, payload := range []string{
		`{}`, `{"iss":"i","sub":"s","aud":["a","b"],"exp":1.5e9,"nbf":0,"iat":1e3}`, `{"exp":-1}`, `{"EXP":1}`, `{"exp":1,"\u0065xp":2}`,
		`{"a":"\ud83d\ude00"}`, `{"a":1e400}`, `{"cnf":{"jkt":"x"}}`, `{"aud":null}`, `{"a":"\u0000"}`, `{"iſs":"x"}`, `{"a":{}, "b" : [ ] }`,
	} {
		f.Add(segments(`{"alg":"RS256","kid":"k","typ":"at+jwt"}`, payload))
	}
	for _, header := range []string{`{"alg":"none"}`, `{"alg":"Ed25519"}`, `{"alg":"HS256","crit":[]}`, `{"alg":"ES512","b64":true}`, `{"alg":"PS256","cty":"JWT"}`} {
		f.Add(segments(header, `{}`))
	}
	rules := Rules{Audiences: []string{"a"}, Leeway: time.Minute, MaxLifetime: time.Hour}
	f.Fuzz(func(t *testing.T, compact string) {
		token, err := Parse(compact)
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrAlgorithm) && !errors.Is(err, ErrCritical) {
				t.Fatalf("%v is none of the package's", err)
			}
			return
		}
		agrees(t, compact, token)
		_ = rules.Check(token, time.Unix(1_500_000_000, 0))
		_ = rules.Expires(token)
		_ = AccessTokenOnly(token)
		if err := token.Verify(nil); err == nil {
			t.Fatal("it verifies without a key")
		}
	})
}

// FuzzClaims has any payload under any header, so that the fuzzer need not find
// out about base64, and signs it truly: golang-jwt accepts what we accept.
func FuzzClaims(f *testing.F) {
	_, private, err := ed25519.GenerateKey(bytes.NewReader(make([]byte, 64)))
	if err != nil {
		f.Fatal(err)
	}
	keys := []*keyset.Key{{Type: "OKP", Algorithms: []string{"EdDSA"}, Public: private.Public()}}
	f.Add(`{"alg":"EdDSA"}`, `{"iss":"i","aud":"a","exp":1500000001}`)
	f.Add(`{"alg":"EdDSA","typ":"at+jwt"}`, `{"iss":"i","aud":["a"],"exp":1.5000001e9,"iat":1499999999.5,"nbf":0}`)
	f.Add(`{"alg":"EdDSA","alg":"none"}`, `{"iss":"i","aud":"a","exp":1500000001}`)
	f.Add(`{"alg":"EdDSA"}`, `{"iss":"i","aud":"a","exp":1500000001,"Exp":1}`)
	f.Add(`{"alg":"EdDSA"}`, `{"iss":"i","aud":"a","exp":1500000001,"nbf":null}`)
	rules := Rules{Audiences: []string{"a"}}
	now := time.Unix(1_500_000_000, 0)
	f.Fuzz(func(t *testing.T, header, payload string) {
		enc := base64.RawURLEncoding
		signed := enc.EncodeToString([]byte(header)) + "." + enc.EncodeToString([]byte(payload))
		compact := signed + "." + enc.EncodeToString(ed25519.Sign(private, []byte(signed)))
		token, err := Parse(compact)
		if err != nil {
			return
		}
		agrees(t, compact, token)
		if token.Verify(keys) != nil || rules.Check(token, now) != nil || token.HeaderMember("alg") == nil || token.Alg != "EdDSA" {
			return
		}
		if bytes.Contains(token.HeaderMember("alg"), []byte("Ed25519")) {
			return
		}
		if _, err := jwt.NewParser(jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithAudience("a"), jwt.WithIssuedAt(),
			jwt.WithTimeFunc(func() time.Time { return now }), jwt.WithLeeway(time.Second)).
			ParseWithClaims(compact, jwt.MapClaims{}, func(*jwt.Token) (any, error) { return private.Public(), nil }); err != nil {
			t.Fatalf("golang-jwt refuses it: %v: %s %s", err, header, payload)
		}
	})
}

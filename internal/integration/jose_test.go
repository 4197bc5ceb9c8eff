// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	gojose "github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

// A signer is a key as both sides need it.
type signer struct {
	private jose.SigningKey
	public  *keyset.Key
	jwk     gojose.JSONWebKey
}

// signers has a key for each algorithm.
func signers(t *testing.T) map[string]signer {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	secret := make([]byte, 64)
	_, _ = rand.Read(secret)
	elliptical := func(curve elliptic.Curve) *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	made := make(map[string]signer)
	for typ, keys := range map[string]map[string]any{
		"RSA": {"RS256": rsaKey, "RS384": rsaKey, "RS512": rsaKey, "PS256": rsaKey, "PS384": rsaKey, "PS512": rsaKey},
		"EC":  {"ES256": elliptical(elliptic.P256()), "ES384": elliptical(elliptic.P384()), "ES512": elliptical(elliptic.P521())},
		"OKP": {"EdDSA": edKey, "Ed25519": edKey},
		"oct": {"HS256": secret, "HS384": secret, "HS512": secret},
	} {
		for alg, private := range keys {
			public := private
			switch k := private.(type) {
			case *rsa.PrivateKey:
				public = &k.PublicKey
			case *ecdsa.PrivateKey:
				public = &k.PublicKey
			case ed25519.PrivateKey:
				public = k.Public()
			}
			made[alg] = signer{
				jose.SigningKey{ID: "key-" + alg, Algorithm: alg, Private: private},
				&keyset.Key{ID: "key-" + alg, Type: typ, Algorithms: []string{alg}, Public: public},
				gojose.JSONWebKey{Key: private, KeyID: "key-" + alg},
			}
		}
	}
	return made
}

// TestTokensAgainstJose has npm's jose verify what is signed here, and sign what
// is verified here. Of tokens that something is wrong with, what is accepted
// here is accepted there: nothing that a careful verifier refuses gets in.
func TestTokensAgainstJose(t *testing.T) {
	made := signers(t)
	now := time.Unix(1_800_000_000, 0)
	rules := jose.Rules{Audiences: []string{"https://api.example.com"}}
	accept := func(alg, compact string) error {
		token, err := jose.Parse(compact)
		if err != nil {
			return err
		}
		if issuer, _, err := token.String("iss"); err != nil || issuer != "https://login.example.com" {
			return fmt.Errorf("another issuer: %w", err)
		}
		if err := rules.Check(token, now); err != nil {
			return err
		}
		return token.Verify([]*keyset.Key{made[alg].public})
	}

	type ask struct {
		Alg   string `json:"alg"`
		Token string `json:"token"`
	}
	var asked []ask
	claims := fmt.Sprintf(`{"iss":"https://login.example.com","sub":"alice","aud":"https://api.example.com","exp":%d}`, now.Unix()+60)
	jwks := make(map[string]gojose.JSONWebKey)
	for alg, s := range made {
		jwks[alg] = s.jwk
		token, err := jose.Sign(s.private, jose.Header{Type: "at+jwt"}, []byte(claims))
		if err != nil {
			t.Fatal(err)
		}
		asked = append(asked, ask{alg, token})
	}
	good := len(asked)
	for _, alg := range []string{"ES256", "HS256", "EdDSA", "PS256"} {
		s := made[alg]
		for _, header := range crookedHeaders(alg) {
			asked = append(asked, ask{alg, sealed(t, alg, header, claims, s.private.Private)})
		}
		for _, payload := range crookedPayloads(claims, now.Unix()) {
			asked = append(asked, ask{alg, sealed(t, alg, `{"alg":"`+alg+`"}`, payload, s.private.Private)})
		}
		token := sealed(t, alg, `{"alg":"`+alg+`"}`, claims, s.private.Private)
		for i := 0; i < len(token); i += 3 {
			for _, c := range []byte{'A', '.', '=', '\n', '+', '_'} {
				asked = append(asked, ask{alg, token[:i] + string(c) + token[i+1:]})
			}
			asked = append(asked, ask{alg, token[:i] + token[i+1:]}, ask{alg, token[:i] + "A" + token[i:]})
		}
		for _, other := range asked[:good] {
			// The two names of EdDSA are one here, and two there.
			if made[other.Alg].public.Type != "OKP" || alg != "EdDSA" {
				asked = append(asked, ask{alg, other.Token})
			}
		}
	}
	for i := range asked {
		// What is no UTF-8 cannot be asked in JSON.
		asked[i].Token = strings.ToValidUTF8(asked[i].Token, "?")
	}

	input, err := json.Marshal(map[string]any{"now": now.Unix(), "keys": jwks, "tokens": asked})
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Signed  map[string]string
		Refused []string
	}
	output := peer(t, "jose.js", string(input))
	if err := json.Unmarshal([]byte(output), &answer); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	for alg, token := range answer.Signed {
		if err := accept(alg, token); err != nil {
			t.Errorf("%s signed by jose: %v", alg, err)
		}
	}
	accepted := 0
	for i, a := range asked {
		err := accept(a.Alg, a.Token)
		if err == nil {
			accepted++
		}
		if (err == nil) && answer.Refused[i] != "" {
			t.Errorf("%s is accepted here, and refused by jose, %s: %q", a.Alg, answer.Refused[i], a.Token)
		}
		if i < good && err != nil {
			t.Errorf("%s signed here: %v", a.Alg, err)
		}
	}
	if len(answer.Signed) != len(made) || accepted < good {
		t.Errorf("jose signed %d tokens, and %d are accepted", len(answer.Signed), accepted)
	}
	t.Logf("%d tokens, of which %d are accepted", len(asked), accepted)
}

// sealed is a token of that header and payload, as they are, truly signed.
func sealed(t *testing.T, alg, header, payload string, private any) string {
	t.Helper()
	enc := base64.RawURLEncoding
	signed := enc.EncodeToString([]byte(header)) + "." + enc.EncodeToString([]byte(payload))
	signature, err := jwt.GetSigningMethod(alg).Sign(signed, private)
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + enc.EncodeToString(signature)
}

func crookedHeaders(alg string) []string {
	plain := `{"alg":"` + alg + `"`
	return []string{
		plain + `,"crit":["exp"]}`, plain + `,"crit":[]}`, plain + `,"crit":["b64"],"b64":true}`, plain + `,"b64":true}`, plain + `,"b64":false}`,
		plain + `,"zip":"DEF"}`, plain + `,"typ":"JWT"}`, plain + `,"typ":1}`, plain + `,"kid":1}`, plain + `,"cty":"JWT"}`, plain + `,"jwk":{"kty":"oct","k":"AA"}}`,
		plain + `,"jku":"http://127.0.0.1"}`, plain + `,"alg":"none"}`, plain + `,"Alg":"none"}`, `{"Alg":"` + alg + `"}`, `{"alg":"none"}`, `{"alg":"` + strings.ToLower(alg) + `"}`,
		`{"\u0061lg":"` + alg + `"}`, `{"alg":["` + alg + `"]}`, `{}`, `[]`, `null`, plain, plain + `}x`, plain + `} `, "\ufeff" + plain + `}`, plain + `,"enc":"A256GCM"}`,
		plain + `,"x":"` + "\xff" + `"}`, plain + `,"iss":"https://login.example.com"}`,
	}
}

func crookedPayloads(claims string, now int64) []string {
	open := strings.TrimSuffix(claims, "}")
	with := func(exp string) string {
		return `{"iss":"https://login.example.com","aud":"https://api.example.com","exp":` + exp + `}`
	}
	payloads := []string{
		open + `,"exp":1}`, open + `,"\u0065xp":1}`, open + `,"EXP":1}`, open + `,"nbf":` + fmt.Sprint(now+1) + `}`, open + `,"nbf":` + fmt.Sprint(now) + `}`,
		open + `,"nbf":null}`, open + `,"nbf":"1"}`, open + `,"iat":` + fmt.Sprint(now+100) + `}`, open + `,"iat":"x"}`, open + `,"iat":null}`, open + `,"aud":"x"}`,
		open + `,"n":1e400}`, open + `,"n":` + strings.Repeat("9", 500) + `}`, open + `,"n":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
		open + `,"s":"\ud83d"}`, open + `,"s":"\u0000"}`, open + `,"s":"` + "\xff" + `"}`, open + `,"s":"` + "\x00" + `"}`, open + `,}`, open, claims + claims, claims + "\n", "\ufeff" + claims,
		strings.Replace(claims, `"aud":"https://api.example.com"`, `"aud":[]`, 1), strings.Replace(claims, `"aud":"https://api.example.com"`, `"aud":["x","https://api.example.com"]`, 1),
		strings.Replace(claims, `"aud":"https://api.example.com"`, `"aud":["https://api.example.com",1]`, 1), strings.Replace(claims, `"aud":"https://api.example.com"`, `"aud":{"https://api.example.com":1}`, 1),
		strings.Replace(claims, `"aud"`, `"Aud"`, 1), strings.Replace(claims, `"iss"`, `"ISS"`, 1), strings.Replace(claims, `"iss":"https://login.example.com"`, `"iss":["https://login.example.com"]`, 1),
		`{}`, `[]`, `null`, `""`, `1`, `true`, "", "[" + claims + "]", `"` + strings.ReplaceAll(claims, `"`, `\"`) + `"`,
	}
	for _, exp := range []string{
		fmt.Sprint(now), fmt.Sprint(now + 1), fmt.Sprintf("%d.5", now), fmt.Sprintf("%d.5", now-1), "1.9e9", "1e400", "-1", "null", `"1900000000"`, "true", "[1900000000]", "{}", "253402300799", "9007199254740993", "99999999999999999999",
	} {
		payloads = append(payloads, with(exp))
	}
	return payloads
}

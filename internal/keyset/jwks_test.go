// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package keyset_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

// Keys of RFC 7638 §3.1, RFC 7517 §A.1 and RFC 8037 §A.2.
const (
	rsaKey = `{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`
	ecKey  = `{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"sig","kid":"1"}`
	edKey  = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
)

func TestParseJWKS(t *testing.T) {
	keys, err := keyset.ParseJWKS([]byte(`{"keys":[` + rsaKey + "," + ecKey + "," + edKey + "]}"))
	if err != nil || len(keys) != 3 {
		t.Fatal(keys, err)
	}
	for i, want := range []keyset.Key{
		{ID: "2011-04-29", Type: "RSA", Algorithms: []string{"RS256"}, Thumbprint: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
		{ID: "1", Type: "EC", Algorithms: []string{"ES256"}, Thumbprint: "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s"},
		{ID: "", Type: "OKP", Algorithms: []string{"EdDSA", "Ed25519"}, Thumbprint: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
	} {
		got := *keys[i]
		if got.ID != want.ID || got.Type != want.Type || !slices.Equal(got.Algorithms, want.Algorithms) || got.Thumbprint != want.Thumbprint {
			t.Errorf("%+v", got)
		}
	}
	if keys, err := keyset.ParseJWKS([]byte(ecKey)); err != nil || len(keys) != 1 {
		t.Error("a key alone:", keys, err)
	}
}

// change returns a key with other members; null removes one.
func change(t *testing.T, key, members string) string {
	t.Helper()
	var all, changed map[string]any
	if err := json.Unmarshal([]byte(key), &all); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(members), &changed); err != nil {
		t.Fatal(members, err)
	}
	maps.Copy(all, changed)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func b64(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }

func TestKeysThatAreLeftOut(t *testing.T) {
	bits := func(n uint) string { // an odd number of that many bits
		return b64(new(big.Int).SetBit(big.NewInt(1), int(n)-1, 1))
	}
	for _, row := range []struct{ key, members string }{
		{rsaKey, `{"kty":null}`},
		{rsaKey, `{"kty":"rsa"}`},
		{rsaKey, `{"kty":"DSA"}`},
		{rsaKey, `{"kty":7}`},
		{rsaKey, `{"use":"enc"}`},
		{rsaKey, `{"use":7}`},
		{rsaKey, `{"key_ops":["encrypt"]}`},
		{rsaKey, `{"key_ops":"verify"}`},
		{rsaKey, `{"kid":7}`},
		{rsaKey, `{"kid":"` + strings.Repeat("x", 1025) + `"}`},
		{rsaKey, `{"alg":"RSA-OAEP"}`},
		{rsaKey, `{"alg":"HS256"}`},
		{rsaKey, `{"alg":"none"}`},
		{rsaKey, `{"alg":"ES256"}`},
		{rsaKey, `{"n":null}`},
		{rsaKey, `{"n":""}`},
		{rsaKey, `{"n":7}`},
		{rsaKey, `{"n":"not base64"}`},
		{rsaKey, `{"n":"` + bits(2047) + `"}`},
		{rsaKey, `{"n":"` + bits(1024) + `"}`},
		{rsaKey, `{"n":"` + bits(8193) + `"}`},
		{rsaKey, `{"n":"` + b64(new(big.Int).Lsh(big.NewInt(1), 2048)) + `"}`},
		{rsaKey, `{"e":null}`},
		{rsaKey, `{"e":"AA"}`},
		{rsaKey, `{"e":"AQ"}`},
		{rsaKey, `{"e":"Ag"}`},
		{rsaKey, `{"e":"AQAA"}`},
		{rsaKey, `{"e":"` + bits(33) + `"}`},
		{rsaKey, `{"e":"` + bits(65) + `"}`},
		{ecKey, `{"crv":"P-224"}`},
		{ecKey, `{"crv":"secp256k1"}`},
		{ecKey, `{"crv":"P-384"}`},
		{ecKey, `{"crv":null}`},
		{ecKey, `{"x":null}`},
		{ecKey, `{"y":null}`},
		{ecKey, `{"x":"AA"}`},
		{ecKey, `{"y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyQ"}`}, // beside the curve
		{ecKey, `{"x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`},
		{ecKey, `{"alg":"ES384"}`},
		{edKey, `{"crv":"X25519"}`},
		{edKey, `{"crv":"Ed448"}`},
		{edKey, `{"x":"AA"}`},
		{edKey, `{"x":null}`},
		{edKey, `{"alg":"ES256"}`},
		{edKey, `{"kty":"oct","k":"a1o4di1RZTNfWHI3YlRuNUx3WWMxR2hKOWRNZjJQc0E"}`}, // a secret, published
	} {
		bad := change(t, row.key, row.members)
		if keys, err := keyset.ParseJWKS([]byte(`{"keys":[` + bad + "]}")); err == nil {
			t.Errorf("%s is a key: %+v", row.members, keys[0])
		}
		// The others stand.
		other := change(t, edKey, `{"kid":"other"}`)
		keys, err := keyset.ParseJWKS([]byte(`{"keys":[` + bad + "," + other + "]}"))
		if err != nil || len(keys) != 1 || keys[0].ID != "other" {
			t.Error(row.members, keys, err)
		}
	}
}

func TestKeysThatAreNotLeftOut(t *testing.T) {
	for _, row := range []struct {
		key, members string
		algorithms   []string
	}{
		{rsaKey, `{"alg":null}`, []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}},
		{rsaKey, `{"alg":"PS512"}`, []string{"PS512"}},
		{rsaKey, `{"use":null,"key_ops":["verify"]}`, []string{"RS256"}},
		{rsaKey, `{"x5c":["hello"],"x5t":"not base64","x5u":"http://127.0.0.1/","unknown":{"a":[1]}}`, []string{"RS256"}},
		{rsaKey, `{"d":"AAAA","p":"AAAA"}`, []string{"RS256"}}, // and the log is told
		{ecKey, `{"alg":"ES256"}`, []string{"ES256"}},
		{edKey, `{"alg":"EdDSA"}`, []string{"EdDSA", "Ed25519"}},
		{edKey, `{"alg":"Ed25519"}`, []string{"EdDSA", "Ed25519"}},
		{edKey, `{"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo="}`, []string{"EdDSA", "Ed25519"}},
	} {
		keys, err := keyset.ParseJWKS([]byte(`{"keys":[` + change(t, row.key, row.members) + "]}"))
		if err != nil || len(keys) != 1 || !slices.Equal(keys[0].Algorithms, row.algorithms) {
			t.Error(row.members, keys, err)
		}
	}
	keys, err := keyset.ParseJWKS([]byte(change(t, rsaKey, `{"issuer":"https://login.example/{tenantid}/v2.0"}`)))
	if err != nil || keys[0].Issuer != "https://login.example/{tenantid}/v2.0" {
		t.Error(keys, err)
	}
}

func TestOtherCurves(t *testing.T) {
	for alg, curve := range map[string]elliptic.Curve{"ES384": elliptic.P384(), "ES512": elliptic.P521()} {
		private, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		point, _ := private.PublicKey.Bytes()
		half := (len(point) - 1) / 2
		text := fmt.Sprintf(`{"kty":"EC","crv":%q,"x":%q,"y":%q}`, curve.Params().Name,
			base64.RawURLEncoding.EncodeToString(point[1:1+half]), base64.RawURLEncoding.EncodeToString(point[1+half:]))
		if keys, err := keyset.ParseJWKS([]byte(text)); err != nil || !slices.Equal(keys[0].Algorithms, []string{alg}) {
			t.Error(alg, err)
		}
	}
}

func TestSetsThatAreNone(t *testing.T) {
	for _, text := range []string{
		"", "null", "[]", "{}", "7", `"keys"`, `{"keys":null}`, `{"keys":{}}`, `{"keys":[]}`, `{"keys":[null]}`, `{"keys":[7]}`,
		`{"keys":"x"}`, `{"KEYS":[` + edKey + "]}", `{"keys":[` + edKey, `{"keys":[` + edKey + "]}x", "<!doctype html>", "\xff",
		`{"keys":[` + strings.Repeat(edKey+",", 100) + edKey + "]}",
		`{"keys":[{"KTY":"OKP","CRV":"Ed25519","X":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		strings.Repeat("[", 100000),
	} {
		if keys, err := keyset.ParseJWKS([]byte(text)); err == nil {
			t.Errorf("%.100q is a set: %+v", text, keys)
		}
	}
}

// A key that is there twice is one, of both algorithms.
func TestTheSameKeyTwice(t *testing.T) {
	keys, err := keyset.ParseJWKS([]byte(`{"keys":[` + rsaKey + "," + change(t, rsaKey, `{"alg":"PS256"}`) + "," + rsaKey + "]}"))
	if err != nil || len(keys) != 1 || !slices.Equal(keys[0].Algorithms, []string{"PS256", "RS256"}) {
		t.Error(keys, err)
	}
	if keys, err = keyset.ParseJWKS([]byte(`{"keys":[` + rsaKey + "," + change(t, rsaKey, `{"kid":"other"}`) + "]}")); err != nil || len(keys) != 2 {
		t.Error(keys, err)
	}
}

func FuzzParseJWKS(f *testing.F) {
	for _, key := range []string{rsaKey, ecKey, edKey, `{"kty":"oct","k":"AAAA"}`} {
		f.Add([]byte(`{"keys":[` + key + "]}"))
		f.Add([]byte(key))
	}
	f.Add([]byte(`{"keys":[` + rsaKey + "," + ecKey + `,{"kty":"RSA","n":"AQAB","e":"AA"},null]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := keyset.ParseJWKS(text)
		if (err == nil) != (len(keys) > 0) {
			t.Error(keys, err)
		}
		for _, key := range keys {
			if len(key.Algorithms) == 0 || key.Thumbprint == "" || key.Type == "oct" {
				t.Errorf("%+v", key)
			}
			if public, ok := key.Public.(*rsa.PublicKey); ok && (public.N.BitLen() < 2048 || public.N.BitLen() > 8192) {
				t.Error(public.N.BitLen())
			}
		}
	})
}

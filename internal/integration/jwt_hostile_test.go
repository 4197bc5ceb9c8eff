// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
)

func segment(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// TestJWT_hostile sends what attackers send. Each is refused as a bad token, in
// little time, and nothing that a token names is asked.
func TestJWT_hostile(t *testing.T) {
	key := rsaKey(t)
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	bait := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer bait.Close()

	idp := idptest.New(t)
	idp.AddKey("confused", key, nil)
	// So that even these reach the handler.
	s := serve(t, "{\n{{global}}\nservers {\nmax_header_size 4MB\n}\nrest_auth {\n{{store}}\n}\n}\n"+jwtSite(idp))
	claims := map[string]any{"sub": "u", "aud": "api"}
	good := idp.Sign(claims, idptest.KeyID("confused"), idptest.Key(key))
	s.get("/", bearerToken(good)).expect(t, 200, "-", "*")
	payload := strings.Split(good, ".")[1]
	signature := strings.Split(good, ".")[2]

	bad := make(map[string]string)
	for _, none := range []string{"none", "None", "NONE", "nOnE", "", "null"} {
		for _, end := range []string{"", signature} {
			bad["alg "+none+", "+end] = segment(`{"alg":"`+none+`","kid":"confused"}`) + "." + payload + "." + end
		}
	}
	for name, secret := range publicKeyForms(&key.PublicKey, der) {
		for _, alg := range []string{"HS256", "HS384", "HS512"} {
			bad[alg+" by the "+name] = idp.Sign(claims, idptest.Alg(alg), idptest.Key(secret), idptest.KeyID("confused"))
			bad[alg+" by the "+name+", no kid"] = idp.Sign(claims, idptest.Alg(alg), idptest.Key(secret), idptest.KeyID(""))
		}
	}
	other := rsaKey(t)
	for _, header := range []string{"jku", "x5u", "jwk", "x5c"} {
		value := any(bait.URL + "/keys")
		switch header {
		case "jwk":
			value = map[string]any{"kty": "RSA", "n": base64.RawURLEncoding.EncodeToString(other.N.Bytes()), "e": "AQAB"}
		case "x5c":
			value = []string{base64.StdEncoding.EncodeToString(der)}
		}
		bad[header] = idp.Sign(claims, idptest.Key(other), idptest.KeyID("confused"), idptest.Header(header, value))
		bad[header+" as the kid"] = idp.Sign(claims, idptest.Key(other), idptest.KeyID(bait.URL+"/keys"), idptest.Header(header, value))
	}
	header := segment(`{"alg":"RS256","kid":"confused"}`)
	issuer := `"iss":"` + idp.Issuer() + `"`
	bad["sub twice"] = header + "." + segment(`{`+issuer+`,"sub":"u","sub":"root"}`) + "." + signature
	bad["iss twice"] = header + "." + segment(`{"iss":"x",`+issuer+`}`) + "." + signature
	bad["escaped twice"] = header + "." + segment(`{`+issuer+`,"sub":"u","s\u0075b":"root"}`) + "." + signature
	bad["Sub"] = header + "." + segment(`{`+issuer+`,"Sub":"u"}`) + "." + signature
	bad["depth"] = header + "." + segment(`{`+issuer+`,"a":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+`}`) + "." + signature
	bad["members"] = header + "." + segment(`{`+issuer+strings.Repeat(`,"":1`, 1000)+`}`) + "." + signature
	bad["number"] = header + "." + segment(`{`+issuer+`,"exp":1e999999999}`) + "." + signature
	bad["digits"] = header + "." + segment(`{`+issuer+`,"exp":`+strings.Repeat("9", 4000)+`}`) + "." + signature
	bad["not UTF-8"] = header + "." + segment("{"+issuer+",\"sub\":\"\xff\"}") + "." + signature
	bad["NUL"] = header + "." + segment(`{`+issuer+`,"sub":"a\u0000"}`) + "." + signature
	bad["surrogate"] = header + "." + segment(`{`+issuer+`,"sub":"\ud800"}`) + "." + signature
	bad["payload a list"] = header + "." + segment(`[]`) + "." + signature
	bad["header a list"] = segment(`[]`) + "." + payload + "." + signature
	bad["trailing bits"] = good[:len(good)-1] + string(nextBase64(good[len(good)-1]))
	bad["standard base64"] = strings.NewReplacer("-", "+", "_", "/").Replace(good) + "+/"
	bad["JWE"] = segment(`{"alg":"RSA-OAEP","enc":"A256GCM"}`) + ".a.b.c.d"
	bad["JWE in three"] = segment(`{"alg":"RS256","enc":"A256GCM"}`) + "." + payload + "." + signature
	bad["dots"] = strings.Repeat(".", 100_000)
	bad["a megabyte"] = strings.Repeat("a", 900_000)
	bad["a megabyte of segments"] = header + "." + strings.Repeat("a", 900_000) + ".c"

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	for name, token := range bad {
		got := s.get("/", bearerToken(token))
		if got.Status != http.StatusUnauthorized || got.Header.Get("WWW-Authenticate") != bearerInvalid {
			t.Errorf("%s: %d %q, %q", name, got.Status, got.Body, got.Header.Get("WWW-Authenticate"))
		}
	}
	runtime.ReadMemStats(&after)
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("%d bad tokens took %v", len(bad), took)
	}
	if grown := int64(after.HeapInuse) - int64(before.HeapInuse); grown > 64<<20 {
		t.Errorf("%d bad tokens left %d bytes", len(bad), grown)
	}
	if asked.Load() != 0 {
		t.Errorf("%d requests to what tokens name", asked.Load())
	}
	s.get("/", bearerToken(good)).expect(t, 200, "-", "*")
	if logged := s.logs.text(); strings.Contains(logged, signature) || strings.Contains(logged, payload) {
		t.Error("a token is in the log")
	}
}

// publicKeyForms returns what an attacker could take for the secret of HS256,
// all of which is known to everybody.
func publicKeyForms(key *rsa.PublicKey, der []byte) map[string][]byte {
	pkcs1 := x509.MarshalPKCS1PublicKey(key)
	pkix := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	modulus := base64.RawURLEncoding.EncodeToString(key.N.Bytes())
	return map[string][]byte{
		"PEM":                pkix,
		"PEM without an end": []byte(strings.TrimSpace(string(pkix))),
		"PEM of PKCS #1":     pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1}),
		"DER":                der,
		"DER of PKCS #1":     pkcs1,
		"base64 of the DER":  []byte(base64.StdEncoding.EncodeToString(der)),
		"JWK":                fmt.Appendf(nil, `{"e":"AQAB","kty":"RSA","n":"%s"}`, modulus),
		"modulus":            key.N.Bytes(),
		"modulus, encoded":   []byte(modulus),
		"key ID":             []byte("confused"),
		"empty secret":       {},
	}
}

// nextBase64 returns a character that differs in the last bits alone.
func nextBase64(c byte) byte {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return alphabet[strings.IndexByte(alphabet, c)^1]
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package entratest

import (
	"crypto"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"time"
)

// Claims of a token. A nil value removes the claim.
type Claims map[string]any

// With returns the claims with others added, replaced and removed.
func (c Claims) With(others Claims) Claims {
	all := maps.Clone(c)
	for name, value := range others {
		if value == nil {
			delete(all, name)
		} else {
			all[name] = value
		}
	}
	return all
}

// Lifetime is that of each token.
const Lifetime = 75 * time.Minute

func (s *Server) dated(version, tenant string) Claims {
	now := time.Now().Unix()
	claims := Claims{
		"iat": now - 300, "nbf": now - 300, "exp": now + int64(Lifetime/time.Second),
		"tid": tenant, "ver": version, "uti": "Mf0Nx5ZTZUqYqAAAAAAAAA", "rh": "0.AXEA.", "aio": "ATQAy/8TAAAA",
	}
	if version == "1.0" {
		claims["iss"] = s.sts() + "/" + tenant + "/"
	} else {
		claims["iss"] = s.URL + "/" + tenant + "/v2.0"
	}
	return claims
}

// User returns the claims of a token by which a person's app calls Orders.
func (s *Server) User(version, tenant, object, upn string) Claims {
	claims := s.dated(version, tenant).With(Claims{
		"oid": object, "sub": "sub-" + object[:8], "name": "Someone", "scp": "orders.read orders.write",
	})
	if version == "1.0" {
		return claims.With(Claims{
			"aud": OrdersURI, "appid": Mobile, "appidacr": "0", "acr": "1", "amr": []string{"pwd"}, "upn": upn, "unique_name": upn,
			"family_name": "Liddell", "given_name": "Alice", "ipaddr": "192.0.2.1",
		})
	}
	return claims.With(Claims{"aud": Orders, "azp": Mobile, "azpacr": "0", "preferred_username": upn})
}

// App returns the claims of a token by which Daemon calls Orders for itself.
func (s *Server) App(version, tenant string, roles ...string) Claims {
	claims := s.dated(version, tenant).With(Claims{"oid": Robot, "sub": Robot, "idp": s.sts() + "/" + tenant + "/"})
	if len(roles) > 0 {
		claims["roles"] = roles
	}
	if version == "1.0" {
		return claims.With(Claims{"aud": OrdersURI, "appid": Daemon, "appidacr": "1"})
	}
	return claims.With(Claims{"aud": Orders, "azp": Daemon, "azpacr": "1"})
}

// Sign returns a token as the server signs it.
func (s *Server) Sign(claims Claims) string {
	return s.SignWith(map[string]any{"typ": "JWT", "alg": "RS256", "kid": Shared, "x5t": keyNamed(Shared).x5t}, Shared, claims)
}

// SignWith returns a token with a header of the test's choice, signed by one of
// the keys. The algorithm none has no signature, and HS256 that of a secret which
// is the key's certificate, as a confused program would take it.
func (s *Server) SignWith(header map[string]any, keyID string, claims Claims) string {
	text := encode(header) + "." + encode(claims)
	var signature []byte
	switch header["alg"] {
	case "RS256":
		signature = keyNamed(keyID).sign(crypto.SHA256, text)
	case "RS384":
		signature = keyNamed(keyID).sign(crypto.SHA384, text)
	case "RS512":
		signature = keyNamed(keyID).sign(crypto.SHA512, text)
	case "HS256":
		mac := hmac.New(sha256.New, []byte(keyNamed(keyID).x5c))
		mac.Write([]byte(text))
		signature = mac.Sum(nil)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func encode(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(encoded)
}

// read returns the claims of a token that the server signed.
func read(token string) (Claims, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims Claims
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return nil, false
	}
	want := keyNamed(Shared).sign(crypto.SHA256, parts[0]+"."+parts[1])
	return claims, base64.RawURLEncoding.EncodeToString(want) == parts[2]
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestIntrospection_oidcProvider has npm's oidc-provider say what its tokens are
// worth, to each way in which a site can say who asks.
func TestIntrospection_oidcProvider(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	coordinate := base64.RawURLEncoding.EncodeToString
	jwk := fmt.Sprintf(`{"kty":"EC","crv":"P-256","kid":"edge","alg":"ES256","use":"sig","x":%q,"y":%q}`, coordinate(public[1:33]), coordinate(public[33:]))
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	keyFile := filepath.Join(t.TempDir(), "edge.pem")
	if err := os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600); err != nil {
		t.Fatal(err)
	}
	provider := startTokenClient(t, "introspect-provider.js", "https://api.example.com", jwk)
	t.Setenv("INTROSPECTION_SECRET", "a secret: of a client/that is + long & enough")

	site := func(path string, lines ...string) string {
		return "handle " + path + " {\nrest_auth {\nauthenticate introspection {\nissuer " + provider.issuer + "\naudience https://api.example.com\n" + local +
			strings.Join(lines, "\n") + "\n}\nrequire client daemon\nrequire scope orders.read\n}\n" + printUser + "\n}\n"
	}
	const secret = "client_secret {env.INTROSPECTION_SECRET}"
	s := serve(t, "{{site}} {\n"+
		site("/basic", "client_id rs-basic", secret, "cache_ttl 0")+
		site("/post", "client_id rs-post", secret, "client_auth post")+
		site("/key", "client_id rs-key", "client_key_file "+keyFile, "client_key_id edge")+
		site("/wrong", "client_id rs-basic", "client_secret wrong")+"}")

	token := provider.token(map[string]any{"do": "issue", "scope": "orders.read"})
	who := "|" + provider.issuer + "|daemon|orders.read||daemon|introspection"
	for _, path := range []string{"/basic", "/post", "/key"} {
		s.get(path, bearerToken(token)).expect(t, 200, "-", who)
	}
	s.get("/wrong", bearerToken(token)).expect(t, 503, "-", "*")
	s.get("/key", bearerToken("unknown")).expect(t, 401, bearerInvalid, invalidToken)
	narrow := provider.token(map[string]any{"do": "issue", "scope": "orders.write"})
	s.get("/key", bearerToken(narrow)).expect(t, 403, bearerPlain+`, error="insufficient_scope", `+
		`error_description="The request requires higher privileges than provided by the access token.", scope="orders.read"`, deniedBody)

	// A token that is bound to a key is worth nothing without a proof of it.
	bound := provider.token(map[string]any{"do": "issue", "scope": "orders.read", "dpop": true})
	s.get("/key", bearerToken(bound)).expect(t, 401, bearerInvalid, invalidToken)
	if got := provider.do(map[string]any{"do": "call", "url": s.URL + "/key", "token": bound}); got["status"] != 200.0 || got["body"] != who {
		t.Errorf("with a proof: %v", got)
	}

	provider.do(map[string]any{"do": "revoke", "token": token})
	s.get("/basic", bearerToken(token)).expect(t, 401, bearerInvalid, invalidToken)
}

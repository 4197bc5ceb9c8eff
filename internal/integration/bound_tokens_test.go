// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gojose "github.com/go-jose/go-jose/v4"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
)

// TestBoundTokens_certificate holds that a token which an issuer bound to a
// client certificate (RFC 8705) is good over connections with this one alone, on
// each request of them, remembered or not.
func TestBoundTokens_certificate(t *testing.T) {
	provider := idptest.New(t)
	dir, mine, others := t.TempDir(), t.TempDir(), t.TempDir()
	for _, at := range []string{dir, mine, others} {
		certificate(t, at)
	}
	s := serve(t, `{
	{{global}}
	rest_auth {
		{{store}}
	}
}
https://localhost:{{port}} {
	tls `+filepath.Join(dir, "cert.pem")+" "+filepath.Join(dir, "key.pem")+` {
		client_auth {
			mode request
		}
	}
	rest_auth {
		authenticate jwt {
			issuer `+provider.Issuer()+`
			audience api
			allow_http
			allow_internal loopback
		}
		header_up Remote-User {http.auth.user.id}
	}
	reverse_proxy {{echo}}
}`)
	holder, thumbprint := clientWith(t, mine)
	thief, _ := clientWith(t, others)
	nobody := client(t)
	nobody.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	bound := provider.Sign(map[string]any{"sub": "alice", "aud": "api", "cnf": map[string]any{"x5t#S256": thumbprint}})
	free := provider.Sign(map[string]any{"sub": "alice", "aud": "api"})

	// Each twice: the second time the token is remembered.
	for _, test := range []struct {
		name   string
		client *http.Client
		token  string
		want   int
	}{
		{"without the certificate", nobody, bound, 401},
		{"with it", holder, bound, 200},
		{"with it again", holder, bound, 200},
		{"without it, remembered", nobody, bound, 401},
		{"with another one", thief, bound, 401},
		{"another one's own token", thief, free, 200},
		{"not bound", nobody, free, 200},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://localhost:"+s.vars["{{port}}"]+"/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+test.token)
		response, err := test.client.Do(r)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != test.want {
			t.Errorf("%s: %d %s, want %d", test.name, response.StatusCode, body, test.want)
		}
		if challenge := response.Header.Get("WWW-Authenticate"); test.want == 401 && !strings.Contains(challenge, `error="invalid_token"`) {
			t.Errorf("%s: %s", test.name, challenge)
		}
	}
}

// TestBoundTokens_proof holds that a token which an issuer bound to a key of DPoP
// (RFC 9449) is good with a proof for the request as the client wrote it, through
// all handlers that the request meets, and that the proof is good once.
func TestBoundTokens_proof(t *testing.T) {
	idp := idptest.New(t)
	jwt := `authenticate jwt {
		issuer ` + idp.Issuer() + `
		audience api
		allow_http
		allow_internal loopback
	}`
	s := serve(t, `{{site}} {
	route {
		rest_auth {
			`+jwt+`
		}
		rewrite /admin/* /secret
		method /admin/* GET
		rest_auth {
			`+jwt+`
			require group admins
		}
		respond 200
	}
	handle_errors 403 {
		rest_auth {
			`+jwt+`
		}
		respond "none of the admins" 418
	}
}`)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public := gojose.JSONWebKey{Key: key.Public()}
	thumbprint, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	token := idp.Sign(map[string]any{
		"sub": "alice", "aud": "api", "cnf": map[string]any{"jkt": base64.RawURLEncoding.EncodeToString(thumbprint)},
	})
	hash := sha256.Sum256([]byte(token))
	prove := func(method, path string) string {
		payload := fmt.Sprintf(`{"htm":%q,"htu":%q,"iat":%d,"jti":%q,"ath":%q}`,
			method, s.URL+path, time.Now().Unix(), rand.Text(), base64.RawURLEncoding.EncodeToString(hash[:]))
		proof, err := jose.Sign(jose.SigningKey{Algorithm: "ES256", Private: key},
			jose.Header{Type: "dpop+jwt", Extra: map[string]any{"jwk": public}}, []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		return "DPoP: " + proof
	}
	const bad = `DPoP realm="api", error="invalid_dpop_proof", error_description="Invalid DPoP proof."`
	proof := prove("POST", "/admin/x")
	for _, test := range []struct {
		name, method, path, proof string
		want                      int
	}{
		// The handler of the error is the third that sees the proof.
		{"rewritten on the way", "POST", "/admin/x?page=2", proof, 418},
		{"again", "POST", "/admin/x", proof, 401},
		{"another method", "GET", "/admin/x", prove("POST", "/admin/x"), 401},
		{"what it is rewritten to", "POST", "/admin/x", prove("GET", "/secret"), 401},
		{"no proof", "POST", "/admin/x", "X: y", 401},
	} {
		got := s.send(test.method, s.URL+test.path, nil, "Authorization: DPoP "+token, test.proof)
		if challenge := got.Header.Get("WWW-Authenticate"); got.Status != test.want || test.want == 401 && !strings.HasPrefix(challenge, bad) {
			t.Errorf("%s: %d %s %s, want %d", test.name, got.Status, got.Body, challenge, test.want)
		}
	}
	// An operator is told which of them it was, and spends nothing.
	unused := prove("POST", "/admin/x")
	for name, test := range map[string]struct{ line, outcome, reason string }{
		"used":    {proof, "bad credentials", "the proof was used before"},
		"unused":  {unused, "identity", ""},
		"another": {prove("GET", "/admin/x"), "bad credentials", "the proof is for another method"},
		"none":    {"X: y", "bad credentials", "the header DPoP is missing, or stands there twice"},
	} {
		x := s.explain("POST", "/admin/x", "Authorization: DPoP "+token, test.line)
		if len(x.Judged) == 0 || x.Judged[0].Authenticators[0].Outcome != test.outcome || x.Judged[0].Authenticators[0].Reason != test.reason {
			t.Errorf("a question about a proof that is %s: %+v", name, x.Judged)
		}
	}
	if got := s.send("POST", s.URL+"/admin/x", nil, "Authorization: DPoP "+token, unused); got.Status != 418 {
		t.Errorf("a proof that was asked about: %d %s", got.Status, got.Body)
	}
	got := s.send("POST", s.URL+"/admin/x", nil, "Authorization: Bearer "+token, prove("POST", "/admin/x"))
	got.expect(t, 401, `Bearer realm="api", error="invalid_token", error_description="The access token is invalid."`, "*")
}

// clientWith returns a client that has the certificate in dir, and its thumbprint.
func clientWith(t *testing.T, dir string) (*http.Client, string) {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	c := client(t)
	c.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{pair}}}
	t.Cleanup(c.CloseIdleConnections)
	sum := sha256.Sum256(pair.Certificate[0])
	return c, base64.RawURLEncoding.EncodeToString(sum[:])
}

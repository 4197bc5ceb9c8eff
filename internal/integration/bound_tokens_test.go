// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
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

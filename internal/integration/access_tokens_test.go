// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bufio"
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// tokenClient is npm's oidc-provider, which issues JWTs for https://api.example.com,
// with npm's openid-client, which gets them and calls APIs.
type tokenClient struct {
	t      *testing.T
	issuer string
	mu     sync.Mutex
	in     io.Writer
	out    *bufio.Scanner
}

func newTokenClient(t *testing.T) *tokenClient {
	t.Helper()
	return startTokenClient(t, "access-tokens.js", "https://api.example.com")
}

// startTokenClient starts one of the programs in peers that answer by lines of JSON.
func startTokenClient(t *testing.T, args ...string) *tokenClient {
	t.Helper()
	node, dir := nodePeers(t)
	cmd := exec.CommandContext(t.Context(), node, args...)
	cmd.Dir = dir
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	c := &tokenClient{t: t, in: in, out: bufio.NewScanner(out)}
	c.out.Buffer(nil, 1<<20)
	c.issuer = c.answer()["issuer"].(string)
	return c
}

// answer reads the next line of JSON, and passes over what the provider prints.
func (c *tokenClient) answer() map[string]any {
	c.t.Helper()
	for c.out.Scan() {
		var answer map[string]any
		if json.Unmarshal(c.out.Bytes(), &answer) == nil {
			return answer
		}
	}
	c.t.Fatalf("the peer ended: %v", c.out.Err())
	return nil
}

func (c *tokenClient) do(command map[string]any) map[string]any {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	line, err := json.Marshal(command)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.in.Write(append(line, '\n')); err != nil {
		c.t.Fatal(err)
	}
	answer := c.answer()
	if problem, ok := answer["problem"]; ok {
		c.t.Fatalf("%s: %v", line, problem)
	}
	return answer
}

func (c *tokenClient) token(command map[string]any) string {
	c.t.Helper()
	return c.do(command)["access_token"].(string)
}

// serveIssuer guards the echo by the tokens of an issuer on loopback.
func serveIssuer(t *testing.T, issuer string) *server {
	t.Helper()
	return serve(t, `{
	{{global}}
}
{{site}} {
	rest_auth {
		authenticate jwt {
			issuer `+issuer+`
			audience https://api.example.com
			allow_http
			allow_internal loopback
			user_prefix off
		}
		require any {
			all {
				read_only
				scope orders.read
			}
			scope orders.write
		}
		header_up Remote-User {http.auth.user.id}
		header_up Remote-Client {http.auth.user.client}
		header_up Remote-Scopes {http.auth.user.scopes}
	}
	reverse_proxy {{echo}}
}`)
}

// TestAccessTokens_client has a client of others get tokens from a provider of
// others, and be understood.
func TestAccessTokens_client(t *testing.T) {
	peer := newTokenClient(t)
	s := serveIssuer(t, peer.issuer)
	call := func(method, token string, dpop bool) map[string]any {
		return peer.do(map[string]any{"do": "call", "url": s.URL + "/orders?page=1", "method": method, "token": token, "dpop": dpop})
	}

	daemon := peer.token(map[string]any{"do": "client_credentials", "client": "daemon", "scope": "orders.read"})
	got := call("GET", daemon, false)
	if got["status"] != 200.0 || !strings.Contains(got["body"].(string), "daemon") {
		t.Errorf("a daemon: %v", got)
	}
	// The client reads the challenge of RFC 6750.
	got = call("POST", daemon, false)
	if got["status"] != 403.0 || !strings.Contains(marshal(got), `"error":"insufficient_scope"`) || !strings.Contains(marshal(got), `"scope":"orders.write"`) {
		t.Errorf("a daemon that may only read, writing: %v", got)
	}
	got = call("GET", daemon[:len(daemon)-6]+"AAAAAA", false)
	if got["status"] != 401.0 || !strings.Contains(marshal(got), `"error":"invalid_token"`) {
		t.Errorf("a bad signature: %v", got)
	}

	answer := peer.do(map[string]any{"do": "code", "account": "alice", "scope": "openid orders.write"})
	got = call("POST", answer["access_token"].(string), false)
	if got["status"] != 200.0 || !strings.Contains(got["body"].(string), "alice") {
		t.Errorf("alice, who logged in: %v", got)
	}
	got = call("POST", answer["id_token"].(string), false)
	if got["status"] != 401.0 {
		t.Errorf("her ID token: %v", got)
	}

	holder := peer.token(map[string]any{"do": "client_credentials", "client": "holder", "scope": "orders.read"})
	for range 2 {
		if got = call("GET", holder, true); got["status"] != 200.0 {
			t.Errorf("a bound token with its proof: %v", got)
		}
	}
	if got = call("GET", holder, false); got["status"] != 401.0 {
		t.Errorf("a bound token as Bearer: %v", got)
	}
}

// TestAccessTokens_rotation rotates the provider's key while requests run: no
// token of it is refused for a moment, and none that a removed key signed passes
// once that is known.
func TestAccessTokens_rotation(t *testing.T) {
	peer := newTokenClient(t)
	s := serveIssuer(t, peer.issuer)
	get := func(token string) int { return s.get("/orders", "Authorization: Bearer "+token).Status }
	mint := func() string {
		return peer.token(map[string]any{"do": "client_credentials", "client": "daemon", "scope": "orders.read"})
	}
	old := mint()

	var current atomic.Pointer[string]
	current.Store(&old)
	stop := make(chan struct{})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if status := get(*current.Load()); status != 200 {
					t.Errorf("a good token while keys rotate: %d", status)
					return
				}
			}
		})
	}
	peer.do(map[string]any{"do": "rotate"})
	fresh := mint()
	if status := get(fresh); status != 200 {
		t.Errorf("the first token of a new key: %d", status)
	}
	if status := get(old); status != 200 {
		t.Errorf("a token of the old key, which is still published: %d", status)
	}
	current.Store(&fresh)
	close(stop)
	group.Wait()

	// Nothing tells of a key that is gone but a look at the keys, which an operator
	// can ask for.
	peer.do(map[string]any{"do": "rotate"})
	peer.do(map[string]any{"do": "retire"})
	if got := s.send("POST", "http://"+s.Admin+"/rest_auth/issuers", nil); got.Status != 200 {
		t.Fatalf("fetching the keys anew: %d %s", got.Status, got.Body)
	}
	if status := get(mint()); status != 200 {
		t.Errorf("a token of the newest key: %d", status)
	}
	if status := get(old); status != 401 {
		t.Errorf("a remembered token of a key that is gone: %d", status)
	}
	if status := get(fresh); status != 401 {
		t.Errorf("a remembered token of the second key, which is gone: %d", status)
	}
}

func marshal(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

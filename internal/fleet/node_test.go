// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package fleet tests several Caddys on one store, each a process of its own,
// and what becomes of them while the store fails.
package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-rest-auth/caddy-rest-auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/peertest"
	_ "github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/postgres"
)

// This binary is Caddy when it is called so: nothing has to be built for the
// nodes.
func init() {
	if filepath.Base(os.Args[0]) == "caddy" {
		caddycmd.Main()
		os.Exit(0)
	}
}

const site = `{
	admin unix/{{dir}}/admin.sock
	default_bind 127.0.0.1
	persist_config off
	auto_https off
	grace_period 1s
	storage file_system {{storage}}
	log default {
		output file {{dir}}/log.json
		format json
	}
	metrics
	rest_auth {
		store {{store}}
	}
}
http://{{address}} {
	handle /throttled {
		rest_auth {
			authenticate token
			throttle user 20/day
		}
		respond "{http.auth.user.id}"
	}
	handle /jwt {
		rest_auth {
			authenticate simplejwt {
				signing_key ` + jwtKey + `
			}
		}
		respond "{http.auth.user.id}"
	}
	handle /own {
		rest_auth {
			authenticate simplejwt {
				algorithm ES256
			}
		}
		respond "{http.auth.user.id}"
	}
	rest_auth_endpoints {
		session /auth/
		simplejwt /api/token/ {
			algorithm ES256
			rotate_refresh_tokens
		}
	}
	handle {
		rest_auth {
			authenticate token
			authenticate basic
			authenticate session
		}
		respond "{http.auth.user.id}"
	}
}`

// A node is a Caddy of its own.
type node struct {
	t      testing.TB
	name   string
	dir    string
	url    string
	client *http.Client
	admin  *http.Client
	pid    int
	output lockedBuffer
	ended  chan struct{}
}

// newNode starts a Caddy that ends with the test, and waits until it serves.
// Nodes of one storage are nodes of one fleet.
func newNode(t testing.TB, name, store, storage string) *node {
	t.Helper()
	n := startNode(t, name, store, storage)
	n.awaitAdmin()
	return n
}

func startNode(t testing.TB, name, store, storage string) *node {
	t.Helper()
	n := &node{t: t, name: name, dir: shortDir(t), ended: make(chan struct{})}
	address := freeAddress(t)
	n.url = "http://" + address
	n.client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	n.admin = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(n.dir, "admin.sock"))
		},
	}}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	caddy := filepath.Join(n.dir, "caddy")
	if err := os.Symlink(self, caddy); err != nil {
		t.Fatal(err)
	}
	config := strings.NewReplacer("{{dir}}", n.dir, "{{store}}", store, "{{storage}}", storage, "{{address}}", address).Replace(site)
	if err := os.WriteFile(filepath.Join(n.dir, "Caddyfile"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(caddy, "run", "--config", "Caddyfile")
	cmd.Dir = n.dir
	cmd.Env = append(os.Environ(), "HOME="+n.dir, "XDG_DATA_HOME="+filepath.Join(n.dir, "data"), "XDG_CONFIG_HOME="+filepath.Join(n.dir, "config"))
	cmd.Stderr = &n.output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n.pid = cmd.Process.Pid
	go func() { _ = cmd.Wait(); close(n.ended) }()
	t.Cleanup(func() {
		n.client.CloseIdleConnections()
		n.admin.CloseIdleConnections()
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-n.ended:
		case <-time.After(20 * time.Second):
			t.Errorf("node %s did not end", name)
			_ = cmd.Process.Kill()
		}
		if t.Failed() {
			t.Logf("output of node %s:\n%s\n%s", name, n.output.String(), n.log())
		}
	})
	return n
}

// awaitAdmin waits until the admin endpoint answers for the configuration,
// which is some time after it listens.
func (n *node) awaitAdmin() {
	n.t.Helper()
	n.await("the admin endpoint", 30*time.Second, func() bool {
		conn, err := net.Dial("unix", filepath.Join(n.dir, "admin.sock"))
		if err != nil {
			return false
		}
		_ = conn.Close()
		status, _ := n.tryManage(http.MethodGet, "/store", "")
		return status == http.StatusOK || status == http.StatusServiceUnavailable
	})
}

// await waits until something is so.
func (n *node) await(what string, within time.Duration, so func() bool) time.Duration {
	n.t.Helper()
	began := time.Now()
	for !so() {
		if time.Since(began) > within {
			n.t.Fatalf("node %s: waited for %s longer than %s", n.name, what, within)
		}
		select {
		case <-n.ended:
			n.t.Fatalf("node %s ended", n.name)
		case <-time.After(2 * time.Millisecond):
		}
	}
	return time.Since(began)
}

// manage calls the admin API and decodes the answer into value, unless that is
// nil.
func (n *node) manage(method, path, body string, value any) {
	n.t.Helper()
	status, answer := n.tryManage(method, path, body)
	if status >= 300 {
		n.t.Fatalf("node %s: %s %s was answered %d: %s", n.name, method, path, status, answer)
	}
	if value != nil {
		if err := json.Unmarshal([]byte(answer), value); err != nil {
			n.t.Fatalf("node %s: %s %s: %v in %q", n.name, method, path, err, answer)
		}
	}
}

func (n *node) tryManage(method, path, body string) (int, string) {
	n.t.Helper()
	r, err := http.NewRequestWithContext(n.t.Context(), method, "http://127.0.0.1/rest_auth"+path, strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return n.do(n.admin, r)
}

// A secret is a token and its handle.
type secret struct{ Token, Handle string }

func (n *node) newToken(user string) (s secret) {
	n.t.Helper()
	n.manage(http.MethodPost, "/tokens", `{"user":"`+user+`"}`, &s)
	return s
}

// ask returns the status of a request with a token.
func (n *node) ask(token string) int {
	n.t.Helper()
	return n.askFor("/", token)
}

func (n *node) askFor(path, token string) int {
	n.t.Helper()
	status, _ := n.request(func(r *http.Request) {
		r.URL.Path = path
		r.Header.Set("Authorization", "Token "+token)
	})
	return status
}

// login returns the status of a request with a password.
func (n *node) login(user, password string) int {
	n.t.Helper()
	status, _ := n.request(func(r *http.Request) { r.SetBasicAuth(user, password) })
	return status
}

func (n *node) request(prepare func(*http.Request)) (int, string) {
	r, err := http.NewRequestWithContext(n.t.Context(), http.MethodGet, n.url, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	prepare(r)
	return n.do(n.client, r)
}

func (n *node) do(client *http.Client, r *http.Request) (int, string) {
	response, err := client.Do(r)
	if err != nil {
		n.t.Errorf("node %s: %s %s: %v", n.name, r.Method, r.URL, err)
		return 0, ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		n.t.Errorf("node %s: %s %s: reading the answer: %v", n.name, r.Method, r.URL, err)
	}
	return response.StatusCode, string(body)
}

// metric returns a series of the node; one that is not there is 0.
func (n *node) metric(series string) float64 {
	n.t.Helper()
	r, err := http.NewRequestWithContext(n.t.Context(), http.MethodGet, "http://127.0.0.1/metrics", nil)
	if err != nil {
		n.t.Fatal(err)
	}
	_, text := n.do(n.admin, r)
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), series+" "); ok {
			number, err := strconv.ParseFloat(value, 64)
			if err != nil {
				n.t.Fatal(err)
			}
			return number
		}
	}
	return 0
}

func (n *node) feedUp() bool { return n.metric("caddy_rest_auth_store_feed_up") == 1 }

func (n *node) hits() float64 { return n.metric(`caddy_rest_auth_cache_total{result="hit"}`) }

func (n *node) log() string {
	text, err := os.ReadFile(filepath.Join(n.dir, "log.json"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// shortDir is a directory for sockets, whose paths are short.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "node") //nolint:usetesting // t.TempDir's path may be too long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func freeAddress(t testing.TB) string {
	t.Helper()
	return peertest.FreeAddress(t)
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

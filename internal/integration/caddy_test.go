// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package integration tests the module over the wire: a real Caddy, a real
// upstream, and clients that know nothing of either.
package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	restauth "github.com/caddy-rest-auth/caddy-rest-auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/peertest"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// server is a running Caddy. Caddy is one per process: tests that serve are
// not parallel.
type server struct {
	t     *testing.T
	URL   string // of the first site, http://127.0.0.1:port
	Admin string // address of the admin API
	echo  *echo
	vars  map[string]string
	logs  *logSink
}

// serve runs a Caddyfile until the test ends. In it, {{site}} is an address to
// listen on, {{site2}} another, {{echo}} the upstream, {{dir}} a directory of
// the test. A global options block is added unless the Caddyfile starts with
// one, which then has to say {{global}} itself.
func serve(t *testing.T, caddyfile string) *server {
	t.Helper()
	dir := t.TempDir()
	s := &server{t: t, echo: newEcho(t), logs: newLogSink(t)}
	site, admin := freeAddress(t), freeAddress(t)
	s.URL, s.Admin = "http://"+site, admin
	s.vars = map[string]string{
		"{{site}}":  "http://:" + port(site),
		"{{port}}":  port(site),
		"{{site2}}": "http://:" + port(freeAddress(t)),
		"{{echo}}":  s.echo.address,
		"{{dir}}":   dir,
		"{{store}}": "store sqlite " + filepath.Join(dir, "rest_auth.db"),
		"{{global}}": "admin " + admin + "\ndefault_bind 127.0.0.1\npersist_config off\nauto_https off\ngrace_period 1s\n" +
			"storage file_system " + filepath.Join(dir, "storage") + "\n" +
			"log default {\noutput " + s.logs.output + "\nformat json\nlevel DEBUG\n}\n",
	}
	s.reload(caddyfile)
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Errorf("stopping Caddy: %v", err)
		}
	})
	return s
}

// reload replaces the configuration as `caddy reload` does.
func (s *server) reload(caddyfile string) {
	s.t.Helper()
	if err := s.tryReload(caddyfile); err != nil {
		s.t.Fatalf("loading the Caddyfile: %v\n%s", err, s.expand(caddyfile))
	}
}

func (s *server) tryReload(caddyfile string) error {
	config, err := adapt(s.expand(caddyfile))
	if err != nil {
		return err
	}
	return caddy.Load(config, true)
}

func (s *server) expand(caddyfile string) string {
	if !strings.Contains(caddyfile, "{{global}}") {
		caddyfile = "{\n{{global}}\nrest_auth {\n{{store}}\n}\n}\n" + caddyfile
	}
	for range 2 {
		for name, value := range s.vars {
			caddyfile = strings.ReplaceAll(caddyfile, name, value)
		}
	}
	return caddyfile
}

func adapt(caddyfile string) ([]byte, error) {
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(caddyfile), map[string]any{"filename": "Caddyfile"})
	return config, err
}

// store returns the running configuration's store, for tests to put users and
// tokens in as the admin API would.
func (s *server) store() tokenstore.Store {
	s.t.Helper()
	app, err := caddy.ActiveContext().AppIfConfigured("rest_auth")
	if err != nil {
		s.t.Fatal(err)
	}
	return app.(*restauth.App).TokenStore()
}

// reply is an answer that was read whole.
type reply struct {
	Status int
	Header http.Header
	Body   string
}

// client keeps connections of one test from being those of the next.
func client(t *testing.T) *http.Client {
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		Timeout:       20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// do sends a request with header lines "Name: value".
func (s *server) do(method, path string, lines ...string) reply {
	s.t.Helper()
	return s.send(method, s.URL+path, nil, lines...)
}

func (s *server) get(path string, lines ...string) reply {
	s.t.Helper()
	return s.do(http.MethodGet, path, lines...)
}

func (s *server) send(method, url string, body io.Reader, lines ...string) reply {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, url, body)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		// Not Add: names go out as they are written.
		r.Header[name] = append(r.Header[name], strings.TrimPrefix(value, " "))
	}
	r.Close = true
	response, err := client(s.t).Do(r)
	// Caddy drops what it has accepted and not read when it reloads. Where that
	// breaks the dial already, nothing of the body was sent.
	dial, _ := errors.AsType[*net.OpError](err)
	if body == nil && errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) && (body == nil || dial != nil && dial.Op == "dial" && r.GetBody != nil) {
		if body != nil {
			if r.Body, err = r.GetBody(); err != nil {
				s.t.Fatal(err)
			}
		}
		response, err = client(s.t).Do(r)
	}
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, url, err)
	}
	return readReply(s.t, response)
}

func readReply(t *testing.T, response *http.Response) reply {
	t.Helper()
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("reading an answer: %v", err)
	}
	return reply{response.StatusCode, response.Header, string(read)}
}

// raw sends bytes as they are and returns everything up to the end of the
// connection, for what net/http would not send.
func (s *server) raw(request string) string {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		s.t.Fatal(err)
	}
	var answer bytes.Buffer
	_, _ = io.Copy(&answer, conn)
	return answer.String()
}

// forwarded decodes the body of an answer that came from the echo.
func (r reply) forwarded(t *testing.T) echoed {
	t.Helper()
	var e echoed
	if err := json.Unmarshal([]byte(r.Body), &e); err != nil {
		t.Fatalf("the answer is not the echo's: %d %q", r.Status, r.Body)
	}
	return e
}

func freeAddress(t *testing.T) string {
	t.Helper()
	return peertest.FreeAddress(t)
}

func port(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package outbound_test

import (
	"compress/gzip"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// local is how a server of a test is asked.
var local = outbound.Settings{AllowInternal: []string{"loopback"}, AllowHTTP: true}

func newClient(t *testing.T, s outbound.Settings) *outbound.Client {
	t.Helper()
	client, err := outbound.New(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func newServer(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func TestGetAndPost(t *testing.T) {
	address := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s %s %s", r.Method, r.Header.Get("Content-Type"), r.Header.Get("Accept"), body)
	})
	client := newClient(t, local)
	got, err := client.Get(t.Context(), address, 100)
	if err != nil || got.Status != http.StatusTeapot || string(got.Body) != "GET  application/json " {
		t.Error(got, err)
	}
	got, err = client.Post(t.Context(), address, url.Values{"token": {"a b"}}, http.Header{"Authorization": {"Basic eA=="}}, 100)
	if err != nil || got.Header.Get("X-Seen") != "Basic eA==" || string(got.Body) != "POST application/x-www-form-urlencoded application/json token=a+b" {
		t.Error(got, err)
	}
}

func TestBounds(t *testing.T) {
	stop := make(chan struct{})
	address := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/exact":
			_, _ = io.WriteString(w, strings.Repeat("x", 1000))
		case "/endless":
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, strings.Repeat("x", 4096))
			}
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			zipped := gzip.NewWriter(w)
			for range 100 {
				_, _ = zipped.Write(make([]byte, 64<<10))
			}
			_ = zipped.Close()
		case "/header":
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
		case "/slow":
			<-stop
		case "/drip":
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, "x")
				w.(http.Flusher).Flush()
				time.Sleep(5 * time.Millisecond)
			}
		case "/redirect":
			http.Redirect(w, r, "/exact", http.StatusFound)
		}
	})
	t.Cleanup(func() { close(stop) }) // before the server is closed
	quick := local
	quick.Timeout = caddy.Duration(200 * time.Millisecond)
	client := newClient(t, quick)
	if got, err := client.Get(t.Context(), address+"/exact", 1000); err != nil || len(got.Body) != 1000 {
		t.Error(err)
	}
	for _, path := range []string{"/endless", "/bomb"} {
		if _, err := newClient(t, local).Get(t.Context(), address+path, 1000); !errors.Is(err, outbound.ErrTooLarge) {
			t.Error(path, err)
		}
	}
	for _, path := range []string{"/header", "/slow", "/drip"} {
		if _, err := client.Get(t.Context(), address+path, 1<<30); err == nil {
			t.Error(path, "was read")
		}
	}
	got, err := client.Get(t.Context(), address+"/redirect", 1000)
	if err != nil || got.Status != http.StatusFound {
		t.Error(got.Status, err)
	}
	if answer, err := client.HTTP().Get(address + "/redirect"); err != nil || answer.StatusCode != http.StatusFound {
		t.Error(err)
	} else {
		_ = answer.Body.Close()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Get(ctx, address+"/exact", 1000); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestInternalIsNotDialed has a listener that nobody may reach, under all the
// names that lead to it.
func TestInternalIsNotDialed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	accepted := make(chan struct{})
	go func() {
		if conn, err := listener.Accept(); err == nil {
			_ = conn.Close()
			close(accepted)
		}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	// A proxy of the environment would be dialed in place of it, and not judged.
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:"+port)
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:"+port)
	client := newClient(t, outbound.Settings{AllowHTTP: true})
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1.2.3", "[64:ff9b::7f00:1]"} {
		for _, scheme := range []string{"http", "https"} {
			if _, err := client.Get(t.Context(), scheme+"://"+host+":"+port+"/", 1000); !errors.Is(err, outbound.ErrInternal) {
				t.Errorf("%s://%s: %v", scheme, host, err)
			}
		}
	}
	select {
	case <-accepted:
		t.Error("the listener was reached")
	default:
	}
}

func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	defer server.Close()
	server.Config.ErrorLog = nil
	stranger := newClient(t, local)
	if _, err := stranger.Get(t.Context(), server.URL, 100); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Error(err)
	}
	trusting := local
	trusting.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	early := newClient(t, trusting) // the file may come
	if _, err := early.Get(t.Context(), server.URL, 100); err == nil || !strings.Contains(err.Error(), "ca_file") {
		t.Error(err)
	}
	for _, text := range []string{"", "hello"} {
		if err := os.WriteFile(trusting.CAFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := outbound.New(trusting); err == nil {
			t.Errorf("%q is taken for certificates", text)
		}
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(trusting.CAFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := newClient(t, trusting).Get(t.Context(), server.URL, 100); err != nil || string(got.Body) != "{}" {
		t.Error(err)
	}
	get := func() error { _, err := early.Get(t.Context(), server.URL, 100); return err }
	for deadline := time.Now().Add(20 * time.Second); get() != nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the file is not seen:", get())
		}
	}
	if err := os.Remove(trusting.CAFile); err != nil {
		t.Fatal(err)
	}
	if err := get(); err != nil {
		t.Error("whom the last good file named is trusted no more:", err)
	}
}

func TestCheckURL(t *testing.T) {
	https, http := outbound.Settings{}, outbound.Settings{AllowHTTP: true}
	for _, raw := range []string{"https://a.example", "https://a.example:8443/b?c=d", "https://[2001:db8::1]/", "HTTPS://a.example"} {
		if err := outbound.CheckURL(raw, https); err != nil {
			t.Error(raw, err)
		}
	}
	if err := outbound.CheckURL("http://a.example", http); err != nil {
		t.Error(err)
	}
	for _, raw := range []string{
		"", "a.example", "//a.example", "/a", "http://a.example", "ftp://a.example", "file:///etc/passwd", "https:///a", "https://:443/",
		"https:a.example", "https://user@a.example", "https://user:password@a.example", "https://a.example/#b", "https://a.example/#",
		"https://a.example/%zz", "https://a .example", "javascript:alert(1)", "https://a.example\n",
	} {
		if outbound.CheckURL(raw, https) == nil {
			t.Errorf("%q may be asked", raw)
		}
		if _, err := newClient(t, https).Get(t.Context(), raw, 100); err == nil {
			t.Errorf("%q was asked", raw)
		}
	}
	// Libraries that use the client do not call CheckURL.
	if _, err := newClient(t, https).HTTP().PostForm("http://a.example", nil); err == nil || !strings.Contains(err.Error(), "https://") {
		t.Error(err)
	}
}

// Errors are logged, and a query may hold a secret.
func TestErrorsHaveNoQuery(t *testing.T) {
	client := newClient(t, outbound.Settings{AllowHTTP: true})
	for _, raw := range []string{"http://127.0.0.1/?canary", "http://canary@a.example/", "http://a.example/%zz?canary"} {
		if _, err := client.Get(t.Context(), raw, 100); err == nil || strings.Contains(err.Error(), "canary") {
			t.Error(err)
		}
	}
}

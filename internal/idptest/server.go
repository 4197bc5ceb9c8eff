// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package idptest is a small OpenID provider for tests: metadata, keys, signed
// tokens, and the faults that providers have.
package idptest

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Paths of a Server.
const (
	MetadataPath = "/.well-known/openid-configuration"
	KeysPath     = "/jwks"
)

// Server is a provider. Its issuer is its URL.
type Server struct {
	// URL is where it listens, without a slash at the end.
	URL string

	// CAFile holds the certificate of one that was made with NewTLS.
	CAFile string

	t      testing.TB
	server *httptest.Server
	mux    *http.ServeMux

	mu       sync.Mutex
	fault    Fault
	release  chan struct{} // closed when the fault Slow ends
	header   http.Header
	metadata map[string]any
	keys     []*signer
	extra    []json.RawMessage
	fetches  map[string]int
}

// New starts a provider on loopback, without TLS, that ends with the test. It
// has one key of each type.
func New(t testing.TB) *Server {
	t.Helper()
	s := newServer(t)
	s.server.Start()
	return s.ready()
}

// NewTLS starts a provider with a certificate of its own making.
func NewTLS(t testing.TB) *Server {
	t.Helper()
	s := newServer(t)
	s.server.StartTLS()
	s.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	writePEM(t, s.CAFile, s.server.Certificate())
	return s.ready()
}

func newServer(t testing.TB) *Server {
	s := &Server{
		t: t, mux: http.NewServeMux(), header: make(http.Header), metadata: make(map[string]any),
		fetches: make(map[string]int), release: make(chan struct{}),
	}
	s.mux.HandleFunc("GET "+MetadataPath, s.serve(func() any { return s.metadata }))
	s.mux.HandleFunc("GET "+KeysPath, s.serve(s.jwks))
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(s.faulty))
	t.Cleanup(s.Close)
	s.keys = newSigners(t)
	return s
}

// Close ends the server before its test does.
func (s *Server) Close() {
	s.Heal() // or what is slow would be waited for
	s.server.Close()
}

func (s *Server) ready() *Server {
	s.URL = s.server.URL
	maps.Copy(s.metadata, map[string]any{
		"issuer":                                s.URL,
		"authorization_endpoint":                s.URL + "/authorize",
		"token_endpoint":                        s.URL + "/token",
		"userinfo_endpoint":                     s.URL + "/userinfo",
		"introspection_endpoint":                s.URL + "/introspect",
		"revocation_endpoint":                   s.URL + "/revoke",
		"end_session_endpoint":                  s.URL + "/logout",
		"jwks_uri":                              s.URL + KeysPath,
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256", "ES256", "EdDSA"},
		"code_challenge_methods_supported":      []string{"S256"},
	})
	return s
}

func writePEM(t testing.TB, path string, certificate *x509.Certificate) {
	t.Helper()
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Issuer returns what its tokens name in iss.
func (s *Server) Issuer() string { return s.URL }

// JWKSURL returns where its keys are.
func (s *Server) JWKSURL() string { return s.URL + KeysPath }

// Handle adds an endpoint, as "POST /token".
func (s *Server) Handle(pattern string, handler http.HandlerFunc) { s.mux.HandleFunc(pattern, handler) }

// SetMetadata changes a member of the metadata, or removes it if value is nil.
func (s *Server) SetMetadata(name string, value any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if value == nil {
		delete(s.metadata, name)
		return
	}
	s.metadata[name] = value
}

// SetHeader sets a header of metadata and keys, as Cache-Control.
func (s *Server) SetHeader(name, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.header.Set(name, value)
}

// Fetches returns how often the metadata and the keys were asked for.
func (s *Server) Fetches() (metadata, keys int) {
	return s.Count(MetadataPath), s.Count(KeysPath)
}

// Count returns how many requests a path had.
func (s *Server) Count(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fetches[path]
}

// serve answers with what document returns, which is called with mu held.
func (s *Server) serve(document func() any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		text, err := json.Marshal(document())
		maps.Copy(w.Header(), s.header)
		s.mu.Unlock()
		if err != nil {
			s.t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text)
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package entratest is Microsoft Entra ID and Microsoft Graph as tests need
// them: metadata and keys of both versions for each tenant and for all of them,
// the token endpoint for client credentials and on behalf of a user, and the
// groups of a user page by page. It is written from the documentation of both,
// not from what our side expects.
package entratest

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// STS begins the issuer of v1.0 tokens in the public cloud. As with the real one,
// nothing listens there: metadata and keys are at the authority.
const STS = "https://sts.windows.net"

// Tenants and people of the tests.
const (
	Contoso  = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
	Fabrikam = "bbbbcccc-1111-dddd-2222-eeee3333ffff"
	Stranger = "ccccdddd-2222-eeee-3333-ffff4444aaaa"

	Alice = "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"
	Bob   = "bbbbbbbb-1111-2222-3333-cccccccccccc"

	// Orders is the API that tokens are for, Mobile an app of people, Daemon
	// one that acts for itself, and Robot its service principal.
	Orders    = "00001111-aaaa-2222-bbbb-3333cccc4444"
	OrdersURI = "api://orders"
	Mobile    = "11112222-bbbb-3333-cccc-4444dddd5555"
	Daemon    = "22223333-cccc-4444-dddd-5555eeee6666"
	Robot     = "dddddddd-3333-4444-5555-eeeeeeeeeeee"

	// Secret is that of Orders and of Daemon.
	Secret = "test-Q8~client-secret" //nolint:gosec // of the tests alone
)

// A Group is one of Graph's.
type Group struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
}

// Server is a running Entra ID. Its fields are changed under Lock.
type Server struct {
	sync.Mutex

	URL    string // authority and Graph
	STS    string // begins the issuer of v1.0 tokens
	CAFile string // the PEM of the certificate's root

	// TokenVersion is that of the tokens for Orders: "1.0" or "2.0".
	TokenVersion string

	// Roles are the app roles that Daemon has for Orders.
	Roles []string

	// Groups are those of users and service principals.
	Groups map[string][]Group

	// PageSize is how many groups are on a page.
	PageSize int

	// NextHost replaces the host of the next page's address.
	NextHost string

	// MFA are users whose token cannot be exchanged before they have proved more.
	MFA map[string]bool

	// Hidden are keys that are not published (any more), by ID.
	Hidden map[string]bool

	// Bare has keys published without their certificates.
	Bare bool

	// Counts of requests by part: "metadata", "keys", "token", "graph".
	Counts map[string]int

	faults map[string]http.HandlerFunc
	client *http.Client
}

// New runs a server until the test ends.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{
		STS:          STS,
		TokenVersion: "2.0", Roles: []string{"Orders.Reader"}, Groups: map[string][]Group{}, PageSize: 100,
		MFA: map[string]bool{}, Hidden: map[string]bool{}, Counts: map[string]int{}, faults: map[string]http.HandlerFunc{},
	}
	mux := http.NewServeMux()
	handle := func(part, pattern string, f http.HandlerFunc) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			s.Lock()
			s.Counts[part]++
			fault := s.faults[part]
			s.Unlock()
			if fault != nil {
				fault(w, r)
				return
			}
			f(w, r)
		})
	}
	handle("metadata", "GET /{tenant}/.well-known/openid-configuration", s.metadata("1.0"))
	handle("metadata", "GET /{tenant}/v2.0/.well-known/openid-configuration", s.metadata("2.0"))
	handle("keys", "GET /{tenant}/discovery/keys", s.keys("1.0"))
	handle("keys", "GET /{tenant}/discovery/v2.0/keys", s.keys("2.0"))
	handle("token", "POST /{tenant}/oauth2/v2.0/token", s.token)
	handle("graph", "GET /v1.0/me/transitiveMemberOf/microsoft.graph.group", s.memberOf)
	handle("graph", "GET /v1.0/users/{id}/transitiveMemberOf/microsoft.graph.group", s.memberOf)
	handle("graph", "GET /v1.0/servicePrincipals/{id}/transitiveMemberOf/microsoft.graph.group", s.memberOf)
	handle("graph", "POST /v1.0/users/{id}/getMemberGroups", s.memberGroups)
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	s.URL, s.client = server.URL, server.Client()
	s.CAFile = filepath.Join(t.TempDir(), "entra-ca.pem")
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(s.CAFile, root, 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *Server) sts() string {
	s.Lock()
	defer s.Unlock()
	return s.STS
}

// Client returns a client that trusts the server.
func (s *Server) Client() *http.Client { return s.client }

// Fail has a part answer otherwise, or as it should if f is nil.
func (s *Server) Fail(part string, f http.HandlerFunc) {
	s.Lock()
	defer s.Unlock()
	s.faults[part] = f
}

// Count returns how often a part was asked.
func (s *Server) Count(part string) int {
	s.Lock()
	defer s.Unlock()
	return s.Counts[part]
}

// Down is a part that answers nothing of use.
func Down(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "<html>The service is unavailable.</html>", http.StatusServiceUnavailable)
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func isTenant(name string) bool {
	switch name {
	case Contoso, Fabrikam, Stranger:
		return true
	}
	return false
}

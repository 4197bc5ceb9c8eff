// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/auth/authtest"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func TestRemoteHeader_trusts(t *testing.T) {
	ctx, _ := newApp(t)
	t.Setenv("PROXIES", "203.0.113.0/24")
	tests := map[string]struct {
		from, peer string
		want       bool
	}{
		"address":                  {`"192.0.2.1"`, "192.0.2.1:1", true},
		"another address":          {`"192.0.2.1"`, "192.0.2.2:1", false},
		"range":                    {`"192.0.2.128/25"`, "192.0.2.200:1", true},
		"below the range":          {`"192.0.2.128/25"`, "192.0.2.100:1", false},
		"range with host bits":     {`"192.0.2.129/25"`, "192.0.2.200:1", true},
		"IPv6":                     {`"2001:db8::/32"`, "[2001:db8::7]:1", true},
		"peer mapped to IPv6":      {`"192.0.2.0/24"`, "[::ffff:192.0.2.1]:1", true},
		"range mapped to IPv6":     {`"::ffff:192.0.2.0/120"`, "192.0.2.1:1", true},
		"both mapped":              {`"::ffff:192.0.2.1"`, "[::ffff:192.0.2.1]:1", true},
		"zone":                     {`"fe80::/10"`, "[fe80::1%eth0]:1", true},
		"private":                  {`"private_ranges"`, "172.16.3.4:1", true},
		"loopback is private":      {`"private_ranges"`, "[::1]:1", true},
		"public":                   {`"private_ranges"`, "172.32.0.1:1", false},
		"second of the list":       {`"192.0.2.1", "10.0.0.0/8"`, "10.1.1.1:1", true},
		"placeholder":              {`"{env.PROXIES}"`, "203.0.113.9:1", true},
		"no port":                  {`"192.0.2.1"`, "192.0.2.1", false},
		"a name":                   {`"192.0.2.1"`, "localhost:1", false},
		"nothing":                  {`"192.0.2.1"`, "", false},
		"unix, not on a socket":    {`"unix"`, "@", false},
		"unix does not mean all":   {`"unix"`, "192.0.2.1:1", false},
		"private is not by socket": {`"private_ranges"`, "@", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			u := mustLoad[*RemoteUser](t, ctx, "remote_user", `{"header": {"name": "Remote-User", "from": [`+test.from+`]}}`)
			if got := u.Header.trusts(from(test.peer)); got != test.want {
				t.Errorf("trusts(%s) = %v", test.peer, got)
			}
		})
	}
}

func TestRemoteHeader_trusts_connection(t *testing.T) {
	ctx, _ := newApp(t)
	u := mustLoad[*RemoteUser](t, ctx, "remote_user", `{"header": {"name": "Remote-User", "from": ["unix", "192.0.2.1"]}}`)
	r := from("@")
	local := func(a net.Addr) *http.Request {
		return r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, a))
	}
	if !u.Header.trusts(local(&net.UnixAddr{Name: "/run/caddy.sock", Net: "unix"})) {
		t.Error("a peer of the Unix socket is not trusted")
	}
	if u.Header.trusts(local(&net.TCPAddr{})) {
		t.Error("a peer without an address is trusted on TCP")
	}
	unix := &net.UnixAddr{Name: "/run/caddy.sock", Net: "unix"}
	r = from("192.0.2.1:1").WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, unix))
	if u.Header.unix = false; u.Header.trusts(r) {
		t.Error("a peer of the Unix socket is trusted for the path that it bound its end to")
	}
	r = from("192.0.2.1:1")
	r.TLS = &tls.ConnectionState{HandshakeComplete: true}
	if !u.Header.trusts(r) {
		t.Error("TLS is not trusted")
	}
	r.TLS = new(tls.ConnectionState)
	if u.Header.trusts(r) {
		t.Error("early data is trusted")
	}
}

func TestRemoteUser_Provision_errors(t *testing.T) {
	ctx, _ := newApp(t)
	header := func(name, from string) string { return `{"header": {"name": "` + name + `", "from": [` + from + `]}}` }
	tests := map[string]string{
		`{}`: "neither from nor header",
		`{"from": "{http.vars.x}", "header": {"name": "a", "from": ["::1"]}}`: "both given",
		header("", `"::1"`):                                  "not a header name",
		header("Remote User", `"::1"`):                       "not a header name",
		header("Remote_User", `"::1"`):                       "read as '-'",
		header("Remote.User", `"::1"`):                       "read as '-'",
		header("authorization", `"::1"`):                     "does not hold the name",
		header("cookie", `"::1"`):                            "does not hold the name",
		header("Remote-User", ``):                            "nobody is named",
		header("Remote-User", `"all"`):                       "invalid IP address",
		header("Remote-User", `"10.0.0.0/33"`):               "parsing CIDR",
		header("Remote-User", `"0.0.0.0/0"`):                 "everybody",
		header("Remote-User", `"::/0"`):                      "everybody",
		header("Remote-User", `"::ffff:0.0.0.0/96"`):         "everybody",
		header("Remote-User", `"::ffff:0:0/64"`):             "wider than all of IPv4",
		header("Remote-User", `"fe80::1%eth0"`):              "zone",
		header("Remote-User", `"{env.ABSENT_X}"`):            "is empty",
		header("Remote-User", `""`):                          "invalid IP address",
		`{"strip_realms": ["*"], "from": "{http.vars.x}"}`:   "has to be named",
		`{"strip_domains": [""], "from": "{http.vars.x}"}`:   "has to be named",
		`{"from": "http.vars.x"}`:                            "not one placeholder",
		`{"from": "{}"}`:                                     "not one placeholder",
		`{"from": "{http.vars.x} "}`:                         "not one placeholder",
		`{"from": "{http.vars.x}{http.vars.y}"}`:             "not one placeholder",
		`{"from": "{http.request.header.Remote-User}"}`:      "client wrote",
		`{"from": "{http.request.cookie.user}"}`:             "client wrote",
		`{"from": "{http.request.uri.query.user}"}`:          "client wrote",
		`{"from": "{http.request.body}"}`:                    "client wrote",
		`{"from": "{http.request.host.labels.2}"}`:           "client wrote",
		`{"from": "{http.request.orig_uri.path.0}"}`:         "client wrote",
		`{"from": "{http.request.remote.host}"}`:             "client wrote",
		`{"from": "{http.request.tls.server_name}"}`:         "client wrote",
		`{"from": "{http.request.tls.Client.subject}"}`:      "client wrote",
		`{"from": "{http.request.uuid}"}`:                    "client wrote",
		`{"from": "{http.regexp.user.1}"}`:                   "found in the client's",
		`{"from": "{http.url_pattern.path.user}"}`:           "found in the client's",
		`{"from": "{http.matchers.file.relative}"}`:          "found in the client's",
		`{"from": "{http.vars.client_ip}"}`:                  "address",
		`{"from": "{http.vars.trace_id}"}`:                   "client wrote",
		`{"from": "{http.vars.rest_auth.state}"}`:            "reserved",
		`{"from": "{http.auth.candidate.id}"}`:               "nobody who was let in",
		`{"from": "{http.auth.error.detail}"}`:               "nobody who was let in",
		`{"from": "{http.response.header.X}"}`:               "no name",
		`{"from": "{http.reverse_proxy.upstream.hostport}"}`: "no name",
		`{"from": "{env.USER}"}`:                             "every request",
		`{"from": "{file./etc/hostname}"}`:                   "every request",
		`{"from": "{header.Remote-User}"}`:                   "client wrote",
		`{"from": "{vars.user}"}`:                            "short form",
		`{"from": "{tls_client_subject}"}`:                   "short form",
	}
	for config, want := range tests {
		if _, err := load(ctx, "remote_user", config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", config, err, want)
		}
	}
	for _, good := range []string{
		"{http.auth.user.id}", "{http.auth.user.email}", "{http.vars.user}", "{http.reverse_proxy.header.Remote-User}",
		"{http.request.tls.client.subject}", "{http.request.tls.client.san.emails.0}", "{mapped_user}", "{plugin.user}",
	} {
		if _, err := load(ctx, "remote_user", `{"from": "`+good+`"}`); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}

// within returns a request as Caddy's server hands it on, with these variables.
func within(vars map[string]any) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	return caddyhttp.PrepareRequest(r.WithContext(context.WithValue(r.Context(), caddyhttp.VarsCtxKey, vars)), caddy.NewReplacer(), nil, new(caddyhttp.Server))
}

func setting(value any) *http.Request {
	r := within(nil)
	caddyhttp.SetVar(r.Context(), "user", value)
	return r
}

func TestRemoteUser_from(t *testing.T) {
	ctx, app := newApp(t)
	for _, name := range []string{"alice", "7", "CN=alice,O=Example", "a,b"} {
		addUser(t, app.store, tokenstore.User{Name: name, Active: true})
	}
	alice := &auth.Identity{ID: "alice", Method: "remote_user"}
	bad := failure("Invalid remote user.")
	authtest.Run(t, mustLoad[*RemoteUser](t, ctx, "remote_user", `{"from": "{http.vars.user}"}`), []authtest.Case{
		{Name: "text", Request: setting("alice"), Identity: alice},
		{Name: "list of one", Request: setting([]string{"alice"}), Identity: alice},
		{Name: "number", Request: setting(7), Identity: &auth.Identity{ID: "7"}},
		{Name: "name with a comma", Request: setting("a,b"), Identity: &auth.Identity{ID: "a,b"}},
		{Name: "Stringer", Request: setting(pkix.Name{CommonName: "alice", Organization: []string{"Example"}}), Identity: &auth.Identity{ID: "CN=alice,O=Example"}},
		{Name: "nothing", Request: setting(nil), Err: auth.ErrNoCredentials},
		{Name: "empty", Request: setting(""), Err: auth.ErrNoCredentials},
		{Name: "empty list", Request: setting([]string{}), Err: auth.ErrNoCredentials},
		{Name: "unknown", Request: setting("nobody"), Err: auth.ErrNoCredentials},
		{Name: "two", Request: setting([]string{"alice", "bob"}), Err: bad},
		{Name: "yes", Request: setting(true), Err: bad},
		{Name: "error", Request: setting(errors.New("alice")), Err: bad},
		{Name: "object", Request: setting(map[string]any{"id": "alice"}), Err: bad},
		{Name: "blanks around", Request: setting(" alice"), Err: bad},
	})
}

// TestRemoteUser_noticed has what an earlier handler said, and was forgotten
// before the authenticators were asked.
func TestRemoteUser_noticed(t *testing.T) {
	ctx, app := newApp(t)
	addUser(t, app.store, tokenstore.User{Name: "alice", Active: true})
	addUser(t, app.store, tokenstore.User{Name: "bob", Active: true})
	u := mustLoad[*RemoteUser](t, ctx, "remote_user", `{"from": "{http.auth.user.id}"}`)
	r := within(nil)
	replacer := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	replacer.Set("http.auth.user.id", "alice")
	u.Notice(r)
	replacer.Set("http.auth.user.id", "bob")
	if id, err := u.Authenticate(r); err != nil || id.ID != "alice" {
		t.Errorf("Authenticate = %v, %v, want what was noticed", id, err)
	}
	u.Notice(r)
	if id, err := u.Authenticate(r); err != nil || id.ID != "bob" {
		t.Errorf("Authenticate = %v, %v, want what a later handler noticed", id, err)
	}
}

// TestRemoteHeader_noticed has a second handler, after the first has removed
// the header.
func TestRemoteHeader_noticed(t *testing.T) {
	ctx, app := newApp(t)
	addUser(t, app.store, tokenstore.User{Name: "alice", Active: true})
	u := mustLoad[*RemoteUser](t, ctx, "remote_user", `{"header": {"name": "Remote-User", "from": ["192.0.2.1"]}}`)
	r := within(nil)
	r.RemoteAddr = "192.0.2.1:1"
	r.Header["Remote-User"] = []string{"alice"}
	u.Notice(r)
	r.Header["Remote-User"] = []string{"bob"} // as header_up of the first may
	u.Notice(r)
	if id, err := u.Authenticate(r); err != nil || id.ID != "alice" {
		t.Errorf("Authenticate = %v, %v, want whom the peer sent", id, err)
	}
}

func TestRemoteUser_certificate(t *testing.T) {
	ctx, app := newApp(t)
	addUser(t, app.store, tokenstore.User{Name: "CN=alice", Active: true})
	certificate := &x509.Certificate{Subject: pkix.Name{CommonName: "alice"}}
	tests := map[string]struct {
		tls *tls.ConnectionState
		ok  bool
	}{
		"verified":       {&tls.ConnectionState{PeerCertificates: []*x509.Certificate{certificate}, VerifiedChains: [][]*x509.Certificate{{certificate}}}, true},
		"not verified":   {&tls.ConnectionState{PeerCertificates: []*x509.Certificate{certificate}}, false},
		"no certificate": {new(tls.ConnectionState), false},
		"no TLS":         {nil, false},
	}
	for name, test := range tests {
		for _, field := range []string{"subject", "serial", "fingerprint"} {
			t.Run(name+", "+field, func(t *testing.T) {
				u := mustLoad[*RemoteUser](t, ctx, "remote_user", `{"create": true, "from": "{http.request.tls.client.`+field+`}"}`)
				r := within(nil)
				r.TLS = test.tls
				u.Notice(r)
				id, err := u.Authenticate(r)
				if field == "subject" && test.ok && (err != nil || id.ID != "CN=alice") || !test.ok && !errors.Is(err, auth.ErrNoCredentials) {
					t.Errorf("Authenticate = %v, %v", id, err)
				}
			})
		}
	}
}

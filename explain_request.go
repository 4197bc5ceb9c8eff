// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"golang.org/x/net/http/httpguts"
)

// explainRequest is a request that somebody asks about.
type explainRequest struct {
	// With scheme and host, as the client would use it.
	URL string `json:"url"`
	// Default: GET.
	Method string `json:"method,omitempty"`
	// Values by name, as in the request.
	Headers map[string][]string `json:"headers,omitempty"`
	// The address that the connection comes from. Default: 127.0.0.1.
	From string `json:"from,omitempty"`
	// The server that gets it, where the port does not tell. Default: the one
	// that listens on the URL's port.
	Server string `json:"server,omitempty"`

	url  *url.URL
	peer string // address and port
}

// check parses the parts. Its errors repeat nothing of them: a URL can hold a
// token, and what was typed in the wrong place may be one.
func (in *explainRequest) check() error {
	var err error
	in.url, err = url.Parse(in.URL)
	switch {
	case err != nil, in.url.Scheme != "http" && in.url.Scheme != "https", in.url.Host == "":
		return errors.New("url: must begin with http:// or https:// and a host")
	case in.url.User != nil:
		return errors.New("url: must hold no user and password; send them in the header Authorization")
	case !httpguts.ValidHostHeader(in.url.Host):
		return errors.New("url: the host is not one")
	}
	if in.Method == "" {
		in.Method = http.MethodGet
	}
	// Longer ones are refused by Caddy itself, before any route.
	if !httpguts.ValidHeaderFieldName(in.Method) || len(in.Method) > 32 {
		return errors.New("method: must be one word of at most 32 letters")
	}
	for name, values := range in.Headers {
		if !httpguts.ValidHeaderFieldName(name) {
			return errors.New("headers: a name is not the name of a header")
		}
		if slices.ContainsFunc(values, func(v string) bool { return !httpguts.ValidHeaderFieldValue(v) }) {
			return errors.New("headers: a value has control characters")
		}
	}
	if in.peer, err = parsePeer(in.From); err != nil {
		return err
	}
	return nil
}

// parsePeer reads an address with or without a port.
func parsePeer(from string) (string, error) {
	if from == "" {
		from = "127.0.0.1"
	}
	if address, err := netip.ParseAddr(strings.Trim(from, "[]")); err == nil {
		return net.JoinHostPort(address.String(), "0"), nil
	}
	if both, err := netip.ParseAddrPort(from); err == nil {
		return both.String(), nil
	}
	return "", errors.New("from: must be an IP address, with or without a port")
}

// header returns the request's header with canonical names, as net/http would.
func (in *explainRequest) header() http.Header {
	header := make(http.Header, len(in.Headers))
	for name, values := range in.Headers {
		for _, value := range values {
			header.Add(name, strings.Trim(value, " \t"))
		}
	}
	header.Del("Host")
	return header
}

func (in *explainRequest) host() string {
	for name, values := range in.Headers {
		if http.CanonicalHeaderKey(name) == "Host" && len(values) > 0 {
			return values[0]
		}
	}
	return in.url.Host
}

// request prepares the request as the server does before its first route.
func (e *explainer) request(ctx context.Context, in *explainRequest) (*http.Request, error) {
	// The operator may have come over a Unix socket.
	ctx = context.WithValue(ctx, http.LocalAddrContextKey, new(net.TCPAddr))
	r, err := http.NewRequestWithContext(ctx, in.Method, in.url.String(), http.NoBody)
	if err != nil {
		return nil, errors.New("the request cannot be made")
	}
	r.Header = in.header()
	r.Host = in.host()
	if !httpguts.ValidHostHeader(r.Host) {
		return nil, errors.New("headers: Host is not one")
	}
	r.RequestURI = in.url.RequestURI()
	r.RemoteAddr = in.peer
	// The URL of a request to a server has a path and a query alone.
	r.URL.Scheme, r.URL.Host = "", ""
	if r.URL.Path == "" {
		r.URL.Path = "/"
	}
	r.URL.Fragment, r.URL.RawFragment = "", ""
	e.transport(r, in)
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, e.local(in.url)))
	seen := explainedRequest{Method: r.Method, From: in.peer, URL: e.mask.url(in.url), Headers: e.mask.lines(r.Header)}
	seen.Dropped = dropAliases(e.server, r.Header)
	e.sent = r.Header.Clone()
	r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), newAnswerRecorder(), e.server)
	seen.ClientIP, _ = caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	e.report.Request = seen
	return r, nil
}

// transport says how the request would arrive: over TLS only if the server
// speaks it, whatever a proxy in front of it does.
func (e *explainer) transport(r *http.Request, in *explainRequest) {
	speaksTLS := len(e.server.TLSConnPolicies) > 0
	switch secure := in.url.Scheme == "https"; {
	case secure && speaksTLS:
		r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/2.0", 2, 0
		r.TLS = &tls.ConnectionState{
			Version: tls.VersionTLS13, HandshakeComplete: true, CipherSuite: tls.TLS_AES_128_GCM_SHA256,
			NegotiatedProtocol: "h2", ServerName: in.url.Hostname(),
		}
	case secure:
		e.note("the server %s does not speak TLS itself: the request is explained as plain HTTP, as from a proxy in front of it", e.report.Server)
	case speaksTLS:
		e.note("the server %s speaks TLS: a request without it may be refused before any route", e.report.Server)
	}
}

// local is the address that the request would arrive at: the URL's port if the
// server listens there, and otherwise the first place where it does.
func (e *explainer) local(u *url.URL) net.Addr {
	var local net.Addr = new(net.TCPAddr)
	for _, listen := range slices.Backward(e.server.Listen) {
		address, err := caddy.ParseNetworkAddress(listen)
		port := uint(portOf(u))
		switch {
		case err != nil:
			continue
		case address.IsUnixNetwork():
			local = &net.UnixAddr{Name: address.Host, Net: address.Network}
			continue
		case port >= address.StartPort && port <= address.EndPort:
			return &net.TCPAddr{IP: localIP(address.Host, u.Hostname()), Port: int(port)}
		}
		local = &net.TCPAddr{IP: localIP(address.Host, u.Hostname()), Port: int(address.StartPort)}
	}
	return local
}

// localIP is the address that a listener has on this machine: its own, or where
// it listens on all, the one that the client names.
func localIP(bound, named string) net.IP {
	for _, text := range []string{bound, named} {
		if ip := net.ParseIP(text); ip != nil && !ip.IsUnspecified() {
			return ip
		}
	}
	return net.IPv4(127, 0, 0, 1)
}

// restoreOriginal undoes rewrites, as Caddy does before error routes.
func restoreOriginal(r *http.Request) {
	original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request)
	if !ok {
		return
	}
	r.Method, r.RemoteAddr, r.RequestURI = original.Method, original.RemoteAddr, original.RequestURI
	*r.URL = *original.URL
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/fcgi"
	"time"
)

// A reply is what an upstream answers. The zero value is 200.
type reply struct {
	status int
	header http.Header
}

// An upstream stands in for those of one proxy, and tells the lab what it is
// asked. It listens on a loopback port, as names like {upstream_hostport} want.
type upstream struct {
	lab      *lab
	proxy    int
	listener net.Listener
	server   *http.Server
}

func (l *lab) newUpstream(ctx context.Context, proxy int, fastCGI bool) (*upstream, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for proxy %d: %w", proxy, err)
	}
	u := &upstream{lab: l, proxy: proxy, listener: listener}
	if fastCGI {
		// Serve ends with the listener.
		go func() { _ = fcgi.Serve(listener, http.HandlerFunc(u.serveFastCGI)) }()
		return u, nil
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	u.server = &http.Server{Handler: http.HandlerFunc(u.serve), Protocols: protocols, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = u.server.Serve(listener) }()
	return u, nil
}

func (u *upstream) address() string { return u.listener.Addr().String() }

func (u *upstream) close() {
	if u.server != nil {
		_ = u.server.Close()
	}
	_ = u.listener.Close()
}

func (u *upstream) serve(w http.ResponseWriter, r *http.Request) {
	// Trailers are there once the body was read.
	_, _ = io.Copy(io.Discard, r.Body)
	u.answer(w, arrival{proxy: u.proxy, header: r.Header, trailer: r.Trailer})
}

func (u *upstream) serveFastCGI(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	u.answer(w, arrival{proxy: u.proxy, header: r.Header, vars: fcgi.ProcessEnv(r)})
}

func (u *upstream) answer(w http.ResponseWriter, a arrival) {
	says := u.lab.arrive(a)
	for name, values := range says.header {
		w.Header()[name] = values
	}
	if says.status == 0 {
		says.status = http.StatusOK
	}
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(says.status)
}

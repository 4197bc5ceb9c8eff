// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// patience is how long an answer may take within one process.
const patience = 5 * time.Second

// errUnspeakable says that a protocol cannot express a variant.
var errUnspeakable = errors.New("not expressible")

// A client sends requests to the copy.
type client struct {
	lab     *lab
	streams map[string]*http.Transport // HTTP/2, by server and address
	sent    int

	mu    sync.Mutex
	conns []net.Conn // of the streams
}

func newClient(l *lab) *client { return &client{lab: l, streams: make(map[string]*http.Transport)} }

// close hangs up, so that the servers stop at once.
func (c *client) close() {
	for _, transport := range c.streams {
		transport.CloseIdleConnections()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
}

// ask makes a request as somebody, with what a variant adds, and returns where
// it arrived. That it is not answered is no error: the site may well hang up.
func (c *client) ask(ctx context.Context, r *request, as persona, v variant, h2 bool) ([]arrival, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if v.origin != "" {
		v.method = http.MethodOptions
		v.lines = append([]string{"Origin: " + v.origin, "Access-Control-Request-Method: POST"}, v.lines...)
	}
	if v.method != "" || v.path != "" {
		other := *r
		other.method = cmp.Or(v.method, r.method)
		if _, query, ok := strings.Cut(r.target, "?"); v.path != "" {
			if other.target = v.path; ok {
				other.target += "?" + query
			}
		}
		r = &other
	}
	c.lab.begin(r, as)
	var err error
	if h2 {
		err = c.stream(ctx, r, v)
	} else {
		err = c.line(ctx, r, v)
	}
	c.sent++
	arrivals := c.lab.end()
	if errors.Is(err, errUnspeakable) {
		c.sent--
		return nil, err
	}
	return arrivals, nil
}

// line sends HTTP/1 as it is written, which net/http's client would not.
func (c *client) line(ctx context.Context, r *request, v variant) error {
	conn, err := c.lab.net.dial(ctx, r.server, r.from)
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return fmt.Errorf("bounding the answer: %w", err)
	}
	// The server answers while it reads, so it has to be read while it is written to.
	go func() { _, _ = io.WriteString(conn, message(r, v)) }()
	answer, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: r.method})
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusSwitchingProtocols {
		return nil
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

// message returns the bytes of a request in HTTP/1.
func message(r *request, v variant) string {
	var b strings.Builder
	target, version := r.target+withQuery(r.target, v.query), "HTTP/1.1"
	if v.absolute {
		target = "http://" + r.host + target
	}
	if v.http10 {
		version = "HTTP/1.0"
	}
	fmt.Fprintf(&b, "%s %s %s\r\nHost: %s\r\n", r.method, target, version, r.host)
	for _, line := range append(append([]string(nil), r.header...), v.lines...) {
		b.WriteString(line + "\r\n")
	}
	if len(v.trailers) == 0 {
		b.WriteString("\r\n")
		return b.String()
	}
	b.WriteString("Transfer-Encoding: chunked\r\nTE: trailers\r\n\r\n4\r\nbody\r\n0\r\n")
	for _, line := range v.trailers {
		b.WriteString(line + "\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}

func withQuery(target, query string) string {
	switch {
	case query == "":
		return ""
	case strings.Contains(target, "?"):
		return "&" + query
	}
	return "?" + query
}

// stream sends HTTP/2, without TLS.
func (c *client) stream(ctx context.Context, r *request, v variant) error {
	if v.http1 {
		return errUnspeakable
	}
	var body io.Reader
	if len(v.trailers) > 0 {
		body = io.MultiReader(strings.NewReader("body")) // of unknown length
	}
	asked, err := http.NewRequestWithContext(ctx, r.method, "http://"+r.host+r.target+withQuery(r.target, v.query), body)
	if err != nil {
		return errors.Join(errUnspeakable, err)
	}
	for _, line := range append(append([]string(nil), r.header...), v.lines...) {
		name, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(name, "Trailer") {
			continue // from the trailers themselves
		}
		asked.Header[name] = append(asked.Header[name], strings.TrimPrefix(value, " "))
	}
	for _, line := range v.trailers {
		if asked.Trailer == nil {
			asked.Trailer = make(http.Header)
		}
		name, value, _ := strings.Cut(line, ":")
		asked.Trailer[name] = append(asked.Trailer[name], strings.TrimPrefix(value, " "))
	}
	answer, err := c.transport(r.server, r.from).RoundTrip(asked)
	if err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

func (c *client) transport(server string, from netip.Addr) *http.Transport {
	key := server + " " + from.String()
	if transport := c.streams[key]; transport != nil {
		return transport
	}
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{
		Protocols:          protocols,
		DisableCompression: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := c.lab.net.dial(ctx, server, from)
			if err == nil {
				c.mu.Lock()
				c.conns = append(c.conns, conn)
				c.mu.Unlock()
			}
			return conn, err
		},
	}
	c.streams[key] = transport
	return transport
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
)

// networkName is Caddy's name of a network that is within this process: the
// copy of the site, which admits everybody, listens on no port.
const networkName = "rest-auth-self-test"

// A network connects the client with the servers of the copy.
type network struct {
	mu        sync.Mutex
	listeners map[string]*memoryListener // by server
}

func newNetwork() *network { return &network{listeners: make(map[string]*memoryListener)} }

// listen is how Caddy makes a listener of a network that a plugin registered.
// The host is the lab's token, a dot, and the number of the server.
func listen(_ context.Context, _, host, _ string, _ uint, _ net.ListenConfig) (any, error) {
	token, server, _ := strings.Cut(host, ".")
	l, err := labOf(token)
	if err != nil {
		return nil, err
	}
	listener := &memoryListener{incoming: make(chan net.Conn), closed: make(chan struct{})}
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	l.net.listeners[server] = listener
	return listener, nil
}

// dial connects to a server as if from an address.
func (n *network) dial(ctx context.Context, server string, from netip.Addr) (net.Conn, error) {
	n.mu.Lock()
	listener := n.listeners[server]
	n.mu.Unlock()
	if listener == nil {
		return nil, fmt.Errorf("server %s does not listen", server)
	}
	client, accepted := net.Pipe()
	conn := &memoryConn{Conn: accepted, remote: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 40000))}
	select {
	case listener.incoming <- conn:
		return client, nil
	case <-listener.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), client.Close(), accepted.Close())
	}
}

type memoryListener struct {
	incoming chan net.Conn
	once     sync.Once
	closed   chan struct{}
}

func (m *memoryListener) Accept() (net.Conn, error) {
	select {
	case conn := <-m.incoming:
		return conn, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memoryListener) Close() error {
	m.once.Do(func() { close(m.closed) })
	return nil
}

func (m *memoryListener) Addr() net.Addr { return loopback }

// loopback is where the servers say that they are.
var loopback = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}

// memoryConn is a connection that says where it comes from.
type memoryConn struct {
	net.Conn
	remote net.Addr
}

func (m *memoryConn) RemoteAddr() net.Addr { return m.remote }
func (m *memoryConn) LocalAddr() net.Addr  { return loopback }

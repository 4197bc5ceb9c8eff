// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// A cutter stands between a node and PostgreSQL. It reads the one packet by
// which a connection says what it is for, and can cut those of the feed alone.
type cutter struct {
	dir      string // of its socket, which a connection string names as host
	upstream string

	mu    sync.Mutex
	cut   bool
	feeds map[net.Conn]bool // both ends of each
}

// newCutter listens on a socket named as PostgreSQL names its own.
func newCutter(t *testing.T, upstream string) *cutter {
	t.Helper()
	c := &cutter{dir: shortDir(t), upstream: upstream, feeds: make(map[net.Conn]bool)}
	listener, err := net.Listen("unix", filepath.Join(c.dir, filepath.Base(upstream)))
	if err != nil {
		t.Fatal(err)
	}
	// The node's user, whoever that is, has to reach it.
	if err := os.Chmod(c.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go c.serve(conn)
		}
	}()
	return c
}

func (c *cutter) serve(client net.Conn) {
	defer client.Close()
	startup, err := readStartup(client)
	if err != nil {
		return
	}
	server, err := net.Dial("unix", c.upstream)
	if err != nil {
		return
	}
	defer server.Close()
	if bytes.Contains(startup, []byte("\x00application_name\x00caddy-rest-auth feed\x00")) {
		if !c.admit(client, server) {
			return
		}
		defer c.forget(client, server)
	}
	if _, err := server.Write(startup); err != nil {
		return
	}
	ended := make(chan struct{}, 2)
	forward := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		ended <- struct{}{}
	}
	go forward(server, client)
	go forward(client, server)
	<-ended
}

// readStartup reads the first packet of a connection, its length included.
func readStartup(conn net.Conn) ([]byte, error) {
	length := make([]byte, 4)
	if _, err := io.ReadFull(conn, length); err != nil {
		return nil, err
	}
	packet := make([]byte, min(binary.BigEndian.Uint32(length), 1<<16))
	copy(packet, length)
	_, err := io.ReadFull(conn, packet[4:])
	return packet, err
}

func (c *cutter) admit(ends ...net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		return false
	}
	for _, end := range ends {
		c.feeds[end] = true
	}
	return true
}

func (c *cutter) forget(ends ...net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, end := range ends {
		delete(c.feeds, end)
	}
}

// setCut ends the feeds under way, and admits no other until it is undone.
func (c *cutter) setCut(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
	for end := range c.feeds {
		if cut {
			_ = end.Close()
		}
	}
}

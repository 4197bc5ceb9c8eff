// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package peertest

import (
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
)

// Ports that are handed out: below those that systems give to whoever asks for
// any, so that no connection takes one before the server does that it is for.
const (
	firstPort = 10000
	ports     = 20000
)

// nextPort begins elsewhere in each process, since test binaries run at the same time.
var nextPort atomic.Uint32

func init() { nextPort.Store(uint32(os.Getpid()*211) % ports) }

// FreeAddress returns an address on loopback on which nobody listens, and which
// it will not return again soon.
func FreeAddress(t testing.TB) string {
	t.Helper()
	for range 200 {
		port := firstPort + int(nextPort.Add(1)%ports)
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		defer listener.Close()
		return listener.Addr().String()
	}
	t.Fatal("no port is free")
	return ""
}

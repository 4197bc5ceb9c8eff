// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// connections are enough to keep one core busy, each with one request under
	// way: the next is sent when the answer is there.
	connections = 16

	// patience is how long all connections may be silent.
	patience = 20 * time.Second
)

var errNoAnswer = errors.New("no answer from the server")

// load is a generator of requests: a loop over an epoll set of keep-alive
// connections. net/http, and even goroutines on Go's own poller, would cost
// more per request than the server that they are to measure.
type load struct {
	poll  int
	conns []loadConn // by file descriptor's place in the events
}

type loadConn struct {
	fd     int
	filled int
	buffer [16 << 10]byte
}

// dial opens the connections to a server on the loopback.
func dial(addr *net.TCPAddr) (*load, error) {
	poll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("making a poll set: %w", err)
	}
	l := &load{poll: poll, conns: make([]loadConn, connections)}
	for i := range l.conns {
		l.conns[i].fd = -1
	}
	for i := range l.conns {
		if err := l.connect(i, addr); err != nil {
			l.close()
			return nil, fmt.Errorf("connecting to %s: %w", addr, err)
		}
	}
	return l, nil
}

func (l *load) connect(i int, addr *net.TCPAddr) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	l.conns[i].fd = fd
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: addr.Port, Addr: [4]byte(addr.IP.To4())}); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return err
	}
	return unix.EpollCtl(l.poll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)})
}

func (l *load) close() {
	for i := range l.conns {
		if l.conns[i].fd >= 0 {
			unix.Close(l.conns[i].fd)
		}
	}
	unix.Close(l.poll)
}

// run sends requests until the time is over or so many were sent, and returns
// how many were answered: all that were sent. Every answer must have the
// status; the first that has not ends the run.
func (l *load) run(requests *requests, status, most int, lasting time.Duration) (int, error) {
	var (
		deadline = time.Now().Add(lasting)
		events   [connections]unix.EpollEvent
		sent     int
		answered int
	)
	for i := range l.conns {
		if sent == most {
			break
		}
		if err := l.conns[i].send(requests.next()); err != nil {
			return answered, err
		}
		sent++
	}
	for over := false; answered < sent; {
		n, err := unix.EpollWait(l.poll, events[:], int(patience.Milliseconds()))
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return answered, fmt.Errorf("waiting for answers: %w", err)
		}
		if n == 0 {
			return answered, errNoAnswer
		}
		over = over || time.Now().After(deadline)
		for _, event := range events[:n] {
			c := &l.conns[event.Fd]
			complete, err := c.receive(status)
			if err != nil {
				return answered, err
			}
			if !complete {
				continue
			}
			answered++
			if over || sent == most {
				continue
			}
			if err := c.send(requests.next()); err != nil {
				return answered, err
			}
			sent++
		}
	}
	return answered, nil
}

// send writes a request, which always fits into the empty buffer of a socket.
func (c *loadConn) send(request []byte) error {
	n, err := unix.Write(c.fd, request)
	if err != nil {
		return fmt.Errorf("sending a request: %w", err)
	}
	if n != len(request) {
		return fmt.Errorf("sending a request: %d of %d bytes were taken", n, len(request))
	}
	return nil
}

// receive reads what has arrived and reports whether it is a whole answer.
func (c *loadConn) receive(status int) (complete bool, err error) {
	n, err := unix.Read(c.fd, c.buffer[c.filled:])
	if errors.Is(err, syscall.EAGAIN) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading an answer: %w", err)
	}
	if n == 0 {
		return false, errors.New("reading an answer: the server has closed the connection, or the answer is too large")
	}
	c.filled += n
	got, size, err := parseResponse(c.buffer[:c.filled])
	if err != nil || size == 0 || c.filled < size {
		return false, err
	}
	if got != status || c.filled > size {
		return false, fmt.Errorf("the answer is not the %d that was expected: %q", status, c.buffer[:c.filled])
	}
	c.filled = 0
	return true, nil
}

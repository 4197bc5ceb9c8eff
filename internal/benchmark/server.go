// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	startTimeout = 60 * time.Second // 100,000 accounts of basic_auth take a while
	stopTimeout  = 10 * time.Second
)

// machine is where servers are started: the program, its place for files, and
// the cores.
type machine struct {
	cores
	caddy   string
	dir     string
	started int
}

// server is a Caddy process with a core to run on.
type server struct {
	cmd   *exec.Cmd
	log   string
	addrs []*net.TCPAddr // of the sites, in order
	ended chan error
}

// build compiles Caddy with this module, as xcaddy does.
func build(ctx context.Context, dir string) (string, error) {
	program := filepath.Join(dir, "caddy")
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "nobadger,nomysql,nopgx", "-o", program,
		"github.com/caddy-rest-auth/caddy-rest-auth/cmd/caddy")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("building Caddy: %w", err)
	}
	return program, nil
}

// start serves the sites, each on a port of its own, from one process.
func (m *machine) start(ctx context.Context, core *unix.CPUSet, options string, sites ...string) (*server, error) {
	m.started++
	name := filepath.Join(m.dir, fmt.Sprintf("server%d", m.started))
	s := &server{log: name + ".log", ended: make(chan error, 1)}
	var config strings.Builder
	fmt.Fprintf(&config, "{\n\tauto_https off\n\tpersist_config off\n\tgrace_period 1s\n\tstorage file_system %s\n%s\n}\n",
		storagePath(m.dir), options)
	for _, site := range sites {
		addr, err := freePort()
		if err != nil {
			return nil, err
		}
		s.addrs = append(s.addrs, addr)
		fmt.Fprintf(&config, "http://%s {\n\tbind 127.0.0.1\n%s\n}\n", addr, site)
	}
	if err := os.WriteFile(name+".caddyfile", []byte(config.String()), 0o600); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.cmd = exec.Command(m.caddy, "run", "--adapter", "caddyfile", "--config", name+".caddyfile")
	s.cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "HOME="+m.dir, "XDG_DATA_HOME="+m.dir, "XDG_CONFIG_HOME="+m.dir)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := m.startOn(core, s.cmd); err != nil {
		return nil, fmt.Errorf("starting Caddy: %w", err)
	}
	go func() { s.ended <- s.cmd.Wait() }()
	if err := s.await(ctx); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

func freePort() (*net.TCPAddr, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("looking for a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr), nil
}

// await returns when every site accepts connections.
func (s *server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for _, addr := range s.addrs {
		for {
			conn, err := net.DialTimeout("tcp4", addr.String(), time.Second)
			if err == nil {
				conn.Close()
				break
			}
			select {
			case err := <-s.ended:
				s.ended <- err
				return s.explain(fmt.Errorf("the server has ended: %w", err))
			case <-ctx.Done():
				return s.explain(fmt.Errorf("waiting for the server: %w", ctx.Err()))
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	return nil
}

// stop ends the process and waits for its end.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping a server: %w", err)
	}
	select {
	case <-s.ended:
	case <-time.After(stopTimeout):
		if err := s.cmd.Process.Kill(); err != nil {
			return fmt.Errorf("killing a server: %w", err)
		}
		<-s.ended
	}
	return nil
}

// explain adds the last lines of the server's log to an error.
func (s *server) explain(err error) error {
	log, readErr := os.ReadFile(s.log)
	if readErr != nil || len(log) == 0 {
		return err
	}
	lines := bytes.Split(bytes.TrimSpace(log), []byte("\n"))
	last := bytes.Join(lines[max(0, len(lines)-5):], []byte("\n"))
	return fmt.Errorf("%w\n%s", err, last)
}

func (s *server) cpu() (time.Duration, error) { return cpuTime(s.cmd.Process.Pid) }

// memory returns how much of the process is in memory, now and at most, in
// bytes.
func (s *server) memory() (now, peak int64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, 0, fmt.Errorf("reading the memory of the server: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		var kilobytes int64
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kilobytes); n == 1 {
			now = kilobytes << 10
		}
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes); n == 1 {
			peak = kilobytes << 10
		}
	}
	if now == 0 || peak == 0 {
		return 0, 0, errors.New("reading the memory of the server: the kernel does not say")
	}
	return now, peak, nil
}

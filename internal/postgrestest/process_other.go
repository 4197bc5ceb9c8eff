// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package postgrestest

import (
	"os/exec"
	"syscall"
)

func asServer(*exec.Cmd) {}

func own(string) error { return nil }

// A process is a postmaster, whose children are not found on this system.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

func run(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd, make(chan struct{})}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

func (p *process) signal(signal syscall.Signal) { _ = p.cmd.Process.Signal(signal) }

func (p *process) signalAll(signal syscall.Signal) int {
	if p.cmd.Process.Signal(signal) != nil {
		return 0
	}
	return 1
}

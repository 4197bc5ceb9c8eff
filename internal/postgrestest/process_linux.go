// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package postgrestest

import (
	"bytes"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
)

// serverUser is whom PostgreSQL runs as: it refuses to be root.
func serverUser() *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if account, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(account.Uid, 10, 32)
			gid, _ := strconv.ParseUint(account.Gid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return nil
}

func asServer(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: serverUser(), Pdeathsig: syscall.SIGQUIT, Setpgid: true}
}

func own(dir string) error {
	if credential := serverUser(); credential != nil {
		return os.Chown(dir, int(credential.Uid), int(credential.Gid))
	}
	return nil
}

// A process is a postmaster with its children.
type process struct {
	pid   int
	ended chan struct{}
}

// run starts a program. The thread that starts it lives as long as it does,
// since its end would be taken for the parent's.
func run(cmd *exec.Cmd) (*process, error) {
	started, p := make(chan error, 1), &process{ended: make(chan struct{})}
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(p.ended)
	}()
	return p, <-started
}

func (p *process) signal(signal syscall.Signal) {
	select {
	case <-p.ended: // the number may be another's by now
	default:
		_ = syscall.Kill(p.pid, signal)
	}
}

// signalAll signals the postmaster, which makes children, before those. It
// returns how many were there.
func (p *process) signalAll(signal syscall.Signal) (n int) {
	select {
	case <-p.ended:
		return 0
	default:
	}
	if syscall.Kill(p.pid, signal) == nil {
		n++
	}
	for _, pid := range children(p.pid) {
		if syscall.Kill(pid, signal) == nil {
			n++
		}
	}
	return n
}

func children(parent int) (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// The name, in parentheses, may have spaces; the state and the parent follow.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) < 2 || string(fields[1]) != strconv.Itoa(parent) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// cores are the two that everything runs on: servers have one to themselves.
type cores struct{ server, load unix.CPUSet }

// twoCores picks the first two cores that this process may run on, and moves
// the whole process to the second.
func twoCores() (cores, error) {
	var allowed unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		return cores{}, fmt.Errorf("reading the cores of this process: %w", err)
	}
	var picked []int
	for core := 0; len(picked) < 2; core++ {
		if core == len(allowed)*64 {
			return cores{}, fmt.Errorf("found %d cores: two are needed, one for the server and one for the load", len(picked))
		}
		if allowed.IsSet(core) {
			picked = append(picked, core)
		}
	}
	var c cores
	c.server.Set(picked[0])
	c.load.Set(picked[1])
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return cores{}, fmt.Errorf("listing the threads of this process: %w", err)
	}
	// Threads that start later are on the core of the thread that starts them.
	for _, task := range tasks {
		id, err := strconv.Atoi(task.Name())
		if err != nil {
			return cores{}, fmt.Errorf("listing the threads of this process: %w", err)
		}
		if err := unix.SchedSetaffinity(id, &c.load); err != nil {
			return cores{}, fmt.Errorf("pinning the load generator: %w", err)
		}
	}
	return c, nil
}

// startOn starts a command that never leaves the core.
func (c *cores) startOn(core *unix.CPUSet, cmd *exec.Cmd) error {
	// A child is born on the cores of the thread that forks.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.SchedSetaffinity(0, core); err != nil {
		return fmt.Errorf("pinning %s: %w", cmd.Path, err)
	}
	err := cmd.Start()
	if back := unix.SchedSetaffinity(0, &c.load); back != nil {
		return fmt.Errorf("pinning the load generator: %w", back)
	}
	return err
}

// cpuTime returns how long the threads of a process have run together, those
// that have ended included, to the nanosecond. This process is 0.
func cpuTime(pid int) (time.Duration, error) {
	clock := int32(unix.CLOCK_PROCESS_CPUTIME_ID)
	if pid != 0 {
		// As clock_getcpuclockid(3) makes it: all bits of the process inverted,
		// then the number of the scheduler's clock.
		clock = int32(^pid<<3 | 2)
	}
	var at unix.Timespec
	if err := unix.ClockGettime(clock, &at); err != nil {
		return 0, fmt.Errorf("reading the CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(at.Nano()), nil
}

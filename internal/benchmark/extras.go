// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

const (
	// overfull is more tokens than the cache remembers by default.
	overfull = 200_000

	// recheckPeriod is how often what is remembered of an active user is read
	// again.
	recheckPeriod = time.Minute

	crossCheck = 3 * time.Second
)

// memory is what a server takes whose store and cache are full.
type memory struct{ now, peak int64 }

// fullMemory asks for more tokens than the cache holds, out of the largest
// store, and then says what the server takes.
func (b *benchmark) fullMemory(ctx context.Context) (m memory, err error) {
	s := scenario{
		site: guarded(byToken, anyUser), stored: allTokens,
		ask: credentials{tokens: overfull}, warm: overfull,
	}
	err = b.serve(ctx, &s, adminOff, func(own, _ *target) error {
		m.now, m.peak, err = own.servers[0].memory()
		return err
	})
	return m, err
}

// sustained measures 100,000 active users of the largest store for so long
// that every one of them was rechecked once, beside plain Caddy before and
// after.
func (b *benchmark) sustained(ctx context.Context) (into series, err error) {
	plain, err := b.startPlain(ctx)
	if err != nil {
		return series{}, err
	}
	defer func() { err = errors.Join(err, plain.stop()) }()
	s := scenario{
		site: guarded(byToken, anyUser), stored: allTokens,
		ask: credentials{tokens: manyTokens}, warm: manyTokens,
	}
	err = b.serve(ctx, &s, adminOff, func(own, beside *target) error {
		var (
			t   trio
			err error
		)
		if t.plain, err = plain.respond.window(b.window); err != nil {
			return err
		}
		if t.own, err = own.window(recheckPeriod); err != nil {
			return err
		}
		if t.beside, err = beside.window(b.window); err != nil {
			return err
		}
		after, err := plain.respond.window(b.window)
		if err != nil {
			return err
		}
		t.plain = t.plain.plus(after)
		into.addStart([]trio{t})
		return nil
	})
	return into, err
}

var wrkRate = regexp.MustCompile(`(?m)^Requests/sec:\s+([0-9.]+)`)

// crossChecked are the rates of requests to plain Caddy that two generators
// come to, in turn. That of wrk is 0 where wrk is not installed.
type crossChecked struct{ ours, wrk float64 }

func (b *benchmark) crossCheck(ctx context.Context) (c crossChecked, err error) {
	program, err := exec.LookPath("wrk")
	if err != nil {
		return crossChecked{}, nil
	}
	plain, err := b.startPlain(ctx)
	if err != nil {
		return crossChecked{}, err
	}
	defer func() { err = errors.Join(err, plain.stop()) }()
	window, err := plain.respond.window(crossCheck)
	if err != nil {
		return crossChecked{}, err
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, program, "-t1", fmt.Sprintf("-c%d", connections),
		fmt.Sprintf("-d%ds", int(crossCheck.Seconds())), "http://"+plain.addrs[0].String()+"/")
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := b.machine.startOn(&b.machine.load, cmd); err != nil {
		return crossChecked{}, fmt.Errorf("starting wrk: %w", err)
	}
	if err := cmd.Wait(); err != nil {
		return crossChecked{}, fmt.Errorf("running wrk: %w", err)
	}
	match := wrkRate.FindSubmatch(out.Bytes())
	if match == nil {
		return crossChecked{}, fmt.Errorf("wrk does not say how fast it was:\n%s", out.Bytes())
	}
	rate, err := strconv.ParseFloat(string(match[1]), 64)
	return crossChecked{ours: window.rate(), wrk: rate}, err
}

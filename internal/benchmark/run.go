// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"
)

// adminOff is the global option for servers that nobody administers.
const adminOff = "\tadmin off\n"

// settled is how long a server is warmed up before its first window.
const settled = 300 * time.Millisecond

// benchmark is one run: all figures come from it.
type benchmark struct {
	machine *machine
	sites   surroundings
	window  time.Duration
	pairs   int
	results *results
}

// results are what a run has found.
type results struct {
	respond, proxy series
	scenarios      []scenario
	series         []series // of the scenarios
}

// baseline is plain Caddy, without any guard: the same program without ours in
// its configuration.
type baseline struct {
	*server
	respond, proxy *target
}

// round starts every process anew and measures all scenarios once.
func (b *benchmark) round(ctx context.Context, only *regexp.Regexp, progress func(string, *series)) (err error) {
	plain, err := b.startPlain(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plain.stop()) }()
	for i := range b.results.scenarios {
		if err := ctx.Err(); err != nil {
			return err
		}
		s := &b.results.scenarios[i]
		if !only.MatchString(s.name) {
			continue
		}
		if err := b.compare(ctx, s, plain, &b.results.series[i]); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		progress(s.name, &b.results.series[i])
	}
	return nil
}

func (b *benchmark) startPlain(ctx context.Context) (*baseline, error) {
	s, err := b.machine.start(ctx, &b.machine.server, adminOff, answers, proxies(&b.sites))
	if err != nil {
		return nil, err
	}
	plain := &baseline{server: s}
	if plain.respond, err = b.target(0, credentials{}, http.StatusOK, s); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	if plain.proxy, err = b.target(1, credentials{}, http.StatusOK, s); err != nil {
		return nil, errors.Join(err, plain.stop())
	}
	return plain, nil
}

func (p *baseline) stop() error {
	for _, t := range []*target{p.respond, p.proxy} {
		if t != nil {
			t.load.close()
		}
	}
	return p.server.stop()
}

// target connects to a site of the first server and warms it up.
func (b *benchmark) target(site int, ask credentials, status int, servers ...*server) (*target, error) {
	addr := servers[0].addrs[site]
	load, err := dial(addr)
	if err != nil {
		return nil, err
	}
	t := &target{servers: servers, load: load, requests: newRequests(addr, ask), status: status}
	if _, err := t.window(settled); err != nil {
		load.close()
		return nil, fmt.Errorf("warming up: %w", err)
	}
	return t, nil
}

// compare measures a scenario in windows that alternate with windows of plain
// Caddy, so that what else happens on the machine befalls all alike.
func (b *benchmark) compare(ctx context.Context, s *scenario, plain *baseline, into *series) error {
	return b.serve(ctx, s, adminOff, func(own, beside *target) error {
		alone, aloneSeries := plain.respond, &b.results.respond
		if s.proxied {
			alone, aloneSeries = plain.proxy, &b.results.proxy
		}
		var trios []trio
		for range b.pairs {
			var (
				t   trio
				err error
			)
			if t.plain, err = alone.window(b.window); err != nil {
				return err
			}
			if t.own, err = own.window(b.window); err != nil {
				return err
			}
			if t.beside, err = beside.window(b.window); err != nil {
				return err
			}
			aloneSeries.samples = append(aloneSeries.samples, t.plain)
			trios = append(trios, t)
		}
		into.addStart(trios)
		return nil
	})
}

// serve starts the scenario's processes, warms them up, and stops them when f
// has returned. The server also has an unguarded site, which f gets second.
func (b *benchmark) serve(ctx context.Context, s *scenario, global string, f func(own, beside *target) error) (err error) {
	sites := b.sites
	var servers []*server // the one that is asked comes first
	defer func() {
		for _, started := range servers {
			err = errors.Join(err, started.stop())
		}
	}()
	start := func(options string, served ...string) error {
		started, err := b.machine.start(ctx, &b.machine.server, options, served...)
		if err == nil {
			servers = append([]*server{started}, servers...)
		}
		return err
	}
	if s.helped {
		if err := start(adminOff, "\trespond 200"); err != nil {
			return err
		}
		sites.authorizer = servers[0].addrs[0].String()
	}
	unguarded := answers
	if s.proxied {
		unguarded = proxies(&sites)
	}
	if err := start(global+sites.options(s.stored, s.options), s.site(&sites), unguarded); err != nil {
		return err
	}
	own, err := b.target(0, s.ask, cmp.Or(s.status, http.StatusOK), servers...)
	if err != nil {
		return err
	}
	defer own.load.close()
	if _, err := own.run(s.warm, time.Minute); err != nil {
		return fmt.Errorf("warming up: %w", err)
	}
	beside, err := b.target(1, credentials{}, http.StatusOK, servers...)
	if err != nil {
		return err
	}
	defer beside.load.close()
	return f(own, beside)
}

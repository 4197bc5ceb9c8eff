// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Command benchmark measures what rest_auth costs beside plain Caddy. It
// builds Caddy with this module, serves each scenario from a process of its own
// on one core, loads it from the other, and prints a table in Markdown.
//
// A figure is the CPU time of the server per request. Each scenario is measured
// in windows that alternate with windows of plain Caddy, so that what else
// happens on the machine befalls both; the ratio of a pair is less noisy than
// its parts. What is printed are medians over several starts of all processes.
//
// docs/performance.md says more about the method.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
)

// settings are what the command line says.
type settings struct {
	starts, pairs int
	window        time.Duration
	only          *regexp.Regexp
	caddy         string
	profiles      string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, parseFlags(), os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchmark:", err)
		os.Exit(1)
	}
}

func parseFlags() settings {
	var s settings
	flag.IntVar(&s.starts, "starts", 5, "how often all processes start anew")
	flag.IntVar(&s.pairs, "pairs", 2, "windows of each scenario per start")
	flag.DurationVar(&s.window, "window", 500*time.Millisecond, "length of a window")
	only := flag.String("only", "", "measure only the scenarios whose names match this regular expression, and nothing beside")
	flag.StringVar(&s.caddy, "caddy", "", "measure this program instead of building one")
	flag.StringVar(&s.profiles, "profiles", "", "instead of measuring, write a CPU profile of each scenario to this directory")
	flag.Parse()
	var err error
	if s.only, err = regexp.Compile(*only); err != nil || s.starts < 1 || s.pairs < 1 || s.window <= 0 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	return s
}

func run(ctx context.Context, s settings, out, progress io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "rest-auth-benchmark")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	program := s.caddy
	if program == "" {
		fmt.Fprintln(progress, "building Caddy")
		if program, err = build(ctx, dir); err != nil {
			return err
		}
	}
	pinned, err := twoCores()
	if err != nil {
		return err
	}
	b := &benchmark{
		machine: &machine{cores: pinned, caddy: program, dir: dir},
		window:  s.window,
		pairs:   s.pairs,
		results: &results{scenarios: append(scenarios(), jwtScenarios()...)},
	}
	b.results.series = make([]series, len(b.results.scenarios))
	fmt.Fprintln(progress, "seeding stores")
	if err := b.prepare(ctx, s.only); err != nil {
		return err
	}
	upstream, err := b.machine.start(ctx, &pinned.load, adminOff, answers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, upstream.stop()) }()
	b.sites.upstream = upstream.addrs[0].String()
	if s.profiles != "" {
		return b.profile(ctx, s.only, s.profiles, progress)
	}
	return b.measure(ctx, s, out, progress)
}

// prepare makes what the sites of the scenarios refer to.
func (b *benchmark) prepare(ctx context.Context, only *regexp.Regexp) error {
	slow, err := bcrypt.GenerateFromPassword([]byte(benchPassword), bcrypt.MinCost)
	if err != nil {
		return fmt.Errorf("hashing the password: %w", err)
	}
	b.sites.bcrypt = string(slow)
	hash, err := password.New(password.Config{}).Hash(ctx, benchPassword)
	if err != nil {
		return fmt.Errorf("hashing the password: %w", err)
	}
	var sizes []int
	if only.MatchString(jwtFloods) {
		sizes = append(sizes, fewTokens)
	}
	for _, s := range b.results.scenarios {
		if s.stored > 0 && only.MatchString(s.name) && !slices.Contains(sizes, s.stored) {
			sizes = append(sizes, s.stored)
		}
	}
	if b.sites.stores, err = makeStores(ctx, b.machine.dir, sizes, hash); err != nil {
		return err
	}
	return b.prepareJWT(only)
}

func (b *benchmark) measure(ctx context.Context, s settings, out, progress io.Writer) error {
	for start := range s.starts {
		err := b.round(ctx, s.only, func(name string, measured *series) {
			last := measured.samples[len(measured.samples)-1]
			fmt.Fprintf(progress, "start %d: %s: %.1f µs, %.2f×\n", start+1, name,
				last.perRequest(), measured.toPlain[len(measured.toPlain)-1])
		})
		if err != nil {
			return err
		}
	}
	f := &found{results: b.results}
	if s.only.String() == "" {
		if err := b.measureMore(ctx, f, progress); err != nil {
			return err
		}
	}
	if s.only.MatchString(jwtFloods) {
		if err := b.measureJWT(ctx, f, progress); err != nil {
			return err
		}
	}
	report(out, f)
	return nil
}

// measureMore finds what is no ratio to plain Caddy.
func (b *benchmark) measureMore(ctx context.Context, f *found, progress io.Writer) (err error) {
	fmt.Fprintln(progress, "look-ups, memory, rechecks, the generator itself")
	if f.lookup, err = lookupTime(ctx, b.machine.dir, b.sites.stores[allTokens], allTokens); err != nil {
		return err
	}
	if f.memory, err = b.fullMemory(ctx); err != nil {
		return fmt.Errorf("memory: %w", err)
	}
	if f.sustained, err = b.sustained(ctx); err != nil {
		return fmt.Errorf("rechecks: %w", err)
	}
	f.check, err = b.crossCheck(ctx)
	return err
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	tests := map[string]struct {
		values []float64
		want   float64
	}{
		"none": {nil, 0},
		"one":  {[]float64{3}, 3},
		"odd":  {[]float64{9, 1, 3}, 3},
		"even": {[]float64{1, 9, 3, 4}, 4},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := median(tt.values); got != tt.want {
				t.Errorf("median(%v) = %v, want %v", tt.values, got, tt.want)
			}
		})
	}
}

func TestSeries(t *testing.T) {
	costing := func(perRequest time.Duration) sample {
		return sample{requests: 10, wall: time.Second, server: 10 * perRequest, load: time.Second / 2}
	}
	const us = time.Microsecond
	var s series
	// A noisy window, which the median leaves out.
	s.addStart([]trio{
		{plain: costing(10 * us), own: costing(12 * us), beside: costing(8 * us)},
		{plain: costing(10 * us), own: costing(90 * us), beside: costing(8 * us)},
		{plain: costing(20 * us), own: costing(24 * us), beside: costing(16 * us)},
	})
	s.addStart([]trio{{plain: costing(10 * us), own: costing(30 * us), beside: costing(10 * us)}})
	s.addStart([]trio{{plain: costing(10 * us), own: costing(11 * us), beside: costing(10 * us)}})
	if got := median(s.toPlain); got != 1.2 {
		t.Errorf("median of ratios %v = %v, want 1.2", s.toPlain, got)
	}
	if got := median(s.toOwn); got != 1.5 {
		t.Errorf("median of ratios %v = %v, want 1.5", s.toOwn, got)
	}
	if got := s.of(sample.perRequest); got != 24 {
		t.Errorf("median cost = %v µs, want 24", got)
	}
	if rate, busy := s.of(sample.rate), s.of(sample.loadBusy); rate != 10 || busy != 0.5 {
		t.Errorf("rate = %v, load = %v; want 10, 0.5", rate, busy)
	}
}

// TestCPUTime compares the two ways of naming this process.
func TestCPUTime(t *testing.T) {
	before, err := cpuTime(0)
	if err != nil {
		t.Fatal(err)
	}
	between, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	after, err := cpuTime(0)
	if err != nil {
		t.Fatal(err)
	}
	if before <= 0 || between < before || after < between {
		t.Errorf("CPU time = %v, %v, %v; want times that do not fall", before, between, after)
	}
	// Above the highest number that Linux gives.
	if _, err := cpuTime(1<<22 + 1); err == nil {
		t.Error("CPU time of no process: no error, want one")
	}
}

func TestReport(t *testing.T) {
	all := scenarios()
	r := &results{scenarios: all, series: make([]series, len(all))}
	plain := sample{requests: 1000, wall: time.Second, server: 20 * time.Millisecond, load: 10 * time.Millisecond}
	r.respond.samples = []sample{plain}
	for i := range all {
		own := plain
		own.server += time.Duration(i) * time.Millisecond
		r.series[i].addStart([]trio{{plain: plain, own: own, beside: plain}})
	}
	var out strings.Builder
	report(&out, &found{results: r, lookup: 12500 * time.Nanosecond, memory: memory{150 << 20, 160 << 20}})
	for _, want := range []string{
		"| plain Caddy, `respond` | 20.0 | 1000 | 1 |  | 1 | 2 % | 1 % |",
		"| token hit | 23.0 | 1000 | 1.15× | ≤ 1.20× | 1.15× | 2 % | 1 % |",
		"beside one of one user: +60.9 %",
		"time in the store: 12.5 µs",
		"150 MiB, 160 MiB at most",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report has no %q:\n%s", want, out.String())
		}
	}
}

// TestScenarios keeps names apart, since -only, reports and profiles go by them.
func TestScenarios(t *testing.T) {
	files := make(map[string]string)
	names := make(map[string]bool)
	for _, s := range scenarios() {
		names[s.name] = true
		file := fileName(s.name)
		if other, taken := files[file]; taken || !regexp.MustCompile(`^[A-Za-z0-9-]+$`).MatchString(file) {
			t.Errorf("file name %q of %q is taken by %q or odd", file, s.name, other)
		}
		files[file] = s.name
		if s.ask.tokens > s.stored {
			t.Errorf("%s asks for %d tokens of %d", s.name, s.ask.tokens, s.stored)
		}
	}
	for _, name := range []string{hitOfOne, hitOfAll, proxyHit} {
		if !names[name] {
			t.Errorf("no scenario is called %q", name)
		}
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"io"
	"time"
)

// found is all that a run has found.
type found struct {
	results   *results
	lookup    time.Duration
	memory    memory
	sustained series
	check     crossChecked
	kids      kidFlood
	forged    forgedFlood
}

// report writes the figures in Markdown.
func report(w io.Writer, f *found) {
	fmt.Fprintln(w, "| | CPU µs per request | requests/s | to plain Caddy | wanted | to the same process, unguarded | server's core | generator's core |")
	fmt.Fprintln(w, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	reportRow(w, "plain Caddy, `respond`", &f.results.respond, "")
	for i := range f.results.scenarios {
		s, measured := &f.results.scenarios[i], &f.results.series[i]
		if s.proxied {
			reportRow(w, "plain Caddy, `reverse_proxy`", &f.results.proxy, "")
		}
		if len(measured.samples) == 0 {
			continue
		}
		wanted := ""
		if s.target > 0 {
			wanted = fmt.Sprintf("≤ %.2f×", s.target)
		}
		reportRow(w, s.name, measured, wanted)
	}
	if len(f.sustained.samples) > 0 {
		reportRow(w, "the same for a minute, every user rechecked once", &f.sustained, "")
	}
	fmt.Fprintln(w)
	one, all := f.results.named(hitOfOne), f.results.named(hitOfAll)
	if len(one.toPlain) > 0 && len(all.toPlain) > 0 {
		fmt.Fprintf(w, "- %s, beside one of one user: %+.1f %% (wanted ≤ +8 %%)\n",
			hitOfAll, 100*(median(all.toPlain)/median(one.toPlain)-1))
	}
	if f.lookup > 0 {
		fmt.Fprintf(w, "- uncached look-up among 1,000,000 tokens, time in the store: %.1f µs (wanted < 25 µs)\n",
			float64(f.lookup.Nanoseconds())/1e3)
	}
	if f.memory.now > 0 {
		fmt.Fprintf(w, "- resident memory with 1,000,000 stored tokens and a full cache: %d MiB, %d MiB at most (wanted < 200 MiB)\n",
			f.memory.now>>20, f.memory.peak>>20)
	}
	if f.kids.sent > 0 {
		fmt.Fprintf(w, "- %d tokens of unknown keys in %.0f s: %d fetches of the key set (wanted 1); 99 %% of the good tokens' answers meanwhile within %d µs, before within %d µs, of the other site within %d and %d µs\n",
			f.kids.sent, kidTime.Seconds(), f.kids.fetches, f.kids.during.Microseconds(), f.kids.before.Microseconds(),
			f.kids.besideDuring.Microseconds(), f.kids.besideBefore.Microseconds())
	}
	if f.forged.sent > 0 {
		fmt.Fprintf(w, "- %d distinct tokens with bad signatures: resident memory grew by %.1f MiB (wanted < 64 MiB)\n",
			f.forged.sent, float64(f.forged.after-f.forged.before)/(1<<20))
	}
	if f.check.wrk > 0 {
		fmt.Fprintf(w, "- plain Caddy under wrk: %.0f requests/s; under this generator: %.0f\n", f.check.wrk, f.check.ours)
	}
}

func reportRow(w io.Writer, name string, s *series, wanted string) {
	if len(s.samples) == 0 {
		return
	}
	fmt.Fprintf(w, "| %s | %.1f | %.0f | %s | %s | %s | %.0f %% | %.0f %% |\n", name,
		s.of(sample.perRequest), s.of(sample.rate), ratio(s.toPlain), wanted, ratio(s.toOwn),
		100*s.of(sample.serverBusy), 100*s.of(sample.loadBusy))
}

func ratio(ratios []float64) string {
	if len(ratios) == 0 {
		return "1"
	}
	return fmt.Sprintf("%.2f×", median(ratios))
}

// named returns the series of a scenario, which is empty if it was not
// measured.
func (r *results) named(name string) *series {
	for i := range r.scenarios {
		if r.scenarios[i].name == name {
			return &r.series[i]
		}
	}
	return new(series)
}

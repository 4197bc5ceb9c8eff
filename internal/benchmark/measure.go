// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"cmp"
	"slices"
	"time"
)

// sample is what one window of load cost.
type sample struct {
	requests int
	wall     time.Duration
	server   time.Duration // CPU time of the server, its authorization server included
	load     time.Duration // CPU time of the generator
}

// perRequest returns the microseconds of the server's CPU time per request.
func (s sample) perRequest() float64 {
	return float64(s.server.Nanoseconds()) / 1e3 / float64(s.requests)
}

func (s sample) rate() float64       { return float64(s.requests) / s.wall.Seconds() }
func (s sample) serverBusy() float64 { return s.server.Seconds() / s.wall.Seconds() }
func (s sample) loadBusy() float64   { return s.load.Seconds() / s.wall.Seconds() }

// plus returns both windows as one.
func (s sample) plus(other sample) sample {
	return sample{s.requests + other.requests, s.wall + other.wall, s.server + other.server, s.load + other.load}
}

// target is a server under load from one generator.
type target struct {
	servers  []*server // whose CPU time counts; the first is asked
	load     *load
	requests *requests
	status   int
}

// window sends requests for a while and says what they cost. All requests are
// answered when it returns, so that nothing is counted in the wrong window.
func (t *target) window(lasting time.Duration) (sample, error) {
	return t.run(-1, lasting)
}

// run is window, with at most so many requests unless most is negative.
func (t *target) run(most int, lasting time.Duration) (sample, error) {
	serverFrom, err := t.cpu()
	if err != nil {
		return sample{}, err
	}
	loadFrom, err := cpuTime(0)
	if err != nil {
		return sample{}, err
	}
	from := time.Now()
	n, err := t.load.run(t.requests, t.status, most, lasting)
	if err != nil {
		return sample{}, t.servers[0].explain(err)
	}
	s := sample{requests: n, wall: time.Since(from)}
	loadTo, err := cpuTime(0)
	if err != nil {
		return sample{}, err
	}
	serverTo, err := t.cpu()
	if err != nil {
		return sample{}, err
	}
	s.server, s.load = serverTo-serverFrom, loadTo-loadFrom
	return s, nil
}

func (t *target) cpu() (total time.Duration, err error) {
	for _, s := range t.servers {
		used, err := s.cpu()
		if err != nil {
			return 0, err
		}
		total += used
	}
	return total, nil
}

// trio is a window of a scenario and two of the same requests unguarded: to a
// process that has nothing else, and to the scenario's own.
type trio struct{ plain, own, beside sample }

// series are the windows of one scenario over all starts.
type series struct {
	samples []sample
	toPlain []float64 // ratios to plain Caddy, one per start
	toOwn   []float64 // ratios to the unguarded site of the same process
}

// addStart takes the windows of one process start.
func (s *series) addStart(trios []trio) {
	var toPlain, toOwn []float64
	for _, t := range trios {
		toPlain = append(toPlain, t.own.perRequest()/t.plain.perRequest())
		toOwn = append(toOwn, t.own.perRequest()/t.beside.perRequest())
		s.samples = append(s.samples, t.own)
	}
	s.toPlain = append(s.toPlain, median(toPlain))
	s.toOwn = append(s.toOwn, median(toOwn))
}

func (s *series) of(figure func(sample) float64) float64 {
	figures := make([]float64, len(s.samples))
	for i := range s.samples {
		figures[i] = figure(s.samples[i])
	}
	return median(figures)
}

// median returns the middle value, the upper one of two, and 0 if there is
// none.
func median[T cmp.Ordered](values []T) (middle T) {
	if len(values) == 0 {
		return middle
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"net/http"
	"slices"
)

const (
	// maxDrafts bounds the requests that are made of one way.
	maxDrafts = 48
	// maxCandidates bounds those of all.
	maxCandidates = 6000
)

// candidates returns requests that may go the way, the likeliest first.
func candidates(s *site, w way) []*request {
	var steps [][]draft
	for _, step := range w.steps {
		steps = append(steps, draftsOf(step))
	}
	var requests []*request
	for _, d := range product(steps) {
		requests = append(requests, d.requests(s, w.reply)...)
	}
	if !w.errors {
		return requests
	}
	var failing []*request
	for _, r := range requests {
		long := *r
		long.method = tooLong
		failing = append(failing, &long, r)
		for _, status := range statuses(w) {
			failed := *r
			failed.fails = status
			failing = append(failing, &failed)
		}
	}
	return failing
}

// product merges every draft of a step with every draft of those before, as
// far as the bound allows.
func product(steps [][]draft) []draft {
	drafts := []draft{{}}
	for _, options := range steps {
		var next []draft
		for _, d := range drafts {
			for _, option := range options {
				next = append(next, d.merge(option))
			}
		}
		if len(next) > 0 {
			drafts = next[:min(len(next), maxDrafts)]
		}
	}
	return drafts
}

func draftsOf(s step) []draft {
	if s.strip != "" {
		return []draft{{strip: []string{s.strip}}}
	}
	var drafts []draft
	for _, set := range s.sets {
		drafts = append(drafts, fromSet(set)...)
	}
	if len(drafts) == 0 {
		return []draft{{}}
	}
	return drafts[:min(len(drafts), maxDrafts)]
}

// requests makes requests of a draft. Where several conditions on the path do
// not fit together, each is tried, since handlers between may have changed it.
func (d draft) requests(s *site, answers reply) []*request {
	r := request{
		server: s.id, https: s.https, h2: d.h2, from: fromHere,
		method: http.MethodGet, host: "self-test.example", header: d.header, reply: answers,
	}
	if d.method != "" {
		r.method = d.method
	}
	if d.host != "" {
		r.host = d.host
	}
	if d.from.IsValid() {
		r.from = d.from
	}
	if d.scheme != "" {
		r.https = d.scheme == "https"
	}
	var paths []string
	add := func(path string) {
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	prefix := ""
	for _, strip := range d.strip {
		prefix += strip
	}
	for _, path := range slices.Backward(d.paths) {
		if prefix != "" {
			add(prefix + path)
		}
		add(path)
	}
	if len(paths) == 0 {
		add(prefix + "/" + filler)
		add(prefix + "/")
	}
	var all []*request
	for _, path := range paths {
		one := r
		one.target = escapePath(path)
		if len(d.query) > 0 {
			one.target += "?" + d.query.Encode()
		}
		all = append(all, &one)
	}
	return all
}

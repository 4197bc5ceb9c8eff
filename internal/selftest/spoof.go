// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// spoof sends every variant of every identity header on every path, as the
// tester and as nobody.
func (t *trial) spoof(ctx context.Context, sources []variant) error {
	for _, p := range t.paths {
		personas := []persona{known, anonymous}
		if p.as == refused {
			personas = []persona{refused}
		}
		for _, as := range personas {
			if err := t.spoofPath(ctx, p, as, sources); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *trial) spoofPath(ctx context.Context, p *path, as persona, sources []variant) error {
	b := t.belief(p.arrival.proxy)
	for _, h2 := range []bool{false, true} {
		if !h2 && p.request.h2 {
			continue
		}
		if open, err := t.open(ctx, p, as, h2); err != nil {
			return err
		} else if !open {
			continue
		}
		for _, v := range sources {
			if err := t.probe(ctx, p, as, "", v, h2); err != nil {
				return err
			}
		}
		for _, name := range append(slices.Clone(b.headers), b.vars...) {
			for _, v := range append(variants(name, t.lab.marker), preflights(name, t.lab.marker, t.copier.origins)...) {
				if err := t.probe(ctx, p, as, name, v, h2); err != nil {
					return err
				}
			}
		}
	}
	return t.common(ctx, p, as)
}

// open reports whether the way to the proxy is open to somebody who speaks a
// protocol. What was spoofed would otherwise be stopped for another reason, and
// nothing would be known of it.
func (t *trial) open(ctx context.Context, p *path, as persona, h2 bool) (bool, error) {
	arrivals, err := t.client.ask(ctx, p.request, as, variant{}, h2)
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(arrivals, func(a arrival) bool { return a.proxy == p.arrival.proxy }) {
		return true, nil
	}
	if as == p.as || !p.judged() {
		version := "HTTP/1.1"
		if h2 {
			version = "HTTP/2"
		}
		t.report.add(Finding{
			Severity: Notice, Proxy: p.arrival.proxy + 1, Request: p.request.String(),
			Text: "the request does not arrive over " + version + ", where nothing was tested",
		})
	}
	return false, nil
}

// probe sends one variant and compares what arrives with what should.
func (t *trial) probe(ctx context.Context, p *path, as persona, name string, v variant, h2 bool) error {
	arrivals, err := t.client.ask(ctx, p.request, as, v, h2)
	if errors.Is(err, errUnspeakable) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, a := range arrivals {
		if (v.method != "" || v.path != "") && t.elsewhere(p, a) {
			continue // that way has a request of its own
		}
		t.leaks(p, as, v, a)
		if v.nominates && as == known && sameWay(a, p.arrival) {
			t.losses(p, name, v, a)
		}
	}
	return nil
}

// elsewhere reports whether a request arrived on another way that is known.
func (t *trial) elsewhere(p *path, a arrival) bool {
	return !sameWay(p.arrival, a) && slices.ContainsFunc(t.paths, func(other *path) bool { return sameWay(other.arrival, a) })
}

// leaks reports headers by which the upstream is told who the client is, and
// which hold what the client wrote.
func (t *trial) leaks(p *path, as persona, v variant, a arrival) {
	b := t.belief(a.proxy)
	found := func(header, saw string) {
		t.report.add(Finding{
			Severity: Leak, Proxy: a.proxy + 1, Header: header, Request: p.request.String(),
			As: []string{string(as)}, Spellings: []string{v.label}, Saw: []string{saw}, Text: t.leakText(a),
		})
	}
	for _, header := range b.headers {
		for name, values := range a.header {
			if fold(name) == fold(header) && slices.ContainsFunc(values, t.isSpoofed) {
				found(header, name)
			}
		}
		for name, values := range a.trailer {
			if fold(name) == fold(header) && slices.ContainsFunc(values, t.isSpoofed) {
				found(header, name+" (trailer)")
			}
		}
	}
	for _, name := range b.vars {
		if t.isSpoofed(a.vars[name]) {
			found(name, name)
		}
	}
}

func (t *trial) leakText(a arrival) string {
	if len(a.guards) == 0 {
		return "the request passes no rest_auth, and the upstream believes the header"
	}
	return "the upstream believes what the client wrote"
}

func (t *trial) isSpoofed(value string) bool {
	return strings.Contains(strings.ToLower(value), strings.ToLower(t.lab.marker))
}

// losses reports a header that arrives without the spoof, and does not with it.
func (t *trial) losses(p *path, name string, v variant, a arrival) {
	before, after := p.arrival.header[http.CanonicalHeaderKey(name)], a.header[http.CanonicalHeaderKey(name)]
	if len(before) == 0 || len(after) > 0 || p.as != known {
		return
	}
	t.report.add(Finding{
		Severity: Lost, Proxy: a.proxy + 1, Header: name, Request: p.request.String(),
		As: []string{string(known)}, Spellings: []string{v.label},
		Text: "a client can have the header removed on its way to the upstream",
	})
}

// common sends the headers that other upstreams believe, all at once, and tells
// which of them arrive where rest_auth guards.
func (t *trial) common(ctx context.Context, p *path, as persona) error {
	b := t.belief(p.arrival.proxy)
	if !b.guarded || len(p.arrival.guards) == 0 {
		return nil
	}
	var v variant
	for _, name := range commonNames {
		if !slices.ContainsFunc(b.headers, func(told string) bool { return fold(told) == fold(name) }) {
			v.lines = append(v.lines, name+": "+t.lab.marker)
		}
	}
	arrivals, err := t.client.ask(ctx, p.request, as, v, p.request.h2)
	if err != nil {
		return err
	}
	for _, a := range arrivals {
		var passed []string
		for _, name := range commonNames {
			values := a.header[http.CanonicalHeaderKey(name)]
			if slices.ContainsFunc(values, t.isSpoofed) {
				passed = append(passed, name)
			}
		}
		if len(passed) > 0 && a.proxy == p.arrival.proxy {
			t.passed(a.proxy+1, passed)
		}
		t.missing(p, as, a)
	}
	return nil
}

// passed notes common headers that arrive at a proxy. They are one notice for
// all proxies alike, since most sites strip none of them.
func (t *trial) passed(proxy int, names []string) {
	slices.Sort(names)
	for i, f := range t.report.Findings {
		if f.Text != unstripped {
			continue
		}
		if slices.Equal(f.Saw, names) {
			t.report.Findings[i].Proxies = union(f.Proxies, []int{proxy})
			return
		}
	}
	t.report.Findings = append(t.report.Findings, Finding{Severity: Notice, Proxies: []int{proxy}, Saw: names, Text: unstripped})
}

// unstripped is the text of a notice.
const unstripped = "these headers are not stripped, for rest_auth sets none of them; does an upstream read one?"

// missing reports a header that rest_auth sets and that a known client's
// request does not have when it arrives.
func (t *trial) missing(p *path, as persona, a arrival) {
	if as != known || a.proxy != p.arrival.proxy {
		return
	}
	for _, index := range a.judged {
		for _, name := range t.copier.guards[index].names {
			if len(a.header[name]) == 0 {
				t.report.add(Finding{
					Severity: Notice, Proxy: a.proxy + 1, Header: name, Request: p.request.String(),
					Text: "rest_auth sets the header for a known client, and it does not arrive",
				})
			}
		}
	}
}

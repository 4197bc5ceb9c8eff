// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// A path is one way to a proxy that is known to exist: a request that arrived.
type path struct {
	request *request
	as      persona
	arrival arrival
}

// judged reports whether some rest_auth handler asked who the client is.
func (p *path) judged() bool { return len(p.arrival.judged) > 0 }

// A belief is what an upstream, which several proxies may have, is told of the
// client anywhere in the configuration.
type belief struct {
	guarded bool     // a rest_auth handler is before one of the proxies
	headers []string // by which it is told
	vars    []string // of CGI, the same
}

// A trial is one run of the test.
type trial struct {
	lab       *lab
	copier    *copier
	client    *client
	options   Options
	paths     []*path
	byAddress map[string]*belief // of upstreams
	report    *Report
}

// discover finds a request for every proxy, and for every set of rest_auth
// handlers that can be before it.
func (t *trial) discover(ctx context.Context, urls []*request) error {
	all := slices.Clone(t.forEverySite(urls))
	proxies := make(map[string]*proxy)
	for i, u := range t.copier.upstreams {
		proxies[u.address()] = t.copier.proxies[i]
	}
	for _, s := range t.copier.sites {
		w := &walker{server: s, proxies: proxies}
		w.walk()
		for _, way := range w.ways {
			all = append(all, candidates(s, way)...)
		}
	}
	asked := make(map[string]bool)
	for _, r := range all {
		key := fmt.Sprint(r.server, r.https, r.h2, r.from, r.method, r.host, r.target, r.header, r.fails, r.reply)
		if asked[key] {
			continue
		}
		if len(asked) >= maxCandidates {
			t.report.add(Finding{Severity: Notice, Text: fmt.Sprintf("only the first %d requests that the matchers suggest were tried", maxCandidates)})
			break
		}
		asked[key] = true
		if err := t.try(ctx, r, known); err != nil {
			return err
		}
		if t.hasErrorRoutes(r.server) {
			if err := t.try(ctx, r, refused); err != nil {
				return err
			}
		}
	}
	return nil
}

// forEverySite returns the requests of --url, which do not say what server
// they are for.
func (t *trial) forEverySite(urls []*request) []*request {
	var all []*request
	for _, r := range urls {
		for _, s := range t.copier.sites {
			one := *r
			one.server = s.id
			all = append(all, &one)
		}
	}
	return all
}

func (t *trial) hasErrorRoutes(server string) bool {
	for _, s := range t.copier.sites {
		if s.id == server {
			return contains(s.raw, "errors")
		}
	}
	return false
}

// contains reports whether a field is anywhere in a value.
func contains(v any, field string) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return contains(item, field) })
	case object:
		for name, item := range v {
			if name == field || contains(item, field) {
				return true
			}
		}
	}
	return false
}

// try makes a request and remembers where it arrived, if nothing arrived there
// in the same way before.
func (t *trial) try(ctx context.Context, r *request, as persona) error {
	arrivals, err := t.client.ask(ctx, r, as, variant{}, r.h2)
	if err != nil {
		return err
	}
	for _, a := range arrivals {
		if !slices.ContainsFunc(t.paths, func(p *path) bool {
			// Whom nobody judges is nobody in particular.
			return sameWay(p.arrival, a) && (p.as == as || !p.judged())
		}) {
			t.paths = append(t.paths, &path{request: r, as: as, arrival: a})
		}
		t.learn(a, as)
	}
	return nil
}

func sameWay(a, b arrival) bool {
	return a.proxy == b.proxy && slices.Equal(a.guards, b.guards) && slices.Equal(a.judged, b.judged)
}

// learn notes by which headers the upstreams of a proxy are told who the client
// is: those that rest_auth sets, and all in which the tester turned up.
func (t *trial) learn(a arrival, as persona) {
	if as != known {
		return
	}
	learned := belief{guarded: len(a.guards) > 0}
	for _, index := range a.judged {
		learned.headers = union(union(learned.headers, t.copier.guards[index].names), t.copier.guards[index].inputs)
	}
	for name, values := range a.header {
		if slices.ContainsFunc(values, t.isTester) {
			learned.headers = union(learned.headers, []string{http.CanonicalHeaderKey(name)})
		}
	}
	for name, value := range a.vars {
		if t.isTester(value) {
			learned.vars = union(learned.vars, []string{name})
		}
	}
	for _, address := range t.copier.proxies[a.proxy].dials {
		if t.byAddress[address] == nil {
			t.byAddress[address] = new(belief)
		}
		t.byAddress[address].add(learned)
	}
}

func (t *trial) isTester(value string) bool { return strings.Contains(value, t.lab.tester.ID) }

// belief returns what any upstream of a proxy believes: it may be the one that
// is asked.
func (t *trial) belief(index int) *belief {
	b := new(belief)
	for _, name := range t.options.Headers {
		b.headers = union(b.headers, []string{http.CanonicalHeaderKey(name)})
	}
	if t.copier.proxies[index].fastCGI {
		b.vars = []string{"REMOTE_USER"}
	}
	for _, address := range t.copier.proxies[index].dials {
		if known := t.byAddress[address]; known != nil {
			b.add(*known)
		}
	}
	return b
}

func (b *belief) add(other belief) {
	b.guarded = b.guarded || other.guarded
	b.headers, b.vars = union(b.headers, other.headers), union(b.vars, other.vars)
}

// describe writes what was discovered into the report, with the proxies that
// nothing reached and those that nothing guards.
func (t *trial) describe() {
	for i, p := range t.copier.proxies {
		b := t.belief(i)
		slices.Sort(b.headers)
		slices.Sort(b.vars)
		described := Proxy{
			Number: i + 1, Where: p.where, Upstream: p.upstream, Sites: p.sites,
			Headers: append(slices.Clone(b.headers), b.vars...), Ways: []Way{},
		}
		for _, path := range t.paths {
			if path.arrival.proxy != i {
				continue
			}
			described.Ways = append(described.Ways, Way{
				Request: path.request.String(),
				Guards:  t.places(path.arrival.guards), Judging: t.places(path.arrival.judged),
			})
			if len(path.arrival.guards) == 0 {
				t.report.add(Finding{
					Severity: Notice, Proxy: i + 1, Request: path.request.String(),
					Text: unguarded,
				})
			}
		}
		if len(described.Ways) == 0 {
			t.report.add(Finding{
				Severity: Unreached, Proxy: i + 1,
				Text: "no request reached this proxy: name one with --url",
			})
		}
		t.report.Proxies = append(t.report.Proxies, described)
	}
}

func (t *trial) places(guards []int) []string {
	places := []string{}
	for _, index := range guards {
		places = append(places, t.copier.guards[index].where)
	}
	return places
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package selftest sends what a client could spoof through a harmless copy of
// a configuration, and reports what an upstream would believe.
package selftest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"golang.org/x/net/http/httpguts"
)

// Options say what is tested beside what the configuration shows.
type Options struct {
	// URLs are requests that reach proxies which none of those do that the
	// matchers suggest, as "https://example.com/path" or "POST https://…".
	URLs []string
	// Headers are names that upstreams believe, beside those that rest_auth
	// sets.
	Headers []string
	// Keep names apps and handlers that the copy has, although nobody knows
	// what they do.
	Keep []string
	// AllowUnreached does not count proxies that no request reached.
	AllowUnreached bool
	// List finds the proxies and the ways to them, and spoofs nothing.
	List bool
}

// Run tests a configuration in JSON. It runs a copy in this process, in place
// of what Caddy runs here; errors mean that nothing could be tested.
func Run(ctx context.Context, config []byte, options Options) (_ *Report, err error) {
	var urls []*request
	for _, text := range options.URLs {
		r, err := parseURL(text)
		if err != nil {
			return nil, err
		}
		urls = append(urls, r)
	}
	for _, name := range options.Headers {
		if !httpguts.ValidHeaderFieldName(name) {
			return nil, fmt.Errorf("'%s' is not a header name", name)
		}
	}
	register()
	dir, err := os.MkdirTemp("", "rest-auth-self-test-")
	if err != nil {
		return nil, fmt.Errorf("making a directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	l := newLab(config)
	defer l.close()
	c := &copier{lab: l, dir: dir, keep: options.Keep, ctx: ctx}
	defer c.close()
	copied, err := c.copy(config)
	if err != nil {
		return nil, err
	}
	if err := caddy.Load(copied, true); err != nil {
		if len(c.leftOut) > 0 {
			names := slices.Sorted(maps.Keys(c.leftOut))
			return nil, fmt.Errorf("running a copy of the configuration: %w (it does without %s; --keep names what it needs)", err, strings.Join(names, ", "))
		}
		return nil, fmt.Errorf("running a copy of the configuration: %w", err)
	}
	defer func() { err = errors.Join(err, caddy.Stop()) }()
	asking := newClient(l)
	defer asking.close()
	t := &trial{
		lab: l, copier: c, client: asking, options: options,
		byAddress: make(map[string]*belief), report: new(Report),
	}
	if err := t.discover(ctx, urls); err != nil {
		return nil, err
	}
	t.describe()
	if !options.List {
		if err := t.spoof(ctx, sourcesOf(config, l.marker)); err != nil {
			return nil, err
		}
	}
	t.report.Requests = asking.sent
	t.report.LeftOut = c.leftOut
	t.report.finish(options.AllowUnreached)
	return t.report, nil
}

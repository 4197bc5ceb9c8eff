// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/loginthrottle"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/memory"
)

// guesses holds a *sharedGuesses for each store in use.
var guesses = caddy.NewUsagePool()

// sharedGuesses is what the process knows of guesses beside a store. It
// outlives a reload, as the counts in the store do.
type sharedGuesses struct {
	*loginthrottle.Memory
	counts *memory.Store
	store  string
}

func acquireGuesses(store string) (*sharedGuesses, error) {
	value, _, err := guesses.LoadOrNew(store, func() (caddy.Destructor, error) {
		counts := memory.New()
		return &sharedGuesses{Memory: loginthrottle.NewMemory(counts), counts: counts, store: store}, nil
	})
	if err != nil {
		return nil, err
	}
	return value.(*sharedGuesses), nil
}

func (g *sharedGuesses) release() error {
	_, err := guesses.Delete(g.store)
	return err
}

// Destruct implements caddy.Destructor.
func (g *sharedGuesses) Destruct() error { return g.counts.Close() }

// loginResults are there from the start, so that an increase is seen of the first
// of each, too.
var loginResults = func() map[string]prometheus.Counter {
	counters := make(map[string]prometheus.Counter)
	for _, result := range loginthrottle.Results {
		counters[result] = loginsTotal.WithLabelValues(loginthrottle.KindPassword, result)
	}
	return counters
}()

func observeLogin(kind, result string) {
	if counter := loginResults[result]; kind == loginthrottle.KindPassword && counter != nil {
		counter.Inc()
		return
	}
	loginsTotal.WithLabelValues(kind, result).Inc()
}

func (a *App) newLoginThrottle() (throttle *loginthrottle.Throttle, err error) {
	if a.guesses, err = acquireGuesses(a.driver.Identifier()); err != nil {
		return nil, err
	}
	options := loginthrottle.Options{
		Store:   a.store,
		Memory:  a.guesses.Memory,
		Logger:  a.logger,
		Observe: observeLogin,
	}
	if a.LoginThrottle != nil {
		options.Settings = *a.LoginThrottle
	}
	return loginthrottle.New(options)
}

// parseLoginThrottle parses the line login_throttle of the app.
func parseLoginThrottle(d *caddyfile.Dispenser, s *loginthrottle.Settings) error {
	args := d.RemainingArgs()
	if len(args) > 1 {
		return d.ArgErr()
	}
	if len(args) == 1 {
		if args[0] != "off" {
			return d.Errf("login_throttle: '%s' is not off", args[0])
		}
		s.Off = true
	}
	lines := 0
	for nesting := d.Nesting(); d.NextBlock(nesting); lines++ {
		if s.Off {
			return d.Err("login_throttle off has no block")
		}
		if err := parseLoginThrottleLine(d, s); err != nil {
			return err
		}
	}
	if lines == 0 && !s.Off {
		return d.Err("login_throttle takes off, or a block")
	}
	return nil
}

func parseLoginThrottleLine(d *caddyfile.Dispenser, s *loginthrottle.Settings) error {
	switch word := d.Val(); word {
	case "user":
		return parseCount(d, &s.User)
	case "address":
		return parseCount(d, &s.Address)
	case "limit":
		return parseCount(d, &s.Limit)
	case "delay":
		return parseDurations(d, &s.Delay, &s.MaxDelay)
	case "quiet":
		return parseDurations(d, &s.Quiet)
	case "known":
		return parseDurations(d, &s.Known)
	default:
		return d.Errf("unrecognized subdirective '%s'", word)
	}
}

// parseDurations parses a line of durations above zero.
func parseDurations(d *caddyfile.Dispenser, into ...*caddy.Duration) error {
	setting := d.Val()
	if *into[0] != 0 {
		return d.Errf("%s is given twice", setting)
	}
	args := d.RemainingArgs()
	if len(args) != len(into) {
		return d.ArgErr()
	}
	for i, target := range into {
		duration, err := caddy.ParseDuration(args[i])
		if err != nil || duration <= 0 {
			return d.Errf("%s: '%s' is not a duration, as 30s", setting, args[i])
		}
		*target = caddy.Duration(duration)
	}
	return nil
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package outbound_test

import (
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

func parse(text string) (s outbound.Settings, unknown string, err error) {
	d := caddyfile.NewTestDispenser(text)
	for d.Next() {
		known, err := s.ParseLine(d)
		if err != nil {
			return s, unknown, err
		}
		if !known {
			unknown = d.Val()
			d.RemainingArgs()
		}
	}
	return s, unknown, nil
}

func TestParseLine(t *testing.T) {
	s, unknown, err := parse("allow_internal loopback 10.0.0.0/8\nallow_http\nca_file /etc/ca.pem\ntimeout 3s\naudience x")
	want := outbound.Settings{
		AllowInternal: []string{"loopback", "10.0.0.0/8"}, AllowHTTP: true, CAFile: "/etc/ca.pem", Timeout: caddy.Duration(3 * time.Second),
	}
	if err != nil || unknown != "audience" || !reflect.DeepEqual(s, want) {
		t.Errorf("%+v %q %v", s, unknown, err)
	}
	for _, text := range []string{
		"allow_internal", "allow_internal loopback\nallow_internal loopback", "allow_http on", "allow_http\nallow_http",
		"ca_file", "ca_file a b", "ca_file a\nca_file b", "timeout", "timeout 1s 2s", "timeout x", "timeout -1s", "timeout 0",
		"timeout 1s\ntimeout 1s",
	} {
		if _, _, err := parse(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestResolve(t *testing.T) {
	t.Setenv("OUTBOUND_RANGE", "10.0.0.0/8")
	s := outbound.Settings{AllowInternal: []string{"{env.OUTBOUND_RANGE}"}, CAFile: "{env.OUTBOUND_RANGE}"}
	ranges := s.AllowInternal
	if err := s.Resolve(); err != nil || s.AllowInternal[0] != "10.0.0.0/8" || s.CAFile != "10.0.0.0/8" {
		t.Error(s, err)
	}
	if ranges[0] != "{env.OUTBOUND_RANGE}" {
		t.Error("the list of another was written to")
	}
	for _, s := range []outbound.Settings{{CAFile: "{env.OUTBOUND_NONE}"}, {AllowInternal: []string{"{unknown.thing}"}}} {
		if s.Resolve() == nil {
			t.Errorf("%+v is resolved", s)
		}
	}
	if (&outbound.Settings{Timeout: -1}).Check() == nil {
		t.Error("a negative timeout is accepted")
	}
}

func TestLifetime(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"":                                 0,
		"max-age=60":                       time.Minute,
		"public, max-age=21600":            6 * time.Hour,
		"PUBLIC , MAX-AGE=60":              time.Minute,
		`max-age="60"`:                     time.Minute,
		"max-age=0":                        time.Second,
		"no-cache, max-age=60":             0,
		"no-store":                         0,
		"max-age=-1":                       0,
		"max-age=99999999999999999999":     0,
		"max-age=x":                        0,
		"max-age":                          0,
		"s-maxage=60, stale-if-error=3600": 0,
	} {
		if got := outbound.Lifetime(http.Header{"Cache-Control": {text}}); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	if got := outbound.Lifetime(http.Header{"Cache-Control": {"public", "max-age=100"}, "Age": {"40"}}); got != time.Minute {
		t.Error(got)
	}
	if got := outbound.Lifetime(http.Header{"Cache-Control": {"max-age=100"}, "Age": {"400"}}); got != time.Second {
		t.Error(got)
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/google/go-cmp/cmp"
)

func TestListening(t *testing.T) {
	app := &caddyhttp.App{Servers: map[string]*caddyhttp.Server{
		"all":       {Listen: []string{":443"}},
		"local":     {Listen: []string{"127.0.0.1:8080", "[::1]:8080"}},
		"elsewhere": {Listen: []string{"192.0.2.1:8080"}},
		"range":     {Listen: []string{":9000-9009"}},
		"socket":    {Listen: []string{"unix//run/site.sock"}},
		"plain":     {Listen: []string{"0.0.0.0:80", ":80"}},
		"one":       {Listen: []string{"127.0.0.1:80"}},
	}}
	for address, want := range map[string][]string{
		"https://api.example.com/":     {"all"},
		"https://192.0.2.9/":           {"all"},
		"http://127.0.0.1:8080/":       {"local"},
		"http://[::1]:8080/":           {"local"},
		"http://192.0.2.1:8080/":       {"elsewhere"},
		"http://api.example.com:8080/": {"elsewhere", "local"},
		"http://192.0.2.2:8080/":       nil,
		"http://x:9005/":               {"range"},
		"http://x:9010/":               nil,
		"http://127.0.0.1/":            {"one"},
		"http://192.0.2.9/":            {"plain"},
		"http://localhost/":            {"one", "plain"},
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, listening(app, u, portOf(u))); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", address, diff)
		}
	}
}

func TestChooseServer_neverGuesses(t *testing.T) {
	app := &caddyhttp.App{Servers: map[string]*caddyhttp.Server{
		"a": {Listen: []string{"192.0.2.1:80"}},
		"b": {Listen: []string{"192.0.2.2:80"}},
	}}
	for name, row := range map[string]struct{ url, server, want, fails string }{
		"by address":  {"http://192.0.2.2/", "", "b", ""},
		"by name":     {"https://example.com/", "a", "a", ""},
		"two":         {"http://example.com/", "", "", "several servers listen on port 80"},
		"none":        {"https://example.com/", "", "", "no server listens on port 443"},
		"unknown":     {"http://192.0.2.2/", "c", "", "there are a (192.0.2.1:80), b (192.0.2.2:80)"},
		"wrong place": {"http://192.0.2.2/", "secret", "", "there is none of that name"},
	} {
		in := &explainRequest{URL: row.url, Server: row.server}
		if err := in.check(); err != nil {
			t.Fatal(err)
		}
		got, _, err := chooseServer(app, in)
		if got != row.want || (err == nil) != (row.fails == "") {
			t.Errorf("%s: %q, %v; want %q", name, got, err, row.want)
		}
		if err != nil && (!strings.Contains(err.Error(), row.fails) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: %v, want %s", name, err, row.fails)
		}
	}
}

// TestDropAliases has the cases of Caddy's own rules.
func TestDropAliases(t *testing.T) {
	server := &caddyhttp.Server{
		ExpectedUnderscoreHeaders: []string{"X_Expected", "Webhook_*", "Both_And.Dot"},
		ExpectedDotHeaders:        []string{"X.Dotted"},
	}
	header := http.Header{
		"Accept": {"x"}, "Remote_user": {"x"}, "Remote.user": {"x"}, "X_expected": {"x"}, "Webhook_id": {"x"},
		"X-Expected": {"x"}, "Webhook-Id": {"x"}, "X.dotted": {"x"}, "X-Dotted": {"x"}, "X-Other": {"x"},
		"Both_and.dot": {"x"}, "Webhook_a.b": {"x"},
	}
	got := dropAliases(server, header)
	want := []string{"Remote.user", "Remote_user", "Webhook-Id", "Webhook_a.b", "X-Dotted", "X-Expected"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if twice := dropAliases(server, http.Header{"X_expected": {"1", "2"}}); !slices.Equal(twice, []string{"X_expected"}) {
		t.Errorf("one that is there twice: %q", twice)
	}
}

// No error repeats what was asked about: a secret may have been typed in the
// wrong place.
func TestExplainRequest_errors(t *testing.T) {
	for name, in := range map[string]explainRequest{
		"scheme":       {URL: "canary"},
		"user":         {URL: "http://canary:canary@x/"},
		"control":      {URL: "http://x/canary\x7f"},
		"escape":       {URL: "http://x/canary%zz"},
		"zone":         {URL: "http://[::1%25canary canary]/"},
		"method":       {URL: "http://x/", Method: "canary canary"},
		"long method":  {URL: "http://x/", Method: strings.Repeat("canary", 6)},
		"from":         {URL: "http://x/", From: "canary"},
		"from a host":  {URL: "http://x/", From: "canary:80"},
		"header name":  {URL: "http://x/", Headers: map[string][]string{"canary:": {"x"}}},
		"header value": {URL: "http://x/", Headers: map[string][]string{"X": {"canary\n"}}},
	} {
		if err := in.check(); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestExplainRequest_prepared(t *testing.T) {
	for address, want := range map[string]string{
		"http://x":                 "/",
		"http://x/a%2Fb?c=d#e":     "/a%2Fb?c=d",
		"http://x//a/../b":         "//a/../b",
		"http://x:1/?token=canary": "/?token=canary",
	} {
		in := &explainRequest{URL: address, From: "::1", Headers: map[string][]string{"host": {"Y"}, "x-a": {" 1 ", "2"}}}
		if err := in.check(); err != nil {
			t.Fatal(err)
		}
		e := &explainer{server: new(caddyhttp.Server), mask: newMask(in.header(), in.url), report: new(explanation)}
		r, err := e.request(context.WithValue(t.Context(), http.LocalAddrContextKey, new(net.UnixAddr)), in)
		if err != nil {
			t.Fatal(err)
		}
		if r.RequestURI != want || r.URL.RequestURI() != want || r.URL.Host != "" || r.Host != "Y" || r.RemoteAddr != "[::1]:0" ||
			r.Context().Value(http.LocalAddrContextKey).(net.Addr).Network() != "tcp" ||
			!slices.Equal(r.Header["X-A"], []string{"1", "2"}) || r.Header["Host"] != nil {
			t.Errorf("%s: %s of %s from %s with %v", address, r.RequestURI, r.Host, r.RemoteAddr, r.Header)
		}
		if strings.Contains(e.report.Request.URL, "canary") {
			t.Errorf("%s is shown as %s", address, e.report.Request.URL)
		}
	}
}

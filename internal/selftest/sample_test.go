// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"encoding/json"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSampleRegexp(t *testing.T) {
	for _, pattern := range []string{
		`^/v[0-9]+/(users|groups)/?$`, `\.php$`, `^/a{3}/[^/]+$`, `(?i)^/Admin`, `^/x/.*/y$`, `^/[[:alpha:]]+/\d{2,4}$`,
		`/[^a-z]`, `^$`, `^/(?P<id>\w+)(/edit)?$`, `a|b`, `^/é+$`,
	} {
		sample, ok := sampleRegexp(pattern)
		if !ok || !regexp.MustCompile(pattern).MatchString(sample) {
			t.Errorf("sampleRegexp(%s) = %q, %v, which does not match", pattern, sample, ok)
		}
	}
	if sample, ok := sampleRegexp("("); ok {
		t.Errorf("sampleRegexp(() = %q", sample)
	}
}

// Expressions are the operator's, and may still be large.
func TestSampleRegexpIsBounded(t *testing.T) {
	for _, pattern := range []string{
		`((a{9}){9}){9}`, `(((())))*`, `[^\x00-\x{10FFFF}]`, `\pL{1000}`, strings.Repeat("(", 900) + "a" + strings.Repeat(")", 900), strings.Repeat("a*", 1000), "^$^$",
	} {
		if sample, _ := sampleRegexp(pattern); len(sample) > 4*maxSample {
			t.Errorf("%.20s… became %d bytes", pattern, len(sample))
		}
	}
}

func TestSampleAddress(t *testing.T) {
	for text, want := range map[string]string{
		"10.1.0.0/16": "10.1.0.1", "192.0.2.7": "192.0.2.7", "192.0.2.7/32": "192.0.2.7", "2001:db8::/32": "2001:db8::1", "::1": "::1", "fe80::1%eth0": "fe80::1",
	} {
		got, ok := sampleAddress(text)
		if !ok || got != netip.MustParseAddr(want) {
			t.Errorf("sampleAddress(%s) = %v, %v, want %s", text, got, ok, want)
		}
	}
	if got, ok := sampleAddress("private_ranges"); ok {
		t.Errorf("a word is the address %v", got)
	}
}

// The requests that matchers suggest, the likeliest first.
func TestCandidates(t *testing.T) {
	tests := map[string]struct {
		steps []string // matcher sets, or strip:<prefix>
		want  []string // the first of the requests
	}{
		"nothing": {nil, []string{"GET self-test.example /self-test", "GET self-test.example /"}},
		"several": {
			[]string{`[{"host": ["*.example.com"]}]`, `[{"path": ["/api/*", "*.php"], "method": ["PUT"]}]`},
			[]string{"PUT self-test.example.com /api/self-test", "PUT self-test.example.com /self-test.php"},
		},
		"alternatives":  {[]string{`[{"path": ["/a"]}, {"path": ["/b"], "method": ["post"]}]`}, []string{"GET self-test.example /a", "POST self-test.example /b"}},
		"a prefix":      {[]string{`[{"path": ["/api/*"]}]`, "strip:/api", `[{"path": ["/v1/*"]}]`}, []string{"GET self-test.example /api/v1/self-test"}},
		"header":        {[]string{`[{"header": {"X-Kind": ["a*"]}}]`}, []string{"GET self-test.example /self-test X-Kind: aself-test"}},
		"no header":     {[]string{`[{"header": {"X-Kind": null}}]`}, []string{"GET self-test.example /self-test"}},
		"any header":    {[]string{`[{"header": {"X-Kind": []}}]`}, []string{"GET self-test.example /self-test X-Kind: self-test"}},
		"header regexp": {[]string{`[{"header_regexp": {"X-Kind": {"pattern": "^v[1-9]$"}}}]`}, []string{"GET self-test.example /self-test X-Kind: v1"}},
		"query":         {[]string{`[{"query": {"a": ["b"], "c": ["*"]}}]`}, []string{"GET self-test.example /self-test?a=b&c=self-test"}},
		"address":       {[]string{`[{"client_ip": {"ranges": ["10.0.0.0/8"]}}]`}, []string{"GET self-test.example /self-test from 10.0.0.1"}},
		"not":           {[]string{`[{"not": [{"path": ["/public/*"]}]}]`}, []string{"GET self-test.example /self-test", "GET self-test.example /", "GET self-test.example /public/self-test"}},
		"regexp":        {[]string{`[{"path_regexp": {"pattern": "^/x[0-9]$"}}]`}, []string{"GET self-test.example /x1"}},
		"gRPC":          {[]string{`[{"protocol": "grpc"}]`}, []string{"GET self-test.example /self-test Content-Type: application/grpc"}},
		"TLS":           {[]string{`[{"protocol": "https"}]`}, []string{"GET self-test.example /self-test https"}},
		"expression": {
			[]string{`[{"expression": {"expr": "path('/x/*') && method('PUT', 'POST') && {http.request.host} == \"h.example\""}}]`},
			[]string{"POST h.example /x/self-test"},
		},
		"path with blanks": {[]string{`[{"path": ["/a b"]}]`}, []string{"GET self-test.example /a%20b"}},
		"unknown":          {[]string{`[{"third_party": {"x": 1}}]`}, []string{"GET self-test.example /self-test"}},
	}
	for name, test := range tests {
		var w way
		for _, text := range test.steps {
			if prefix, ok := strings.CutPrefix(text, "strip:"); ok {
				w = w.with(step{strip: prefix})
				continue
			}
			var sets []object
			if err := json.Unmarshal([]byte(text), &sets); err != nil {
				t.Fatal(err)
			}
			w = w.with(step{sets: sets})
		}
		var got []string
		for _, r := range candidates(&site{}, w) {
			said := strings.TrimSpace(strings.Join(append([]string{r.method, r.host, r.target}, r.header...), " "))
			if r.from != fromHere {
				said += " from " + r.from.String()
			}
			if r.https {
				said += " https"
			}
			got = append(got, said)
		}
		if diff := cmp.Diff(test.want, got[:min(len(got), len(test.want))]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Errors are asked for in every way that a client has, and with every status
// that a route may want.
func TestCandidatesOfErrorRoutes(t *testing.T) {
	w := way{errors: true}
	w = w.with(step{sets: []object{{"expression": "{http.error.status_code} in [418, 503]"}}})
	long, fails := false, []int(nil)
	for _, r := range candidates(&site{}, w) {
		long = long || r.method == tooLong
		fails = append(fails, r.fails)
	}
	for _, status := range []int{0, 404, 500, 418, 503} {
		if !slices.Contains(fails, status) {
			t.Errorf("no request fails with %d: %v", status, fails)
		}
	}
	if !long {
		t.Error("no request has a method that is too long")
	}
}

func TestReplyFor(t *testing.T) {
	for text, want := range map[string]reply{
		`{"status_code": [4]}`:                     {status: 400},
		`{"status_code": [503, 504]}`:              {status: 503},
		`{"headers": {"X-Accel-Redirect": ["*"]}}`: {header: map[string][]string{"X-Accel-Redirect": {"self-test"}}},
		`{}`: {},
	} {
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		var match object
		if err := decoder.Decode(&match); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, replyFor(match), cmp.AllowUnexported(reply{})); diff != "" {
			t.Errorf("replyFor(%s) (-want +got):\n%s", text, diff)
		}
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMarkedSample(t *testing.T) {
	for pattern, want := range map[string]string{
		`(.*)`: "mallory", `^u:(\w+)$`: "u:mallory", `^/as/([^/]+)/`: "/as/mallory/", `^(?:id=)?([a-z]+)`: "id=mallory",
		// In these nothing can be found.
		`^(\d+)$`: "", `no group`: "", `(`: "", ``: "",
	} {
		got, ok := markedSample(pattern, "mallory")
		if ok != (want != "") || ok && got != want {
			t.Errorf("markedSample(%s) = %q, %v, want %q", pattern, got, ok, want)
		}
	}
}

func TestExpressionsOf(t *testing.T) {
	const config = `{"match": [{"header_regexp": {"X-A": {"pattern": "a(.)"}}}, {"path_regexp": {"pattern": "b(.)"}}],
		"mappings": [{"input_regexp": "c(.)"}], "expression": {"expr": "header_regexp('n', 'X-D', 'd(.)') && path_regexp(\"e(.)\")"}}`
	got := expressionsOf([]byte(config))
	want := expressions{patterns: []string{"d(.)", "e(.)", "c(.)", "a(.)", "b(.)"}, headers: []string{"X-D", "X-A"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(expressions{})); diff != "" {
		t.Errorf("expressionsOf (-want +got):\n%s", diff)
	}
}

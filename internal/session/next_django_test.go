// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/peertest"
)

// referee answers, for each of the places on standard input, whether Django
// would send people there after a login.
const referee = `
import django, json, sys
from django.conf import settings
settings.configure()
try:
    from django.utils.http import url_has_allowed_host_and_scheme as allowed
except ImportError:
    from django.utils.http import is_safe_url as allowed
places = json.load(sys.stdin)
json.dump([django.__version__] + [allowed(p, {"www.example.com"}, require_https=True) for p in places], sys.stdout)
`

// TestSafeNext_django asks Django's own judge, which lets more through than we
// do, for a browser takes more than it should.
func TestSafeNext_django(t *testing.T) {
	python := peertest.Python(t, "django")
	places := append([]string(nil), openRedirects...)
	for next := range waysOn {
		places = append(places, next)
	}
	// Everything short that could be read in two ways.
	const characters = "/\\.@:%a\t \u00a0"
	var parts []string
	for _, a := range characters {
		for _, b := range characters {
			for _, c := range characters {
				parts = append(parts, string(a)+string(b)+string(c))
			}
		}
	}
	for _, part := range parts {
		places = append(places, part+"evil.example", "/"+part+"/evil.example", "https"+part+"evil.example")
	}
	for i, place := range places {
		// JSON has no other bytes than those of text.
		places[i] = strings.ToValidUTF8(place, "\ufffd")
	}
	asked, err := json.Marshal(places)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", referee)
	cmd.Stdin = strings.NewReader(string(asked))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers []any
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(places)+1 {
		t.Fatalf("%d answers for %d places: %v", len(answers), len(places), err)
	}
	both, stricter := 0, 0
	for i, place := range places {
		ours := SafeNext(place) != ""
		switch django, _ := answers[i+1].(bool); {
		case ours && !django:
			t.Errorf("%q is let through, and not by Django", place)
		case ours:
			both++
		case django:
			stricter++
		}
	}
	t.Logf("Django %v: %d of %d places are let through by both, %d by Django alone", answers[0], both, len(places), stricter)
	if both < len(waysOn)-1 {
		t.Errorf("only %d are let through by both", both)
	}
}

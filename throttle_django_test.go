// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/peertest"
)

// visits are requests of a few callers, at random and in order of time. The
// times are exact for both clocks, one of which is a float's.
func visits(n int) []visit {
	random := rand.New(rand.NewPCG(1, 7)) // the same sequence each time
	paths := []string{"anonymous", "user", "uploads", "both", "sustained", "staff", "closed", "second"}
	pick := func(some ...string) string { return some[random.IntN(len(some))] }
	steps := []float64{0, 0, 0, 0, 0, 0, 0.125, 0.125, 0.25, 0.5, 1, 7.25, 29.875, 60, 1800}
	all, at := make([]visit, 0, n), 0.0
	for i := range n {
		at += steps[random.IntN(len(steps))]
		next := visit{at, pick(paths...), pick("", "", "alice", "alice", "bob", "bad"), pick("192.0.2.1", "192.0.2.2")}
		if i > 0 && random.IntN(2) == 0 { // the same again
			next = all[i-1]
			next.At = at
		}
		all = append(all, next)
	}
	return all
}

// TestThrottle_django asks Django REST framework the same.
func TestThrottle_django(t *testing.T) {
	python := peertest.Python(t, "django", "rest_framework")
	all := visits(2000)
	input, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-B", "internal/integration/testdata/django/throttles.py")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), os.Stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var theirs struct {
		Django        string    `json:"django"`
		RESTFramework string    `json:"rest_framework"`
		Answers       []visited `json:"answers"`
	}
	if err := json.Unmarshal(output, &theirs); err != nil {
		t.Fatal(err)
	}
	c := newClocked(t, throttledPaths)
	statuses := make(map[int]int)
	for i, v := range all {
		got, want := c.visit(v), theirs.Answers[i]
		statuses[got.Status]++
		if got != want {
			t.Fatalf("request %d, %+v: %+v, and Django %+v", i, v, got, want)
		}
	}
	t.Logf("%d requests, as Django %s with REST framework %s answers them: %v", len(all), theirs.Django, theirs.RESTFramework, statuses)
	for _, status := range []int{200, 401, 403, 429} {
		if statuses[status] < 30 {
			t.Errorf("only %d answers are %d", statuses[status], status)
		}
	}
	if !slices.ContainsFunc(theirs.Answers, func(a visited) bool { return a.RetryAfter == "1" }) {
		t.Error("nobody waited for one second")
	}
}

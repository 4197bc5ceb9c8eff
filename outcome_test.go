// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// The outermost error decides, whatever it wraps, and an error of no kind is
// never an abstention.
func TestOutcome(t *testing.T) {
	failure := &auth.Failure{Detail: "bad", Err: auth.ErrNoCredentials}
	down := &auth.Unavailable{Err: fmt.Errorf("asking: %w", auth.ErrNoCredentials)}
	tests := map[string]struct{ err, want error }{
		"none":                       {auth.ErrNoCredentials, auth.ErrNoCredentials},
		"none, and why":              {fmt.Errorf("no cookie: %w", auth.ErrNoCredentials), auth.ErrNoCredentials},
		"none, and another cause":    {fmt.Errorf("%w: %w", auth.ErrNoCredentials, errors.New("x")), auth.ErrNoCredentials},
		"none, after another cause":  {errors.Join(errors.New("x"), auth.ErrNoCredentials), auth.ErrNoCredentials},
		"bad, as none were found":    {failure, failure},
		"down, as none were found":   {down, down},
		"down, wrapped":              {fmt.Errorf("wrapped: %w", down), down},
		"down, over what was bad":    {errors.Join(down, failure), down},
		"bad, over what was down":    {fmt.Errorf("%w: %w", failure, down), failure},
		"denied":                     {fmt.Errorf("csrf: %w", &auth.Denial{}), nil},
		"an error of another module": {caddyhttp.Error(http.StatusOK, errors.New("x")), nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := outcome(test.err)
			if test.want == nil {
				if got == auth.ErrNoCredentials || !errors.Is(got, test.err) && !errors.Is(test.err, got) {
					t.Errorf("outcome = %v", got)
				}
				return
			}
			if got != test.want {
				t.Errorf("outcome = %v, want %v", got, test.want)
			}
		})
	}
}

// An authenticator that could not tell lets nobody through as anonymous, not
// even where bad credentials would be ignored.
func TestOutageIsNoAbstention(t *testing.T) {
	for name, cause := range map[string]error{"no credentials": auth.ErrNoCredentials, "bad credentials": &auth.Failure{}} {
		t.Run(name, func(t *testing.T) {
			c := newCached(t, false)
			c.lenient = true
			c.script.authenticate = func() (*auth.Identity, error) { return nil, &auth.Unavailable{Err: cause} }
			_, by, _, err := c.identify(httptest.NewRequest(http.MethodGet, "/", nil), new(requestState))
			if err == nil || by != 0 {
				t.Fatalf("identify = %d, %v", by, err)
			}
			if a := new(rejecter).answer(nil, refusal{id: auth.Anonymous, by: by, cause: err}); a.status != http.StatusServiceUnavailable {
				t.Errorf("answered %d", a.status)
			}
		})
	}
}

// Whatever an authenticator says of the time, a client is told whole seconds
// that have not passed, or none.
func TestSeconds(t *testing.T) {
	for wait, want := range map[time.Duration]int{
		-90 * time.Second: 0, 0: 0, 1: 1, time.Second: 1, time.Second + 1: 2, math.MaxInt64: math.MaxInt64/int(time.Second) + 1,
	} {
		if got := seconds(wait); got != want {
			t.Errorf("seconds(%d) = %d, want %d", wait, got, want)
		}
	}
}

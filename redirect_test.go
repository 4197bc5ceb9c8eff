// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// portal redirects to what it is told, and keeps what it was told of.
type portal struct {
	location string
	status   int
	cause    *error
}

func (p portal) Authenticate(*http.Request) (*auth.Identity, error) {
	return nil, auth.ErrNoCredentials
}

func (p portal) Redirect(_ *http.Request, cause error) (string, int) {
	*p.cause = cause
	return p.location, p.status
}

// TestRedirect holds which refusals become redirections, and whose location it
// is. The first link has none, the second and the third have one.
func TestRedirect(t *testing.T) {
	said := fmt.Errorf("no session: %w", auth.ErrNoCredentials)
	failure := &auth.Failure{Err: errors.New("bad session")}
	known := &auth.Identity{ID: "alice", Key: "store:1", Method: "token"}
	const second, third = "/second", "/third"
	tests := map[string]struct {
		refused  refusal
		location string
		status   int
		cause    error // that the second was told of
	}{
		"anonymous":              {refusal{id: auth.Anonymous, by: nobody, cause: unexplained}, second, 303, nil},
		"anonymous, with words":  {refusal{id: auth.Anonymous, by: nobody, cause: unexplained, abstained: []abstention{{1, said}}}, second, 303, said},
		"words of the third":     {refusal{id: auth.Anonymous, by: nobody, cause: unexplained, abstained: []abstention{{2, said}}}, second, 303, nil},
		"failure of the second":  {refusal{id: auth.Anonymous, by: 1, cause: failure}, second, 303, failure},
		"failure of the third":   {refusal{id: auth.Anonymous, by: 2, cause: failure}, third, 302, nil},
		"failure of the first":   {refusal{id: auth.Anonymous, by: 0, cause: failure}, "", 403, nil},
		"two Authorization":      {refusal{id: auth.Anonymous, by: nobody, cause: auth.Ambiguous()}, "", 403, nil},
		"known":                  {refusal{id: known, by: 1, cause: unexplained}, "", 403, nil},
		"denied":                 {refusal{id: auth.Anonymous, by: 1, cause: new(auth.Denial)}, "", 403, nil},
		"throttled":              {refusal{id: auth.Anonymous, by: 1, cause: &auth.Throttled{Wait: time.Second}}, "", 429, nil},
		"undecided":              {refusal{id: auth.Anonymous, by: 1, cause: new(auth.Unavailable)}, "", 503, nil},
		"an error of no kind":    {refusal{id: auth.Anonymous, by: 1, cause: errors.New("x")}, "", 503, nil},
		"anonymous, by an error": {refusal{id: auth.Anonymous, by: nobody, cause: new(auth.Unavailable)}, "", 503, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var cause, other error
			links := []link{
				{},
				{redirector: portal{second, http.StatusSeeOther, &cause}},
				{redirector: portal{third, http.StatusMovedPermanently, &other}},
			}
			a := (&rejecter{links: links}).answer(httptest.NewRequest(http.MethodGet, "/", nil), test.refused)
			if a.location != test.location || a.status != test.status || len(a.challenges) > 0 {
				t.Errorf("%d %q %q, want %d %q", a.status, a.location, a.challenges, test.status, test.location)
			}
			if !errors.Is(cause, test.cause) {
				t.Errorf("the second was told of %v, want %v", cause, test.cause)
			}
		})
	}
}

func TestRedirect_location(t *testing.T) {
	for location, want := range map[string]int{
		"":                              http.StatusForbidden,
		"/login":                        http.StatusTemporaryRedirect,
		"/login\r\nSet-Cookie: a=b":     http.StatusForbidden,
		"/login\x7f":                    http.StatusForbidden,
		"/" + strings.Repeat("x", 8191): http.StatusTemporaryRedirect,
		"/" + strings.Repeat("x", 8192): http.StatusForbidden,
	} {
		var cause error
		j := &rejecter{links: []link{{redirector: portal{location, http.StatusTemporaryRedirect, &cause}}}}
		a := j.answer(httptest.NewRequest(http.MethodGet, "/", nil), refusal{id: auth.Anonymous, by: nobody, cause: unexplained})
		if a.status != want || (a.location != "") != (want == http.StatusTemporaryRedirect) {
			t.Errorf("%.40q: %d %.40q, want %d", location, a.status, a.location, want)
		}
	}
}

// A body goes to the upstream alone, and so no redirection has it sent again.
func TestRedirect_status(t *testing.T) {
	for _, test := range []struct {
		method       string
		status, want int
	}{
		{http.MethodGet, 0, 302},
		{http.MethodGet, 301, 302},
		{http.MethodGet, 302, 302},
		{http.MethodGet, 303, 303},
		{http.MethodHead, 307, 307},
		{http.MethodGet, 308, 302},
		{http.MethodPost, 302, 303},
		{http.MethodPost, 307, 303},
		{http.MethodPut, 0, 303},
		{http.MethodDelete, 308, 303},
		{"get", 307, 303},
	} {
		var cause error
		j := &rejecter{links: []link{{redirector: portal{"/login", test.status, &cause}}}}
		a := j.answer(httptest.NewRequest(test.method, "/", nil), refusal{id: auth.Anonymous, by: nobody, cause: unexplained})
		if a.status != test.want {
			t.Errorf("%s %d: %d, want %d", test.method, test.status, a.status, test.want)
		}
	}
}

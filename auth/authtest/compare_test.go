// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authtest

import (
	"errors"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

func TestCompare(t *testing.T) {
	cause := errors.New("cause")
	alice := &auth.Identity{ID: "alice", Key: "k", Method: "m", Email: "a@example.com"}
	failure := &auth.Failure{Detail: "Bad.", Err: cause, Candidate: alice}
	tests := map[string]struct {
		want   Case
		got    outcome
		faults int
	}{
		"same identity":       {Case{Identity: &auth.Identity{ID: "alice"}}, outcome{id: alice}, 0},
		"other user":          {Case{Identity: &auth.Identity{ID: "bob"}}, outcome{id: alice}, 1},
		"unexpected user":     {Case{Identity: &auth.Identity{Client: ""}}, outcome{id: alice}, 1},
		"other e-mail":        {Case{Identity: &auth.Identity{ID: "alice", Email: "x"}}, outcome{id: alice}, 1},
		"unexpected staff":    {Case{Identity: &auth.Identity{}}, outcome{id: &auth.Identity{Staff: true}}, 1},
		"unexpected scope":    {Case{Identity: &auth.Identity{}}, outcome{id: &auth.Identity{Scopes: []string{"x"}}}, 1},
		"empty is nil":        {Case{Identity: &auth.Identity{}}, outcome{id: &auth.Identity{Scopes: []string{}}}, 0},
		"same instant":        {Case{Identity: &auth.Identity{Expires: time.Unix(1, 0)}}, outcome{id: &auth.Identity{Expires: time.Unix(1, 0).UTC()}}, 0},
		"other instant":       {Case{Identity: &auth.Identity{Expires: time.Unix(1, 0)}}, outcome{id: &auth.Identity{}}, 1},
		"error, not identity": {Case{Identity: alice}, outcome{err: cause}, 1},
		"identity, not error": {Case{Err: cause}, outcome{id: alice}, 1},
		"no expectation":      {Case{}, outcome{id: alice}, 1},
		"two expectations":    {Case{Identity: alice, Err: cause}, outcome{id: alice}, 1},
		"same failure":        {Case{Err: &auth.Failure{Code: auth.CodeAuthenticationFailed, Detail: "Bad."}}, outcome{err: failure}, 0},
		"other detail":        {Case{Err: &auth.Failure{Detail: "Worse."}}, outcome{err: failure}, 1},
		"other code":          {Case{Err: &auth.Failure{Detail: "Bad.", Code: "x"}}, outcome{err: failure}, 1},
		"other cause":         {Case{Err: &auth.Failure{Detail: "Bad.", Err: errors.New("x")}}, outcome{err: failure}, 1},
		"other body":          {Case{Err: &auth.Failure{Detail: "Bad.", Body: 1}}, outcome{err: failure}, 1},
		"other candidate":     {Case{Err: &auth.Failure{Detail: "Bad.", Candidate: &auth.Identity{ID: "bob"}}}, outcome{err: failure}, 1},
		"no candidate":        {Case{Err: &auth.Failure{Candidate: alice}}, outcome{err: &auth.Failure{}}, 1},
		"no failure":          {Case{Err: failure}, outcome{err: cause}, 1},
		"same denial":         {Case{Err: &auth.Denial{Detail: "No."}}, outcome{err: &auth.Denial{Code: auth.CodePermissionDenied, Detail: "No."}}, 0},
		"other denial":        {Case{Err: &auth.Denial{Detail: "No.", Code: "x", Body: 1}}, outcome{err: &auth.Denial{}}, 3},
		"no denial":           {Case{Err: &auth.Denial{}}, outcome{err: failure}, 1},
		"throttled":           {Case{Err: &auth.Throttled{}}, outcome{err: &auth.Throttled{Wait: 1}}, 0},
		"throttled longer":    {Case{Err: &auth.Throttled{Wait: 2}}, outcome{err: &auth.Throttled{Wait: 1}}, 1},
		"unavailable":         {Case{Err: &auth.Unavailable{}}, outcome{err: &auth.Unavailable{Err: cause}}, 0},
		"not unavailable":     {Case{Err: &auth.Unavailable{}}, outcome{err: cause}, 1},
		"wrapped":             {Case{Err: cause}, outcome{err: failure}, 0},
		"not wrapped":         {Case{Err: auth.ErrNoCredentials}, outcome{err: failure}, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if faults := compare(test.want, test.got); len(faults) != test.faults {
				t.Errorf("compare = %v, want %d faults", faults, test.faults)
			}
		})
	}
}

func TestParseChallenge(t *testing.T) {
	tests := map[string]bool{
		"Token":                                  true,
		`Basic realm="api"`:                      true,
		`Basic realm="a \"b\" \\ é"`:             true,
		`Bearer realm="api", error=invalid`:      true,
		`Bearer realm = "api" , scope="a b"`:     true,
		"Negotiate YWxh==":                       true,
		"":                                       false,
		" Token":                                 false,
		"Token ":                                 false,
		"To:ken":                                 false,
		`Basic realm="api`:                       false,
		`Basic realm="api\`:                      false,
		`Basic realm="a` + "\r\n" + `X: y"`:      false,
		`Basic realm="a\` + "\n" + `"`:           false,
		`Bearer realm="api" token_type="JWT"`:    false,
		`Bearer realm="api", Realm="api"`:        false,
		`Bearer realm="api",`:                    false,
		`Bearer realm=, error="x"`:               false,
		`Bearer realm="api", Basic realm="api"`:  false,
		`Bearer realm="api" , , error="invalid"`: false,
	}
	for challenge, valid := range tests {
		if err := parseChallenge(challenge); (err == nil) != valid {
			t.Errorf("parseChallenge(%q) = %v, want valid: %v", challenge, err, valid)
		}
	}
}

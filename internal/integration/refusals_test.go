// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// An error route that takes a refusal writes it; nobody else's does.
func TestErrorRoutes(t *testing.T) {
	s := serve(t, `
		{{site}} {
			@teapot path /teapot
			vars @teapot kind special
			handle /respond/* {
				rest_auth {
					authenticate token
					refusals respond
				}
			}
			handle /error/* {
				rest_auth {
					authenticate token
					refusals error
				}
			}
			handle {
				rest_auth {
					authenticate token
					require authenticated
					require not group editors
				}
				reverse_proxy {{echo}}
			}
			handle_errors 403 {
				respond "mine: {err.status_code} {http.auth.error.code} {http.auth.error.detail} {http.auth.user.id} {http.auth.candidate.id} {http.auth.candidate.groups}"
			}
			handle_errors {
				@special vars kind special
				respond @special "special: {err.status_code}"
			}
		}`)
	s.seed()
	tests := map[string]struct {
		path, credentials string
		status            int
		body              string
	}{
		"taken":             {"/", token("token-alice"), 403, "mine: 403 permission_denied You do not have permission to perform this action.  alice editors,readers"},
		"not taken":         {"/", "X-None: 1", 401, notAuthenticated},
		"matched by vars":   {"/teapot", "X-None: 1", 401, "special: 401"},
		"always written":    {"/respond/x", token("bad"), 401, invalidToken},
		"always returned":   {"/error/x", token("bad"), 401, ""},
		"still let through": {"/", token("token-bob"), 200, "*"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := s.get(test.path, test.credentials)
			if got.Status != test.status || test.body != "*" && got.Body != test.body {
				t.Errorf("answered %d %q, want %d %q", got.Status, got.Body, test.status, test.body)
			}
			if test.status == http.StatusUnauthorized && got.Header.Get("WWW-Authenticate") != "Token" {
				t.Errorf("WWW-Authenticate is %q", got.Header.Values("WWW-Authenticate"))
			}
		})
	}
}

// Error routes belong to a server: a neighbour's must not empty our bodies.
func TestErrorRoutesOfANeighbour(t *testing.T) {
	s := serve(t, `
		{{site}} {
			@known host known.example
			handle @known {
				rest_auth {
					authenticate token
				}
				respond ok
			}
		}
		http://neighbour.example:{{port}} {
			handle_errors {
				respond "neighbour"
			}
			respond ok
		}`)
	got := s.raw("GET / HTTP/1.1\r\nHost: known.example\r\nConnection: close\r\n\r\n")
	if !strings.Contains(got, "401 Unauthorized") || !strings.HasSuffix(got, notAuthenticated) {
		t.Errorf("answered %q", got)
	}
}

// Inside an error route a handler of ours must not start another error.
func TestRefusalInsideAnErrorRoute(t *testing.T) {
	s := serve(t, `
		{{site}} {
			error 404
			handle_errors {
				rest_auth {
					authenticate token
					refusals error
				}
				respond "secret details"
			}
		}`)
	s.seed()
	if got := s.get("/"); got.Status != 401 || got.Body != notAuthenticated {
		t.Errorf("anonymous was answered %d %q", got.Status, got.Body)
	}
	if got := s.get("/", token("token-alice")); got.Body != "secret details" {
		t.Errorf("alice was answered %d %q", got.Status, got.Body)
	}
}

func TestCORSOverTheWire(t *testing.T) {
	s := serve(t, `{{site}} {
		rest_auth {
			authenticate token
			cors https://app.example
			header_up Remote-User {http.auth.user.id}
		}
		reverse_proxy {{echo}}
	}`)
	s.seed()
	preflight := s.do("OPTIONS", "/", "Origin: https://app.example", "Access-Control-Request-Method: POST", "Remote_User: mallory")
	for name, values := range preflight.forwarded(t).Header {
		if slices.Contains(values, "mallory") {
			t.Errorf("the preflight reached the upstream with %s: %q", name, values)
		}
	}
	if got := s.do("OPTIONS", "/", "Origin: https://evil.example", "Access-Control-Request-Method: POST"); got.Status != 401 {
		t.Errorf("a preflight of another origin was answered %d", got.Status)
	}
	got := s.get("/", "Origin: https://app.example")
	if got.Status != 401 || got.Header.Get("Access-Control-Allow-Origin") != "https://app.example" {
		t.Errorf("a refusal was answered %d %v", got.Status, got.Header)
	}
	if got := s.get("/", "Origin: https://evil.example"); got.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("another origin may read a refusal: %v", got.Header)
	}
}

// An error route that prints the error prints what the refusal says, and not
// why: that would tell a guesser which names exist.
func TestErrorMessageIsTheDetail(t *testing.T) {
	s := serve(t, `
		{{site}} {
			rest_auth {
				authenticate basic
			}
			handle_errors {
				respond "{err.status_code} {err.message}"
			}
		}`)
	s.seed()
	for name, credentials := range map[string]string{"no such user": basic("nobody", "pw"), "wrong password": basic("alice", "no")} {
		t.Run(name, func(t *testing.T) {
			if got, want := s.get("/", credentials).Body, "401 Invalid username/password."; got != want {
				t.Errorf("answered %q, want %q", got, want)
			}
		})
	}
}

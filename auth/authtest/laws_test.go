// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authtest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// scheme is an authenticator made of functions, good unless one is replaced.
type scheme struct {
	authenticate func(r *http.Request) (*auth.Identity, error)
	challenge    string
	location     string
	cacheKey     func(r *http.Request) ([]byte, bool)
	recheck      func(r *http.Request, id *auth.Identity) (*auth.Identity, error)
	guard        func(r *http.Request) error
}

const goodKey = "opensesame"

var errUnknownKey = errors.New("unknown key")

func authenticate(r *http.Request) (*auth.Identity, error) {
	key, err := auth.Credentials(r, "Key")
	if err != nil {
		return nil, err
	}
	if sha256.Sum256([]byte(key)) != sha256.Sum256([]byte(goodKey)) {
		return nil, &auth.Failure{Detail: "Invalid key.", Err: errUnknownKey}
	}
	return &auth.Identity{ID: "alice", Key: "keys|alice", Method: "key", Groups: []string{"editors"}}, nil
}

func good() *scheme {
	return &scheme{
		authenticate: authenticate,
		challenge:    `Key realm="api"`,
		location:     "/login",
		cacheKey: func(r *http.Request) ([]byte, bool) {
			key, err := auth.Credentials(r, "Key")
			return []byte(key), err == nil
		},
		recheck: func(r *http.Request, id *auth.Identity) (*auth.Identity, error) { return authenticate(r) },
		guard: func(r *http.Request) error {
			body, err := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if err == nil && len(body) > 100 {
				return &auth.Denial{Detail: "Too much."}
			}
			return err
		},
	}
}

func (s *scheme) Authenticate(r *http.Request) (*auth.Identity, error) { return s.authenticate(r) }
func (s *scheme) Challenge(*http.Request, error) string                { return s.challenge }
func (s *scheme) Redirect(*http.Request, error) (string, int)          { return s.location, http.StatusFound }
func (s *scheme) CacheKey(r *http.Request) ([]byte, bool)              { return s.cacheKey(r) }
func (s *scheme) Recheck(r *http.Request, id *auth.Identity) (*auth.Identity, error) {
	return s.recheck(r, id)
}

func (s *scheme) Guard(r *http.Request, _ *auth.Identity) error { return s.guard(r) }

func with(authorization string) *http.Request {
	r := bare(http.MethodPost)
	r.Header.Set("Authorization", authorization)
	r.Body = io.NopCloser(strings.NewReader("body"))
	return r
}

func cases() []Case {
	return []Case{
		{Name: "good", Request: with("Key " + goodKey), Identity: &auth.Identity{ID: "alice", Groups: []string{"editors"}}},
		{Name: "bad", Request: with("Key x"), Err: &auth.Failure{Detail: "Invalid key.", Err: errUnknownKey}},
		{Name: "other", Request: with("Other x"), Err: auth.ErrNoCredentials},
	}
}

func TestRun(t *testing.T) { Run(t, good(), cases()) }

// TestLaws breaks one law at a time and looks for the fault in its own law.
func TestLaws(t *testing.T) {
	tests := map[string]struct {
		law   string
		fault string
		spoil func(s *scheme)
	}{
		"anonymous by default": {"no credentials", "want \"no credentials\"", func(s *scheme) {
			s.authenticate = func(*http.Request) (*auth.Identity, error) { return auth.Anonymous, nil }
		}},
		"neither": {"no credentials", "neither an identity nor an error", func(s *scheme) {
			s.authenticate = func(*http.Request) (*auth.Identity, error) { return nil, nil }
		}},
		"both": {"concurrency", "an identity and an error", func(s *scheme) {
			s.authenticate = func(*http.Request) (*auth.Identity, error) { return auth.Anonymous, errUnknownKey }
		}},
		"failure and abstention": {"garbage", "ErrNoCredentials at once", func(s *scheme) {
			s.authenticate = func(*http.Request) (*auth.Identity, error) {
				return nil, &auth.Failure{Err: auth.ErrNoCredentials}
			}
		}},
		"panic": {"garbage", "panicked", func(s *scheme) {
			s.authenticate = func(r *http.Request) (*auth.Identity, error) {
				_ = strings.Fields(r.Header.Get("Authorization"))[1]
				return nil, auth.ErrNoCredentials
			}
		}},
		"garbage authenticates": {"garbage", "garbage authenticates", func(s *scheme) {
			s.authenticate = func(r *http.Request) (*auth.Identity, error) {
				if r.Header.Get("Authorization") == "Key "+canary {
					return &auth.Identity{Method: "key"}, nil
				}
				return authenticate(r)
			}
		}},
		"garbage is an error of the server": {"garbage", "5xx", func(s *scheme) {
			s.authenticate = func(r *http.Request) (*auth.Identity, error) { return nil, errUnknownKey }
		}},
		"secret in an error": {"garbage", "repeats a secret", func(s *scheme) {
			s.authenticate = func(r *http.Request) (*auth.Identity, error) {
				return nil, &auth.Failure{Detail: "Invalid key " + r.Header.Get("Authorization")}
			}
		}},
		"changed header": {"garbage", "changed the request: Header", func(s *scheme) {
			s.authenticate = func(r *http.Request) (*auth.Identity, error) {
				r.Header.Del("Authorization")
				return nil, auth.ErrNoCredentials
			}
		}},
		"read body": {"no credentials", "changed the request: Body", func(s *scheme) {
			s.authenticate = func(r *http.Request) (*auth.Identity, error) {
				_, _ = io.ReadAll(r.Body)
				return nil, auth.ErrNoCredentials
			}
		}},
		"no method": {"concurrency", "no Method", func(s *scheme) {
			s.authenticate = func(*http.Request) (*auth.Identity, error) {
				return &auth.Identity{ID: "alice", Key: "k"}, nil
			}
		}},
		"no key": {"concurrency", "no Key", func(s *scheme) {
			s.authenticate = func(*http.Request) (*auth.Identity, error) {
				return &auth.Identity{ID: "alice", Method: "key"}, nil
			}
		}},
		"challenge": {"challenge", "not closed", func(s *scheme) { s.challenge = `Key realm="` }},
		"location":  {"redirection", "control characters", func(s *scheme) { s.location = "/login\r\nX: y" }},
		"constant cache key": {"cache key", "one key and different outcomes", func(s *scheme) {
			s.cacheKey = func(r *http.Request) ([]byte, bool) { return []byte("k"), len(r.Header) > 0 }
		}},
		"cache key of nobody": {"cache key", "without credentials has a key", func(s *scheme) {
			s.cacheKey = func(r *http.Request) ([]byte, bool) { return []byte(r.Header.Get("Authorization")), true }
		}},
		"empty cache key": {"cache key", "key is empty", func(s *scheme) {
			s.cacheKey = func(r *http.Request) ([]byte, bool) { return nil, len(r.Header) > 0 }
		}},
		"guard that eats the body": {"guard", "Guard: good: of a body", func(s *scheme) {
			s.guard = func(r *http.Request) error {
				_, err := io.ReadAll(r.Body)
				return err
			}
		}},
		"guard that panics":             {"guard", "Guard panicked: good", func(s *scheme) { s.guard = func(*http.Request) error { panic("x") } }},
		"guard that cannot read a body": {"guard", "would be answered 5xx", func(s *scheme) { s.guard = func(*http.Request) error { return errUnknownKey } }},
		"guard that changes the request": {"guard", "the request was changed", func(s *scheme) {
			s.guard = func(r *http.Request) error {
				r.Header.Set("X", "y")
				return nil
			}
		}},
		"recheck of another user": {"recheck", "Recheck: good", func(s *scheme) {
			s.recheck = func(r *http.Request, id *auth.Identity) (*auth.Identity, error) {
				return &auth.Identity{ID: "bob", Key: "keys|bob", Method: "key"}, nil
			}
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := good()
			test.spoil(s)
			for _, law := range laws {
				if law.name != test.law {
					continue
				}
				if faults := law.check(good(), cases()); len(faults) > 0 {
					t.Errorf("law %q does not hold for the good one: %v", law.name, faults)
				}
				faults := law.check(s, cases())
				if !slices.ContainsFunc(faults, func(err error) bool { return strings.Contains(err.Error(), test.fault) }) {
					t.Errorf("law %q found %v, want %q", law.name, faults, test.fault)
				}
				return
			}
			t.Fatalf("there is no law %q", test.law)
		})
	}
}

func TestLaws_changingAnswers(t *testing.T) {
	s := good()
	calls := make(chan struct{}, 1)
	s.authenticate = func(r *http.Request) (*auth.Identity, error) {
		select {
		case calls <- struct{}{}:
			return authenticate(r)
		default:
			return nil, auth.ErrNoCredentials
		}
	}
	if faults := checkConcurrency(s, cases()[:1]); len(faults) == 0 {
		t.Error("an answer that changes is no fault")
	}
	once := cases()[:1]
	once[0].Once = true
	if faults := checkConcurrency(s, once); len(faults) > 0 {
		t.Errorf("credentials for one request were sent again: %v", faults)
	}
}

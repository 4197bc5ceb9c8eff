// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authtest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// laws hold for every authenticator. Each returns what was wrong.
var laws = []struct {
	name  string
	check func(auth.Authenticator, []Case) []error
}{
	{"no credentials", checkBare},
	{"garbage", checkGarbage},
	{"concurrency", checkConcurrency},
	{"challenge", checkChallenges},
	{"redirection", checkRedirects},
	{"cache key", checkCacheKeys},
	{"recheck", checkRecheck},
	{"guard", checkGuard},
}

// bare returns a request of nobody.
func bare(method string) *http.Request {
	return &http.Request{
		Method:     method,
		URL:        &url.URL{Path: "/"},
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Header:     http.Header{},
		Host:       "example.com",
		RemoteAddr: "192.0.2.1:1234",
		RequestURI: "/",
		Body:       http.NoBody,
	}
}

func checkBare(a auth.Authenticator, _ []Case) (faults []error) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
		got, wrong := ask(a, bare(method))
		faults = append(faults, wrong...)
		if !errors.Is(got.err, auth.ErrNoCredentials) {
			faults = append(faults, fmt.Errorf("%s without credentials: %s, want %q", method, got, auth.ErrNoCredentials))
		}
	}
	return faults
}

// checkConcurrency asks for all cases at once. What is shared without a lock
// is for the race detector to find.
func checkConcurrency(a auth.Authenticator, cases []Case) (faults []error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, c := range cases {
		if c.Once {
			continue
		}
		// Cloned here: copies of one request are made by one goroutine.
		first, _ := ask(a, c.Request.Clone(c.Request.Context()))
		for range 4 {
			r := c.Request.Clone(c.Request.Context())
			r.Body = http.NoBody
			wg.Go(func() {
				got, wrong := ask(a, r)
				if !sameOutcome(first, got) {
					wrong = append(wrong, fmt.Errorf("%s: %s at first, then %s", c.Name, first, got))
				}
				mu.Lock()
				defer mu.Unlock()
				faults = append(faults, wrong...)
			})
		}
	}
	wg.Wait()
	return faults
}

func sameOutcome(a, b outcome) bool {
	if a.err != nil || b.err != nil {
		return a.err != nil && b.err != nil && a.err.Error() == b.err.Error()
	}
	return reflect.DeepEqual(a.id, b.id)
}

func checkChallenges(a auth.Authenticator, cases []Case) (faults []error) {
	challenger, ok := a.(auth.Challenger)
	if !ok {
		return nil
	}
	check := func(name string, r *http.Request, cause error) {
		var challenge string
		faults = append(faults, observe(r, "Challenge", func(r *http.Request) { challenge = challenger.Challenge(r, cause) })...)
		if challenge == "" {
			return
		}
		if err := parseChallenge(challenge); err != nil {
			faults = append(faults, fmt.Errorf("%s: challenge %q: %w", name, challenge, err))
		}
	}
	check("no credentials", bare(http.MethodGet), nil)
	for _, c := range cases {
		check(c.Name, c.Request, nil)
		if c.Err != nil && !errors.Is(c.Err, auth.ErrNoCredentials) {
			check(c.Name, c.Request, c.Err)
		}
	}
	return faults
}

// checkRedirects asks where people log in, after what the cases returned.
func checkRedirects(a auth.Authenticator, cases []Case) (faults []error) {
	redirector, ok := a.(auth.Redirector)
	if !ok {
		return nil
	}
	check := func(name string, r *http.Request, cause error) {
		var location string
		faults = append(faults, observe(r, "Redirect", func(r *http.Request) { location, _ = redirector.Redirect(r, cause) })...)
		if strings.ContainsFunc(location, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			faults = append(faults, fmt.Errorf("%s: the location %q has control characters", name, location))
		}
	}
	check("no credentials", bare(http.MethodGet), nil)
	for _, c := range cases {
		check(c.Name, c.Request, nil)
		if !c.Once {
			if _, err := a.Authenticate(c.Request.Clone(c.Request.Context())); err != nil {
				check(c.Name, c.Request, err)
			}
		}
	}
	return faults
}

// checkCacheKeys asks for the keys of all cases. Two with one key are one
// entry of the cache: whoever comes second gets the identity of the first.
func checkCacheKeys(a auth.Authenticator, cases []Case) (faults []error) {
	cacheable, ok := a.(auth.Cacheable)
	if !ok {
		return nil
	}
	keyOf := func(r *http.Request) (key string, ok bool) {
		faults = append(faults, observe(r, "CacheKey", func(r *http.Request) {
			var secret []byte
			secret, ok = cacheable.CacheKey(r)
			key = strings.Clone(string(secret))
		})...)
		return key, ok
	}
	if _, ok := keyOf(bare(http.MethodGet)); ok {
		faults = append(faults, errors.New("CacheKey: a request without credentials has a key"))
	}
	seen := make(map[string]Case)
	for _, c := range cases {
		key, ok := keyOf(c.Request)
		if again, okAgain := keyOf(c.Request); again != key || okAgain != ok {
			faults = append(faults, fmt.Errorf("CacheKey: %s: another key for the same request", c.Name))
		}
		if !ok {
			continue
		}
		if key == "" {
			faults = append(faults, fmt.Errorf("CacheKey: %s: the key is empty", c.Name))
		}
		if other, taken := seen[key]; taken && !interchangeable(c, other) {
			faults = append(faults, fmt.Errorf("CacheKey: %s and %s have one key and different outcomes", c.Name, other.Name))
		}
		seen[key] = c
	}
	return faults
}

func interchangeable(a, b Case) bool {
	if a.Identity == nil || b.Identity == nil {
		return a.Identity == nil && b.Identity == nil
	}
	return len(compareIdentities("", a.Identity, b.Identity)) == 0
}

func checkRecheck(a auth.Authenticator, cases []Case) (faults []error) {
	rechecker, ok := a.(auth.Rechecker)
	if !ok {
		return nil
	}
	for _, c := range cases {
		if c.Identity == nil || c.Once {
			continue
		}
		id, err := a.Authenticate(c.Request.Clone(c.Request.Context()))
		if err != nil {
			continue // what the case itself reports
		}
		var got outcome
		faults = append(faults, observe(c.Request, "Recheck", func(r *http.Request) { got.id, got.err = rechecker.Recheck(r, id) })...)
		if !sameOutcome(outcome{id: id}, got) {
			faults = append(faults, fmt.Errorf("Recheck: %s: %s, want %s", c.Name, got, outcome{id: id}))
		}
	}
	return faults
}

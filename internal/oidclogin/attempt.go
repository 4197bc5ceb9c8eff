// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidclogin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/cookie"
)

// AttemptAge is how long a login may take.
const AttemptAge = 10 * time.Minute

// Bounds of what a browser keeps of attempts that were not finished: upstreams
// get these cookies too, and some refuse a request with more than 8 KiB of them.
const (
	maxAttempts     = 5
	maxAttemptBytes = 5 << 10
	maxNext         = 1000
)

// Names of cookies begin with one of these, and end with what the state says.
// Over TLS the prefix keeps other hosts of the domain from setting them, who
// could have somebody finish a login that they began.
const (
	securePrefix = "__Host-oidc-"
	plainPrefix  = "oidc-"
)

// ErrNoAttempt says that the browser did not begin the login, or too long ago,
// or has finished it.
var ErrNoAttempt = errors.New("the browser has no such login under way")

// An Attempt is what a browser keeps, sealed, of a login or a logout at a
// provider that is under way. The server keeps nothing: whoever begins a million of them
// fills his own cookies.
type Attempt struct {
	State       string    `json:"s"`
	Nonce       string    `json:"n,omitempty"`
	Verifier    string    `json:"v,omitempty"`
	RedirectURI string    `json:"r,omitempty"`
	Next        string    `json:"to,omitempty"`
	Expires     time.Time `json:"e"`
}

// NewAttempt returns a login that begins now, and goes on to next if it is not
// too long.
func NewAttempt(now time.Time, redirectURI, next string) *Attempt {
	if len(next) > maxNext {
		next = ""
	}
	return &Attempt{
		State:       randomText(),
		Nonce:       randomText(),
		Verifier:    randomText(),
		RedirectURI: redirectURI,
		Next:        next,
		Expires:     now.Add(AttemptAge).Truncate(time.Second),
	}
}

// randomText returns 256 random bits, as 43 characters that need no escape and
// that RFC 7636 takes for a verifier.
func randomText() string {
	var random [32]byte
	rand.Read(random[:])
	return base64.RawURLEncoding.EncodeToString(random[:])
}

// stateLength is that of randomText.
const stateLength = 43

// A Jar keeps attempts in browsers.
type Jar struct {
	Sealer *Sealer

	// Place tells those of one mount and kind from all others.
	Place string

	// Now is the clock.
	Now func() time.Time
}

// Put has the browser keep an attempt at a provider until it is finished or
// expires. It forgets those that were not finished, the oldest first, where they
// are more than a few.
func (j *Jar) Put(w http.ResponseWriter, r *http.Request, secure bool, provider string, a *Attempt) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	value, err := j.Sealer.sealText(r.Context(), j.purpose(provider), text)
	if err != nil {
		return err
	}
	j.makeRoom(w, r, secure, len(value))
	line := attemptCookie(secure, a.State)
	line.Set(w, r, value, AttemptAge)
	return nil
}

// Find returns the attempt of a state at a provider. It returns ErrNoAttempt, or
// an *auth.Unavailable.
func (j *Jar) Find(r *http.Request, secure bool, provider, state string) (*Attempt, error) {
	if len(state) != stateLength {
		return nil, ErrNoAttempt
	}
	line := attemptCookie(secure, state)
	tried := 0
	for value := range cookie.Values(r, line.Name) {
		if tried++; tried > maxAttempts {
			break
		}
		a, err := j.open(r.Context(), provider, value)
		if _, down := errors.AsType[*auth.Unavailable](err); down {
			return nil, err
		}
		if err != nil || a.State != state || !j.Now().Before(a.Expires) {
			continue
		}
		return a, nil
	}
	return nil, ErrNoAttempt
}

// Forget has the browser forget the attempt of a state.
func (j *Jar) Forget(w http.ResponseWriter, r *http.Request, secure bool, state string) {
	line := attemptCookie(secure, state)
	line.Clear(w, r)
}

func (j *Jar) open(ctx context.Context, provider, value string) (*Attempt, error) {
	if len(value) > maxAttemptBytes {
		return nil, errSealed
	}
	text, err := j.Sealer.openText(ctx, j.purpose(provider), value)
	if err != nil {
		return nil, err
	}
	a := new(Attempt)
	if err := json.Unmarshal(text, a); err != nil {
		return nil, errSealed
	}
	return a, nil
}

// purpose binds an attempt to one provider of one mount: the code of another
// finds none (mix-up, RFC 9700 section 4.4).
func (j *Jar) purpose(provider string) string { return "oidc\x00" + j.Place + "\x00" + provider }

// makeRoom forgets attempts until another one of that size has room. Browsers
// send the oldest first (RFC 6265 section 5.4).
func (j *Jar) makeRoom(w http.ResponseWriter, r *http.Request, secure bool, size int) {
	names, sizes := attemptCookies(r, secure)
	total := size
	for _, size := range sizes {
		total += size
	}
	for i, name := range names {
		if len(names)-i < maxAttempts && total <= maxAttemptBytes {
			return
		}
		total -= sizes[i]
		line := attemptCookie(secure, "")
		line.Name = name
		line.Clear(w, r)
	}
}

// attemptCookies returns the names of all attempts that the request has, in its
// order, with their sizes. No browser sends more than 180 cookies.
func attemptCookies(r *http.Request, secure bool) (names []string, sizes []int) {
	prefix := plainPrefix
	if secure {
		prefix = securePrefix
	}
	for _, line := range r.Header["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			name, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
			digest, ours := strings.CutPrefix(name, prefix)
			if !ours || !isDigest(digest) {
				continue
			}
			if names, sizes = append(names, name), append(sizes, len(value)); len(names) == 180 {
				return names, sizes
			}
		}
	}
	return names, sizes
}

// digestLength is how much of a digest of the state is in the name of its cookie.
const digestLength = 16

// attemptCookie returns the cookie of a state. Its name does not tell the state,
// which only the provider and the browser know.
func attemptCookie(secure bool, state string) cookie.Cookie {
	digest := sha256.Sum256([]byte(state))
	line := cookie.Cookie{
		Name: plainPrefix, Path: "/", SameSite: "Lax", Secure: cookie.SecureOff, HTTPOnly: true,
	}
	if secure {
		line.Name, line.Secure = securePrefix, cookie.SecureOn
	}
	line.Name += base64.RawURLEncoding.EncodeToString(digest[:])[:digestLength]
	return line
}

func isDigest(text string) bool {
	if len(text) != digestLength {
		return false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

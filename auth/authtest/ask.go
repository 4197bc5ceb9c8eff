// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authtest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"sync/atomic"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// outcome is what Authenticate returned.
type outcome struct {
	id  *auth.Identity
	err error
}

func (o outcome) String() string {
	if o.err != nil {
		return fmt.Sprintf("error %q", o.err)
	}
	if o.id == nil {
		return "neither identity nor error"
	}
	return fmt.Sprintf("identity %q (key %q, credential %q)", o.id.ID, o.id.Key, o.id.Credential)
}

// ask calls Authenticate with a copy of the request, and returns with the
// outcome what was wrong whatever the outcome should have been.
func ask(a auth.Authenticator, r *http.Request) (got outcome, faults []error) {
	faults = observe(r, "Authenticate", func(r *http.Request) { got.id, got.err = a.Authenticate(r) })
	if len(faults) > 0 {
		return got, faults
	}
	return got, wellFormed(got)
}

// observe calls f with a copy of the request, and says if f panicked or changed
// the copy.
func observe(r *http.Request, method string, f func(*http.Request)) (faults []error) {
	defer func() {
		if value := recover(); value != nil {
			faults = append(faults, fmt.Errorf("%s panicked: %v", method, value))
		}
	}()
	before := r.Clone(r.Context())
	asked := r.Clone(r.Context())
	body := &tripwire{Reader: http.NoBody}
	if r.Body != nil {
		body.Reader = r.Body
	}
	asked.Body = body
	f(asked)
	for name, same := range map[string]bool{
		"Method":     asked.Method == before.Method,
		"URL":        reflect.DeepEqual(asked.URL, before.URL),
		"Header":     reflect.DeepEqual(asked.Header, before.Header),
		"Trailer":    reflect.DeepEqual(asked.Trailer, before.Trailer),
		"Host":       asked.Host == before.Host,
		"RemoteAddr": asked.RemoteAddr == before.RemoteAddr,
		"RequestURI": asked.RequestURI == before.RequestURI,
		"TLS":        asked.TLS == before.TLS,
		"Context":    asked.Context() == before.Context(),
		"Body":       asked.Body == body && !body.touched.Load(),
	} {
		if !same {
			faults = append(faults, fmt.Errorf("%s changed the request: %s", method, name))
		}
	}
	return faults
}

// tripwire is a body that notices whether it was used.
type tripwire struct {
	io.Reader
	touched atomic.Bool
}

func (w *tripwire) Read(p []byte) (int, error) {
	w.touched.Store(true)
	return w.Reader.Read(p)
}

func (w *tripwire) Close() error {
	w.touched.Store(true)
	return nil
}

// wellFormed says what no outcome may be.
func wellFormed(got outcome) (faults []error) {
	switch {
	case got.id == nil && got.err == nil:
		faults = append(faults, errors.New("Authenticate returned neither an identity nor an error"))
	case got.id != nil && got.err != nil:
		faults = append(faults, errors.New("Authenticate returned an identity and an error"))
	case got.id != nil && got.id.Method == "":
		faults = append(faults, fmt.Errorf("%s has no Method, so it counts as anonymous", got))
	case got.id != nil && got.id.ID != "" && got.id.Key == "":
		faults = append(faults, fmt.Errorf("%s has no Key", got))
	}
	if _, failed := errors.AsType[*auth.Failure](got.err); failed && errors.Is(got.err, auth.ErrNoCredentials) {
		faults = append(faults, fmt.Errorf("%s is a Failure and ErrNoCredentials at once", got))
	}
	return faults
}

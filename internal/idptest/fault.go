// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package idptest

import (
	"net/http"
	"strings"
)

// Fault is a way in which a provider fails, at all its paths.
type Fault int

// The faults of providers.
const (
	None      Fault = iota
	Slow            // takes the request and does not answer until it is healed
	Huge            // answers without end
	HTML            // answers with a page, status 200
	Redirect        // redirects to a path that has the right answer
	Empty           // answers with nothing, status 200
	EmptyJSON       // answers with {}
	EmptyKeys       // answers with {"keys":[]}
	Error           // status 500
	NotFound        // status 404
	Cut             // ends the connection in the middle of the answer
	Closed          // ends the connection without an answer
)

var faultNames = [...]string{
	"none", "slow", "huge", "html", "redirect", "empty", "empty_json", "empty_keys", "error", "not_found", "cut", "closed",
}

func (f Fault) String() string { return faultNames[f] }

// Fail has all answers fail in that way, until Heal.
func (s *Server) Fail(fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

// Heal ends the fault.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = None
	close(s.release)
	s.release = make(chan struct{})
}

const redirected = "/redirected"

func (s *Server) faulty(w http.ResponseWriter, r *http.Request) {
	path, wasRedirected := strings.CutPrefix(r.URL.Path, redirected)
	s.mu.Lock()
	s.fetches[r.URL.Path]++
	fault, release := s.fault, s.release
	s.mu.Unlock()
	switch fault {
	case None:
	case Slow:
		select {
		case <-release:
		case <-r.Context().Done():
			return
		}
	case Huge:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"keys":[`))
		for chunk := []byte(strings.Repeat(" ", 64<<10)); r.Context().Err() == nil; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
		return
	case HTML:
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>Sign in to the network</title>"))
		return
	case Redirect:
		if !wasRedirected {
			http.Redirect(w, r, redirected+r.URL.Path, http.StatusFound) //nolint:gosec // a fault of tests
			return
		}
		r.URL.Path = path
	case Empty:
		return
	case EmptyJSON:
		_, _ = w.Write([]byte("{}"))
		return
	case EmptyKeys:
		_, _ = w.Write([]byte(`{"keys":[]}`))
		return
	case Error:
		w.WriteHeader(http.StatusInternalServerError)
		return
	case NotFound:
		w.WriteHeader(http.StatusNotFound)
		return
	case Cut:
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"keys":[`))
		panic(http.ErrAbortHandler)
	case Closed:
		panic(http.ErrAbortHandler)
	}
	s.mux.ServeHTTP(w, r)
}

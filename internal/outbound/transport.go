// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

const (
	// maxHeader bounds the header of an answer.
	maxHeader = 64 << 10

	// maxConns bounds the connections to one server, maxIdle those that wait for
	// the next question.
	maxConns = 64
	maxIdle  = 8

	// look is how often the file of certificate authorities is looked at.
	look = time.Second
)

// transport asks servers, by URLs that the settings allow, whoever made them,
// and trusts whom the file of certificate authorities names now.
type transport struct {
	settings Settings
	guard    *guard

	mu     sync.Mutex
	inner  *http.Transport // nil until the file was read
	seen   os.FileInfo
	looked time.Time
	err    error // why the file was not read
}

// newTransport reads the file. One that is missing is no error: it may come.
func newTransport(s Settings) (*transport, error) {
	allowed, err := s.ranges()
	if err != nil {
		return nil, err
	}
	t := &transport{settings: s, guard: &guard{allowed}}
	if _, err := t.current(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return t, nil
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	err := error(nil)
	if r.URL.Scheme != "https" && (r.URL.Scheme != "http" || !t.settings.AllowHTTP) {
		err = errScheme
	}
	var inner *http.Transport
	if err == nil {
		inner, err = t.current()
	}
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	return inner.RoundTrip(r)
}

// CloseIdleConnections lets http.Client reach the connections.
func (t *transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.inner != nil {
		t.inner.CloseIdleConnections()
	}
}

// current returns what asks. A file that is missing or broken leaves whom the
// last good one named.
func (t *transport) current() (*http.Transport, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.inner == nil && t.settings.CAFile == "" {
		t.inner = t.make(nil)
	}
	if t.settings.CAFile != "" && (t.looked.IsZero() || time.Since(t.looked) >= look) {
		t.looked = time.Now()
		t.err = t.read()
	}
	if t.inner == nil {
		return nil, fmt.Errorf("ca_file: %w", t.err)
	}
	return t.inner, nil
}

// read takes the file up if it does not look as before.
func (t *transport) read() error {
	info, err := os.Stat(t.settings.CAFile)
	if err != nil {
		return err
	}
	if t.seen != nil && os.SameFile(t.seen, info) && t.seen.Size() == info.Size() && t.seen.ModTime().Equal(info.ModTime()) {
		return nil
	}
	text, err := os.ReadFile(t.settings.CAFile)
	if err != nil {
		return err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(text) {
		return fmt.Errorf("%s has no certificate", t.settings.CAFile)
	}
	if t.inner != nil {
		t.inner.CloseIdleConnections()
	}
	t.inner, t.seen = t.make(roots), info
	return nil
}

// make returns what trusts roots, or those of the system if it is nil.
func (t *transport) make(roots *x509.CertPool) *http.Transport {
	timeout := time.Duration(t.settings.Timeout)
	dialer := &net.Dialer{Timeout: timeout, Control: t.guard.control}
	return &http.Transport{
		// No proxy of the environment: the guard would judge its address, and
		// not that of the server.
		Proxy:                  nil,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout:    timeout,
		ForceAttemptHTTP2:      true,
		MaxConnsPerHost:        maxConns,
		MaxIdleConnsPerHost:    maxIdle,
		MaxIdleConns:           2 * maxIdle,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: maxHeader,
	}
}

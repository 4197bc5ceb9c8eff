// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// echo is an upstream that says what it was asked, and counts.
type echo struct {
	address string
	hits    atomic.Int64
}

// echoed is what the upstream saw.
type echoed struct {
	Method  string
	URI     string
	Host    string
	Header  http.Header
	Trailer http.Header
	Body    string
}

func newEcho(t *testing.T) *echo {
	t.Helper()
	e := new(echo)
	upstream := httptest.NewUnstartedServer(e)
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	upstream.Config.Protocols = protocols
	upstream.Start()
	t.Cleanup(upstream.Close)
	e.address = strings.TrimPrefix(upstream.URL, "http://")
	return e
}

// ServeHTTP echoes, or upgrades the connection and echoes bytes.
func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.hits.Add(1)
	if r.Header.Get("Upgrade") == "echo" {
		e.upgrade(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(echoed{r.Method, r.RequestURI, r.Host, r.Header, r.Trailer, string(body)})
}

func (e *echo) upgrade(w http.ResponseWriter, r *http.Request) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	for name, values := range r.Header {
		for _, value := range values {
			_, _ = buffered.WriteString(name + ": " + value + "\n")
		}
	}
	_, _ = buffered.WriteString("END\n")
	_ = buffered.Flush()
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// recorder answers requests and remembers what they brought.
type recorder struct {
	mu   sync.Mutex
	seen map[string]int // by Authorization
	bad  string         // gets another answer
}

func (rec *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	authorization := r.Header.Get("Authorization")
	rec.mu.Lock()
	rec.seen[authorization]++
	rec.mu.Unlock()
	if authorization == rec.bad {
		w.WriteHeader(http.StatusForbidden)
	}
	_, _ = w.Write([]byte("ok"))
}

// requests returns how many requests came, by Authorization.
func (rec *recorder) requests() map[string]int {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return maps.Clone(rec.seen)
}

func startRecorder(t *testing.T, bad string) (*recorder, *net.TCPAddr, *load) {
	t.Helper()
	rec := &recorder{seen: make(map[string]int), bad: bad}
	server := httptest.NewServer(rec)
	t.Cleanup(server.Close)
	addr := server.Listener.Addr().(*net.TCPAddr)
	l, err := dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return rec, addr, l
}

func TestLoad_countsWhatWasAnswered(t *testing.T) {
	rec, addr, l := startRecorder(t, "-")
	requests := newRequests(addr, credentials{authorization: basic("alice", "secret")})
	total := 0
	for _, most := range []int{1, 0, connections, 1000, -1} {
		n, err := l.run(requests, http.StatusOK, most, 50*time.Millisecond)
		if err != nil {
			t.Fatalf("run of %d requests: %v", most, err)
		}
		if most >= 0 && n > most || most < 0 && n < connections {
			t.Errorf("run of %d requests sent %d", most, n)
		}
		total += n
	}
	if seen := rec.requests(); seen["Basic YWxpY2U6c2VjcmV0"] != total || len(seen) != 1 {
		t.Errorf("the server saw %v, want %d requests of alice", seen, total)
	}
}

func TestLoad_cyclesTokens(t *testing.T) {
	const tokens, rounds = 50, 3
	rec, addr, l := startRecorder(t, "-")
	requests := newRequests(addr, credentials{tokens: tokens})
	if n, err := l.run(requests, http.StatusOK, tokens*rounds, time.Minute); err != nil || n != tokens*rounds {
		t.Fatalf("run = %d, %v, want %d requests", n, err, tokens*rounds)
	}
	seen := rec.requests()
	for i := range tokens {
		token := "Token " + string(appendToken(nil, i))
		if seen[token] != rounds {
			t.Errorf("the server saw %q %d times, want %d", token, seen[token], rounds)
		}
	}
	if len(seen) != tokens {
		t.Errorf("the server saw %d tokens, want %d", len(seen), tokens)
	}
}

func TestLoad_cyclesLists(t *testing.T) {
	rec, addr, l := startRecorder(t, "-")
	list := []string{"Bearer a", "Bearer b", "Bearer c"}
	if _, err := l.run(newRequests(addr, credentials{list: list}), http.StatusOK, 6, time.Minute); err != nil {
		t.Fatal(err)
	}
	forged := "Bearer " + strings.Repeat("x", tokenSize) + "Q"
	if _, err := l.run(newRequests(addr, credentials{authorization: forged, forged: 5}), http.StatusOK, 5, time.Minute); err != nil {
		t.Fatal(err)
	}
	seen := rec.requests()
	for _, want := range list {
		if seen[want] != 2 {
			t.Errorf("the server saw %q %d times, want 2", want, seen[want])
		}
	}
	for i := range 5 {
		if want := "Bearer " + string(appendToken(nil, i)) + "Q"; seen[want] != 1 {
			t.Errorf("the server saw %q %d times, want 1", want, seen[want])
		}
	}
	if len(seen) != 8 {
		t.Errorf("the server saw %d tokens, want 8", len(seen))
	}
}

func TestLoad_stopsAtAnotherStatus(t *testing.T) {
	bad := "Token " + string(appendToken(nil, 20))
	_, addr, l := startRecorder(t, bad)
	_, err := l.run(newRequests(addr, credentials{tokens: 40}), http.StatusOK, 40, time.Minute)
	if err == nil || !strings.Contains(err.Error(), "403 Forbidden") {
		t.Errorf("run = %v, want an error that shows the 403", err)
	}
}

func TestLoad_serverGone(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().(*net.TCPAddr)
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		for range connections {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	l, err := dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	<-accepted
	listener.Close()
	if n, err := l.run(newRequests(addr, credentials{}), http.StatusOK, -1, time.Minute); err == nil {
		t.Errorf("run = %d requests without an error, want one", n)
	}
}

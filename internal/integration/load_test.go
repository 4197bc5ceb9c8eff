// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// load are clients that ask without a pause, each over a connection that it
// keeps: bob, who may always pass, and alice, who may as long as she need not
// be staff.
type load struct {
	t        *testing.T
	want     atomic.Int64 // what alice is answered; 0 while it changes
	era      atomic.Int64 // counts changes
	answered atomic.Int64
	stopped  chan struct{}
	clients  sync.WaitGroup
}

func (s *server) startLoad(clients int, alice int) *load {
	l := &load{t: s.t, stopped: make(chan struct{})}
	l.want.Store(int64(alice))
	for i := range clients {
		name := []string{"alice", "bob"}[i%2]
		keeping := client(s.t)
		l.clients.Go(func() {
			for {
				select {
				case <-l.stopped:
					return
				default:
					l.ask(keeping, s.URL+"/", name)
				}
			}
		})
	}
	return l
}

// ask makes one request. What it must be answered is known if no change was
// under way when it began or ended.
func (l *load) ask(keeping *http.Client, url, name string) {
	era, want := l.era.Load(), l.want.Load()
	got := int64(l.status(keeping, url, name))
	l.answered.Add(1)
	switch {
	case name == "bob" && got != http.StatusOK:
		l.t.Errorf("bob was answered %d", got)
	case got != http.StatusOK && got != http.StatusForbidden:
		l.t.Errorf("%s was answered %d", name, got)
	case name == "alice" && want != 0 && era == l.era.Load() && got != want:
		l.t.Errorf("alice was answered %d, want %d", got, want)
	}
}

// status makes a request and reads its answer to the end. Like net/http's own
// client on a connection that it had kept, it asks again if a new connection is
// closed before the answer began: a server of net/http that shuts down closes
// the connections that it accepted last without reading them.
func (l *load) status(keeping *http.Client, url, name string) int {
	r, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		l.t.Error(err)
		return 0
	}
	r.Header.Set("Authorization", "Token token-"+name)
	response, err := keeping.Do(r)
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		response, err = keeping.Do(r)
	}
	if err != nil {
		l.t.Errorf("%s was cut off: %v", name, err)
		return 0
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		l.t.Errorf("the answer of %s was cut off: %v", name, err)
	}
	return response.StatusCode
}

func (l *load) changing() {
	l.want.Store(0)
	l.era.Add(1)
}

func (l *load) changed(alice int) { l.want.Store(int64(alice)) }

// settled waits until alice is answered so over any connection. For an instant
// after an acknowledgement, old and new servers listen side by side: Caddy does
// not wait for the old ones (caddyhttp.App.Stop says so).
func (l *load) settled(polling *http.Client, url string, alice int) {
	l.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for inARow := 0; inARow < 20; inARow++ {
		if l.status(polling, url, "alice") != alice {
			inARow = -1
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("alice is not answered %d", alice)
		}
	}
}

func (l *load) stop() (answered int64) {
	close(l.stopped)
	l.clients.Wait()
	return l.answered.Load()
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"sync"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// A persona is as whom a request is made.
type persona string

const (
	known     persona = "known"     // the tester, as every rest_auth handler will say
	anonymous persona = "anonymous" // nobody answers for the request
	refused   persona = "refused"   // every rest_auth handler refuses it
)

// An arrival is one request as an upstream saw it.
type arrival struct {
	proxy   int
	guards  []int // the rest_auth handlers that it had passed
	judged  []int // those of them that asked who the client is
	header  http.Header
	trailer http.Header
	vars    map[string]string // of CGI, but for those that stand for header lines
}

// A lab is one self-test: what the guests of the copied configuration, the
// upstreams and the client know in common. Requests are made one after the
// other, so that what arrives belongs to the one that is under way.
type lab struct {
	token  string // by which the guests of this process find the lab
	tester *auth.Identity
	marker string // what a client claims to be
	net    *network
	// vouched are headers of answers, by which a gateway that is asked first
	// may say who the client is.
	vouched []string

	mu       sync.Mutex
	request  *request
	as       persona
	guards   []int
	judged   []int
	arrivals []arrival
}

// labs are those of this process, by token. A configuration in which somebody
// writes the guests' names finds none.
var labs sync.Map

// newLab returns a lab for a configuration: the tester has every claim, and the
// upstreams' answers every header, that the configuration reads.
func newLab(config []byte) *lab {
	l := &lab{token: strings.ToLower(rand.Text()), net: newNetwork()}
	// Letters alone, so that most expressions find it.
	l.marker = "mallory" + strings.Map(func(r rune) rune { return 'a' + r%26 }, rand.Text()[:12])
	unique := "tester-" + rand.Text()[:8]
	read := make(map[string]string)
	for _, name := range placeholders(config, "http.auth.user.claims.") {
		read[name] = unique
	}
	claims, _ := json.Marshal(read)
	l.vouched = placeholders(config, "http.reverse_proxy.header.")
	l.tester = &auth.Identity{
		ID: unique, Key: "config:" + unique, Source: "config",
		Name: "The " + unique, Email: unique + "@example.com", Staff: true, Superuser: true,
		Groups: []string{unique + "-group"}, Permissions: []string{"app." + unique}, Scopes: []string{unique + "-scope"},
		Method: "self_test", Credential: unique + "-credential", Client: unique + "-client", Claims: claims,
	}
	labs.Store(l.token, l)
	return l
}

func (l *lab) close() { labs.Delete(l.token) }

// begin makes a request the one that is under way.
func (l *lab) begin(r *request, as persona) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.request, l.as = r, as
	l.guards, l.judged, l.arrivals = nil, nil, nil
}

// end returns where the request arrived.
func (l *lab) end() []arrival {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.request = nil
	return l.arrivals
}

func (l *lab) pass(guard int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.guards = append(l.guards, guard)
}

// judge notes that a rest_auth handler asks who the client is.
func (l *lab) judge(guard int) persona {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.judged = append(l.judged, guard)
	return l.as
}

// underWay returns the request that is under way, which is nil between two.
func (l *lab) underWay() (*request, persona) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.request, l.as
}

// arrive notes a request that an upstream was asked, and returns what that is
// to answer: the first is told by the request that is under way.
func (l *lab) arrive(a arrival) reply {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.guards = append(a.guards, l.guards...)
	a.judged = append(a.judged, l.judged...)
	l.arrivals = append(l.arrivals, a)
	says := reply{header: make(http.Header)}
	if l.request != nil && len(l.arrivals) == 1 {
		says.status = l.request.reply.status
		maps.Copy(says.header, l.request.reply.header)
	}
	if l.as == known {
		for _, name := range l.vouched {
			says.header.Set(name, l.tester.ID)
		}
	}
	return says
}

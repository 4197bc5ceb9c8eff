// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const livePolicySite = `{
	{{global}}
	rest_auth {
		{{store}}
	}
}
{{site}} {
	rest_auth {
		authenticate token
		require authenticated
		header_up Remote-User {http.auth.user.id}
	}
	handle /slow {
		reverse_proxy {{slow}}
	}
	reverse_proxy {{echo}}
}`

// The admin API changes what is required while clients keep their connections
// busy: once the servers of the old configuration have closed, which Caddy has
// told them to when it acknowledges, every request is judged anew; a request
// that was let through before is answered whole, and nobody is cut off.
func TestLivePolicy(t *testing.T) {
	slow := newSlowUpstream(t)
	s := serve(t, strings.ReplaceAll(livePolicySite, "{{slow}}", slow.address))
	// The slow answer below must not race with the grace of the tests.
	s.vars["{{global}}"] = strings.Replace(s.vars["{{global}}"], "grace_period 1s", "grace_period 1m", 1)
	s.vars["{{slow}}"] = slow.address
	s.reload(livePolicySite)
	s.seed()
	policy := "http://" + s.Admin + "/config" + s.handlerPath() + "/permissions"

	steps := []struct {
		method, body string
		alice        int
	}{
		{http.MethodPatch, `[{"permission": "staff"}]`, http.StatusForbidden},
		{http.MethodPatch, `[{"permission": "authenticated"}]`, http.StatusOK},
		{http.MethodPost, `{"permission": "staff"}`, http.StatusForbidden},
		{http.MethodPatch, `[{"permission": "authenticated"}]`, http.StatusOK},
	}
	asking, polling := s.startLoad(4, http.StatusOK), s.visitor()
	for i, step := range steps {
		underWay := make(chan reply, 1)
		if step.alice == http.StatusForbidden {
			go func() {
				defer close(underWay)
				underWay <- s.get("/slow", token("token-alice"))
			}()
			<-slow.reached
		}
		asking.changing()
		acknowledged := make(chan reply, 1)
		go func() {
			defer close(acknowledged)
			acknowledged <- s.send(step.method, policy, strings.NewReader(step.body), "Content-Type: application/json")
		}()
		if step.alice == http.StatusForbidden {
			// The slow one is under way until the new policy is at work.
			asking.settled(polling, s.URL+"/", step.alice)
			slow.release <- struct{}{}
			if got := <-underWay; got.Status != http.StatusOK || got.Body != slowBody {
				t.Errorf("step %d: the request under way was answered %d %q", i, got.Status, got.Body)
			}
		}
		if got := <-acknowledged; got.Status != http.StatusOK {
			t.Fatalf("step %d: %s was answered %d %s", i, step.method, got.Status, got.Body)
		}
		asking.settled(polling, s.URL+"/", step.alice)
		asking.changed(step.alice)
		for range 50 {
			if got := asking.status(polling, s.URL+"/", "alice"); got != step.alice {
				t.Fatalf("step %d: alice is answered %d, want %d", i, got, step.alice)
			}
		}
	}
	if answered := asking.stop(); answered < int64(len(steps)) {
		t.Errorf("only %d requests were made meanwhile", answered)
	}
}

// handlerPath returns where the first rest_auth handler is in the running
// configuration, as the admin API writes it.
func (s *server) handlerPath() string {
	s.t.Helper()
	var config any
	if err := json.Unmarshal([]byte(s.send(http.MethodGet, "http://"+s.Admin+"/config/", nil).Body), &config); err != nil {
		s.t.Fatal(err)
	}
	path, ok := findHandler(config, "")
	if !ok {
		s.t.Fatal("the configuration has no rest_auth handler")
	}
	return path
}

func findHandler(config any, path string) (string, bool) {
	switch config := config.(type) {
	case map[string]any:
		if config["handler"] == "rest_auth" {
			return path, true
		}
		for name, value := range config {
			if found, ok := findHandler(value, path+"/"+name); ok {
				return found, true
			}
		}
	case []any:
		for i, value := range config {
			if found, ok := findHandler(value, fmt.Sprintf("%s/%d", path, i)); ok {
				return found, true
			}
		}
	}
	return "", false
}

const slowBody = "the first half, and the second"

// slowUpstream answers in two halves, the second when it is told to.
type slowUpstream struct {
	address          string
	reached, release chan struct{}
}

func newSlowUpstream(t *testing.T) *slowUpstream {
	s := &slowUpstream{reached: make(chan struct{}, 1), release: make(chan struct{})}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "the first half,")
		_ = http.NewResponseController(w).Flush()
		s.reached <- struct{}{}
		select {
		case <-s.release:
			_, _ = io.WriteString(w, " and the second")
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(upstream.Close)
	s.address = strings.TrimPrefix(upstream.URL, "http://")
	return s
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// explained is what the tests read of an explanation.
type explained struct {
	Verdict, Summary string
	Status           int
	Server           string
	Request          struct {
		ClientIP string `json:"client_ip"`
		Headers  []struct{ Name, Value string }
		Dropped  []string
	}
	Judged   []judged
	Answered struct{ By, Route string }
	Notes    []string
}

// judged is what one handler made of the request.
type judged struct {
	Route, Verdict string
	LeftOut        bool `json:"left_out"`
	Preflight      bool
	Authenticators []struct{ Name, Outcome, User, Reason, Remembered string }
	Identity       *struct {
		ID, Key, Method, Credential string
		Groups, Scopes, Permissions []string
	}
	Candidate   *struct{ ID string }
	Permissions []explainedPart
	Throttles   []explainedThrottle
	Headers     struct {
		Stripped, Deleted []string
		Set               []struct{ Name, Value string }
	}
	Refusal *struct {
		Status         int
		Code, Detail   string
		Challenges     []string
		RetryAfter     int `json:"retry_after"`
		Body, Location string
		ErrorRoutes    bool `json:"error_routes"`
	}
}

type explainedThrottle struct{ Scope, Rate, Outcome, Caller string }

type explainedPart struct {
	Name, Outcome, Reason string
	Parts                 []explainedPart
}

// question is a request to explain, as the admin API takes it.
func (s *server) question(method, url string, lines ...string) map[string]any {
	headers := make(map[string][]string)
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		headers[name] = append(headers[name], strings.TrimPrefix(value, " "))
	}
	return map[string]any{"url": url, "method": method, "headers": headers}
}

// askToExplain sends a question to the admin API.
func (s *server) askToExplain(question map[string]any, lines ...string) reply {
	s.t.Helper()
	body, err := json.Marshal(question)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.send(http.MethodPost, "http://"+s.Admin+"/rest_auth/explain", bytes.NewReader(body), append(lines, "Content-Type: application/json")...)
}

func (s *server) explain(method, path string, lines ...string) explained {
	s.t.Helper()
	return s.explanation(s.question(method, s.URL+path, lines...))
}

func (s *server) explanation(question map[string]any) explained {
	s.t.Helper()
	answer := s.askToExplain(question)
	if answer.Status != http.StatusOK {
		s.t.Fatalf("explaining was answered %d %s", answer.Status, answer.Body)
	}
	var x explained
	decoder := json.NewDecoder(strings.NewReader(answer.Body))
	if err := decoder.Decode(&x); err != nil {
		s.t.Fatalf("%v in %s", err, answer.Body)
	}
	return x
}

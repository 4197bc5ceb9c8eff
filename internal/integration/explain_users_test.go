// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"errors"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A user whom the request would create is not created by the question.
func TestExplainCreatesNobody(t *testing.T) {
	s := serve(t, `{{site}} {
	rest_auth {
		authenticate remote_user {
			header Remote-User from 127.0.0.1
			create on
		}
	}
	respond "in"
}`)
	x := s.explain("GET", "/", "Remote-User: newcomer")
	if x.Verdict != "allowed" || x.Judged[0].Identity.ID != "newcomer" {
		t.Errorf("%s: %+v", x.Summary, x.Judged)
	}
	if _, err := s.store().UserByName(t.Context(), "newcomer"); !errors.Is(err, tokenstore.ErrNotFound) {
		t.Errorf("the question created the user: %v", err)
	}
	if got := s.get("/", "Remote-User: newcomer").Status; got != 200 {
		t.Errorf("status %d", got)
	}
	if _, err := s.store().UserByName(t.Context(), "newcomer"); err != nil {
		t.Errorf("the request did not create the user: %v", err)
	}
	elsewhere := s.question("GET", s.URL+"/", "Remote-User: newcomer")
	elsewhere["from"] = "192.0.2.7"
	if x := s.explanation(elsewhere); x.Verdict != "unauthenticated" {
		t.Errorf("from elsewhere: %s", x.Summary)
	}
}

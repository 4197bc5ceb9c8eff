// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// How much is logged is not for clients to choose.
func TestLinesAreBounded(t *testing.T) {
	const requests = 5000
	core, lines := observer.New(zap.WarnLevel)
	failures := newFailureLog(zap.New(core))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for name, log := range map[string]func(){
		"bad credentials":      func() { failures.log(r, "token", &auth.Failure{}) },
		"a failed matcher":     func() { failures.logUndecided(errors.New("no such overload")) },
		"a store that is down": func() { failures.logUnavailable("token", errors.New("down")) },
	} {
		t.Run(name, func(t *testing.T) {
			for range requests {
				log()
			}
			if n := len(lines.TakeAll()); n > requests/10 {
				t.Errorf("%d requests made %d lines", requests, n)
			}
		})
	}
}

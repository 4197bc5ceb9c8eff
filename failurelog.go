// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"net/http"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// Lines about bad credentials are bounded over all sites, since a client
// decides how many there are. Each says how many before it were left out.
var (
	failureLines     = rate.NewLimiter(20, 200)
	failuresLeftOut  atomic.Int64
	unavailableLines = rate.NewLimiter(1, 5)
)

// failureLog writes one line per refused credential, for people and for
// programs as fail2ban. It never writes what was presented: people type
// passwords into name fields, so a name appears only if there is such a user.
type failureLog struct {
	logger *zap.Logger
}

func newFailureLog(logger *zap.Logger) *failureLog { return &failureLog{logger: logger} }

func (l *failureLog) log(r *http.Request, authenticator string, failure *auth.Failure) {
	check := l.logger.Check(zap.WarnLevel, "credentials refused")
	if check == nil {
		return
	}
	if !failureLines.Allow() {
		failuresLeftOut.Add(1)
		return
	}
	clientIP, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	fields := []zap.Field{
		zap.String("code", firstOf(failure.Code, auth.CodeAuthenticationFailed)),
		zap.String("client_ip", clientIP),
		zap.String("method", r.Method),
	}
	if authenticator != "" {
		fields = append(fields, zap.String("authenticator", authenticator))
	}
	if failure.Candidate != nil && failure.Candidate.ID != "" {
		fields = append(fields, zap.String("user", failure.Candidate.ID))
	}
	if failure.Err != nil {
		fields = append(fields, zap.NamedError("reason", failure.Err))
	}
	if leftOut := failuresLeftOut.Swap(0); leftOut > 0 {
		fields = append(fields, zap.Int64("left_out", leftOut))
	}
	check.Write(fields...)
}

// logUndecided says why a permission refuses what it might have allowed. A
// client may choose what a matcher fails on, and how often.
func (l *failureLog) logUndecided(cause error) {
	if check := l.logger.Check(zap.ErrorLevel, "deciding a permission"); check != nil && unavailableLines.Allow() {
		check.Write(zap.Error(cause))
	}
}

// logUnavailable says why requests are answered 503.
func (l *failureLog) logUnavailable(authenticator string, cause error) {
	if check := l.logger.Check(zap.ErrorLevel, "cannot decide"); check != nil && unavailableLines.Allow() {
		check.Write(zap.String("authenticator", authenticator), zap.Error(cause))
	}
}

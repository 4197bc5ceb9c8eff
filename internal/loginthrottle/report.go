// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package loginthrottle

import (
	"context"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// Lines about refused guesses are bounded over all configurations.
var (
	refusalLines    = rate.NewLimiter(5, 50)
	refusalsLeftOut atomic.Int64
)

// report tells people and programs. The name is only that of a user who is
// known to exist.
func (r *reservation) report(ctx context.Context, by string, wait time.Duration, candidate *auth.Identity) {
	if auth.DryRun(ctx) {
		return
	}
	r.Memory.marks.set(r.keys.here, r.now())
	r.Observe(r.guess.Kind, by)
	check := r.Logger.Check(zap.WarnLevel, "login throttled")
	if check == nil {
		return
	}
	if !refusalLines.Allow() {
		refusalsLeftOut.Add(1)
		return
	}
	fields := []zap.Field{
		zap.String("code", auth.CodeThrottled),
		zap.String("client_ip", r.guess.Address),
		zap.String("kind", r.guess.Kind),
		zap.String("by", map[bool]string{true: "user", false: "address"}[by == ThrottledUser]),
		zap.Duration("wait", wait),
	}
	if candidate != nil {
		fields = append(fields, zap.String("user", candidate.ID))
	}
	if leftOut := refusalsLeftOut.Swap(0); leftOut > 0 {
		fields = append(fields, zap.Int64("left_out", leftOut))
	}
	check.Write(fields...)
}

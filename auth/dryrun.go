// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package auth

import "context"

type dryRun struct{}

// DryRun reports whether a request is not a client's but an operator's
// question, what would become of it (`caddy rest-auth explain`). It must leave
// no trace: an authenticator that counts, creates, renews or spends something
// of its own answers as if it had. The app's store sees to that itself, and
// whoever only reads need not ask.
func DryRun(ctx context.Context) bool { return ctx.Value(dryRun{}) != nil }

// WithDryRun returns the context of such a request.
func WithDryRun(ctx context.Context) context.Context {
	return context.WithValue(ctx, dryRun{}, true)
}

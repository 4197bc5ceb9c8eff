// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokens

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// errNoTransactions says that the store cannot do two things as one.
var errNoTransactions = errors.New("this store has no transactions")

// rotate issues a token in the place of another one, which is accepted until its
// grace is over.
func (e *Endpoint) rotate(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	data, err := drf.Decode(r)
	if err != nil {
		return err
	}
	grace, err := e.graceOf(data)
	if err != nil {
		return err
	}
	secret, next, kept, err := e.replace(r.Context(), id, r.PathValue("handle"), grace)
	if err != nil {
		return err
	}
	answer := append(drf.Object{{Name: "token", Value: secret}}, describe(&next, id)...)
	var previous any
	if kept.ID != "" {
		previous = describe(&kept, id)
	}
	w.Header().Set("Location", e.location(r, next.ID))
	return drf.Write(w, r, http.StatusCreated, append(answer, drf.Member{Name: "previous", Value: previous}))
}

// replace rotates one of the caller's tokens. kept is what the old one became,
// if it is accepted for a while.
func (e *Endpoint) replace(ctx context.Context, id *auth.Identity, handle string, grace time.Duration) (secret string, next, kept tokenstore.Credential, err error) {
	none := tokenstore.Credential{}
	transactor, ok := e.issuer.Store().(tokenstore.Transactor)
	if !ok {
		return "", none, none, &auth.Unavailable{Err: errNoTransactions}
	}
	now := e.now().UTC().Truncate(time.Microsecond)
	secret = issue.Scannable(e.Prefix)
	err = transactor.InTx(ctx, func(store tokenstore.Store) error {
		old, err := e.find(ctx, store, handle, id)
		if err != nil {
			return err
		}
		switch {
		case !old.Expires.IsZero() && !old.Expires.After(now):
			return drf.Detail(http.StatusConflict, "This token has expired. Create another.")
		case !e.within(id, &old):
			return &auth.Denial{Detail: "This token has more rights than the one that you call with."}
		case grace > 0 && old.Origin != "":
			return drf.FieldErrors("grace", "This token was imported, and ends at once when it is rotated. Send 0.")
		}
		successor := old
		successor.Digest = issue.Digest(secret)
		// What is in its grace is beside the limit, and has one of its own.
		next, kept, err = issue.Replace(ctx, store, old, successor, grace, 2*e.LimitPerUser-1, now)
		if errors.Is(err, tokenstore.ErrLimit) {
			return drf.NonField("You have too many tokens that were rotated and are still accepted. Send a grace of 0, or revoke one first.")
		}
		return err
	})
	if answer, ok := errors.AsType[*drf.Error](err); ok {
		return "", none, none, answer
	}
	if denial, ok := errors.AsType[*auth.Denial](err); ok {
		return "", none, none, denial
	}
	if err != nil {
		return "", none, none, issue.StoreError(err)
	}
	e.logger.Info("token rotated", append(fields(&next, id), zap.String("previous", handle), zap.Duration("grace", grace))...)
	return secret, next, kept, nil
}

// graceOf returns how long the old token is accepted, in seconds as the caller
// says, else as configured.
func (e *Endpoint) graceOf(data *drf.Data) (time.Duration, error) {
	values, err := data.Read(drf.Field{Name: "grace", Type: drf.Integer, Optional: true})
	if err != nil {
		return 0, err
	}
	if !values.Has("grace") {
		return time.Duration(*e.Grace), nil
	}
	seconds := values.Int("grace")
	if seconds < 0 || seconds > int64(maxGrace/time.Second) {
		return 0, drf.FieldErrors("grace", fmt.Sprintf("Ensure this value is between 0 and %d.", int64(maxGrace/time.Second)))
	}
	return time.Duration(seconds) * time.Second, nil
}

// within reports whether the caller may put a token in the place of this one: a
// token cannot grant by a rotation what it cannot grant itself.
func (e *Endpoint) within(id *auth.Identity, record *tokenstore.Credential) bool {
	if !isToken(id) || record.ID == id.Credential {
		return true
	}
	exceeds := slices.ContainsFunc(record.Scopes, func(scope string) bool { return !id.HasScope(scope) })
	return !exceeds && (id.Expires.IsZero() || !record.Expires.IsZero() && !record.Expires.After(id.Expires))
}

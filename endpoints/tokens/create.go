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
	"unicode"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	maxLabel  = 200 // characters
	maxScopes = 100
)

// wish is a token as the caller would have it.
type wish struct {
	label   string
	scopes  []string
	expires time.Time // if it is said when
	ends    bool      // it is; else as the site decides, unless never
	never   bool      // it is not to end
}

// create issues a token to the caller.
func (e *Endpoint) create(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	data, err := drf.Decode(r)
	if err != nil {
		return err
	}
	values, err := data.Read(
		drf.Field{Name: "label", MaxLength: maxLabel, Optional: true, AllowBlank: true},
		drf.Field{Name: "scopes", Type: drf.StringList, Optional: true},
		drf.Field{Name: "expires", Type: drf.DateTime, Optional: true, AllowNull: true},
	)
	if err != nil {
		return err
	}
	secret, record, err := e.issue(r.Context(), id, wish{
		label:   values.String("label"),
		scopes:  values.Strings("scopes"),
		expires: values.Time("expires"),
		ends:    values.Has("expires"),
		never:   values.Null("expires"),
	})
	if err != nil {
		return err
	}
	w.Header().Set("Location", e.location(r, record.ID))
	return drf.Write(w, r, http.StatusCreated, append(drf.Object{{Name: "token", Value: secret}}, describe(&record, id)...))
}

// issue creates the token that the caller wishes.
func (e *Endpoint) issue(ctx context.Context, id *auth.Identity, asked wish) (secret string, record tokenstore.Credential, err error) {
	if err := mayOwn(id); err != nil {
		return "", record, err
	}
	if err := checkLabel(asked.label); err != nil {
		return "", record, err
	}
	now := e.now().UTC().Truncate(time.Microsecond)
	fresh := tokenstore.Credential{Kind: kind, UserKey: id.Key, Label: asked.label, Created: now}
	if fresh.Scopes, err = e.grant(id, asked.scopes); err != nil {
		return "", record, err
	}
	if fresh.Expires, err = e.end(id, asked, now); err != nil {
		return "", record, err
	}
	secret = issue.Scannable(e.Prefix)
	record, err = e.issuer.Issue(ctx, secret, fresh, e.LimitPerUser, false)
	if errors.Is(err, tokenstore.ErrLimit) {
		return "", record, drf.NonField(fmt.Sprintf("You have %d tokens, which is the most that are allowed. Revoke one first.", e.LimitPerUser))
	}
	if err != nil {
		return "", record, issue.StoreError(err)
	}
	return secret, record, nil
}

// mayOwn refuses callers to whom no token can be issued: who is no user, or is
// one of a source that can vouch for its users only while they are there.
func mayOwn(id *auth.Identity) error {
	if !id.HasUser() || id.Source != "store" && id.Source != "config" {
		return &auth.Denial{Detail: "Tokens are issued to users of this site only."}
	}
	return nil
}

func checkLabel(label string) error {
	for _, r := range label {
		if unicode.IsControl(r) {
			return drf.FieldErrors("label", "Control characters are not allowed.")
		}
	}
	return nil
}

// grant returns the scopes that the caller asks for, sorted. Callers who prove
// who they are grant what the configuration lets them, a token what it has.
func (e *Endpoint) grant(id *auth.Identity, asked []string) ([]string, error) {
	if len(asked) > maxScopes {
		return nil, drf.FieldErrors("scopes", fmt.Sprintf("Ensure this field has no more than %d elements.", maxScopes))
	}
	for _, scope := range asked {
		if !slices.Contains(e.Scopes, scope) || isToken(id) && !id.HasScope(scope) {
			return nil, drf.FieldErrors("scopes", "You cannot grant one of these scopes.")
		}
	}
	slices.Sort(asked)
	return slices.Compact(asked), nil
}

// end returns when a new token ends: as asked, within the bounds.
func (e *Endpoint) end(id *auth.Identity, asked wish, now time.Time) (time.Time, error) {
	latest := e.latest(id, now)
	end := asked.expires
	switch {
	case asked.never:
		if !latest.IsZero() {
			return end, drf.FieldErrors("expires", "A token has to end here.")
		}
	case !asked.ends:
		if e.DefaultTTL > 0 {
			end = now.Add(time.Duration(e.DefaultTTL))
		}
		if !latest.IsZero() && (end.IsZero() || end.After(latest)) {
			end = latest
		}
	case !end.After(now):
		return end, drf.FieldErrors("expires", "Ensure this value is in the future.")
	case !latest.IsZero() && end.After(latest):
		return end, drf.FieldErrors("expires", "Ensure this value is not after "+drf.Timestamp(latest)+".")
	}
	return end, nil
}

// latest returns when a token that this caller makes has to end, or zero if
// never: nothing outlives the token that made it.
func (e *Endpoint) latest(id *auth.Identity, now time.Time) (latest time.Time) {
	if e.MaxTTL > 0 {
		latest = now.Add(time.Duration(e.MaxTTL))
	}
	if isToken(id) && !id.Expires.IsZero() && (latest.IsZero() || id.Expires.Before(latest)) {
		latest = id.Expires
	}
	return latest
}

// isToken reports whether the caller is a program with a credential that was
// issued, and not the user in person.
func isToken(id *auth.Identity) bool { return id.Credential != "" && id.Method != "session" }

// fields are what the log says of a token, and of who changes it.
func fields(record *tokenstore.Credential, id *auth.Identity) []zap.Field {
	return append(issue.Fields(record), zap.String("user", id.ID), zap.String("by", id.Method))
}

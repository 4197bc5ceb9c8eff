// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/credcache"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// What an authenticator or a permission said.
const (
	outcomeNotAsked    = "not asked"
	outcomeIdentity    = "identity"
	outcomeNone        = "no credentials"
	outcomeBad         = "bad credentials"
	outcomeDenied      = "denied"
	outcomeThrottled   = "throttled"
	outcomeUnavailable = "unavailable"
	outcomeAllowed     = "allowed"
	outcomeRefused     = "refused"
	outcomeError       = "error"
)

// explainedAuthenticator is what one authenticator said.
type explainedAuthenticator struct {
	Name    string `json:"name"`
	Outcome string `json:"outcome"`
	User    string `json:"user,omitempty"`
	// Why, for the operator.
	Reason string `json:"reason,omitempty"`
	// Whether the running handler remembers these credentials: no, fresh (it
	// would not ask the authenticator), or stale (it would ask again).
	Remembered string `json:"remembered,omitempty"`
}

// reportingAuthenticator writes down what the authenticator said.
type reportingAuthenticator struct {
	auth.Authenticator
	explainer *explainer
	link      *link
	policy    *policy
	entry     *explainedAuthenticator
}

// Authenticate implements auth.Authenticator.
func (a *reportingAuthenticator) Authenticate(r *http.Request) (*auth.Identity, error) {
	a.entry.Remembered = a.remembered(r)
	id, err := a.Authenticator.Authenticate(r)
	a.report(r, id, err)
	return id, err
}

// report says what the handler will make of the answer.
func (a *reportingAuthenticator) report(r *http.Request, id *auth.Identity, err error) {
	if err == nil {
		id, err = a.link.adopt(id)
	}
	if err == nil {
		err = a.link.checkName(id)
	}
	if err == nil {
		a.entry.Outcome, a.entry.User = outcomeIdentity, id.ID
		return
	}
	var why error
	switch said := a.link.adoptCandidate(outcome(err)).(type) {
	case *auth.Failure:
		a.entry.Outcome, why = outcomeBad, said.Err
		if said.Candidate != nil {
			a.entry.User = said.Candidate.ID
		}
		a.entry.Reason = a.history(r, said.Err)
	case *auth.Denial:
		a.entry.Outcome = outcomeDenied
		a.entry.Reason = said.Detail
	case *auth.Throttled:
		a.entry.Outcome = outcomeThrottled
		a.entry.Reason = throttledAnswer(said).detail
		if said.Candidate != nil {
			a.entry.User = said.Candidate.ID
		}
	case *auth.Unavailable:
		a.entry.Outcome, why = outcomeUnavailable, said.Err
	default:
		a.entry.Outcome = outcomeNone
		if err != auth.ErrNoCredentials {
			why = err
		}
	}
	if a.entry.Reason == "" && why != nil {
		a.entry.Reason = why.Error()
	}
	a.entry.Reason = a.explainer.mask.text(a.entry.Reason)
}

// remembered looks into the cache of the running handler without touching it.
func (a *reportingAuthenticator) remembered(r *http.Request) string {
	if a.link.cacheable == nil {
		return ""
	}
	secret, ok := a.link.cacheable.CacheKey(r)
	if !ok {
		return ""
	}
	bound := standingBound
	if !a.policy.feed.Trusted() {
		bound = 0
	}
	key := a.link.fingerprint.Key(secret)
	switch a.policy.cache.Peek(&key, a.policy.now(), bound) {
	case credcache.Fresh:
		return "fresh"
	case credcache.Stale:
		return "stale"
	}
	return "no"
}

// history says more of a token that is not good any more. The client does not
// learn it, and the store does not tell while it decides.
func (a *reportingAuthenticator) history(r *http.Request, cause error) string {
	if a.link.cacheable == nil || errors.Is(cause, tokenstore.ErrInactive) || !errors.Is(cause, tokenstore.ErrNotFound) {
		return ""
	}
	secret, ok := a.link.cacheable.CacheKey(r)
	if !ok {
		return ""
	}
	digest := sha256.Sum256(secret)
	record, user, err := a.explainer.app.store.Lookup(r.Context(), digest[:], time.Time{})
	inactive := errors.Is(err, tokenstore.ErrInactive)
	switch {
	case err == nil, inactive:
	case errors.Is(err, tokenstore.ErrNotFound):
		return "the store has no such token: it was never issued, or was revoked or swept, or the password that it depended on was changed"
	default:
		return ""
	}
	reason := "the token " + record.ID + ", issued to " + firstOf(user.Name, "no user") + ", expired at " + when(&record.Expires)
	if inactive {
		reason += ", and its user is inactive"
	}
	return reason
}

// explainedPermission is what one permission said, with its parts if it is a
// composition. Parts are all asked, also those that the composition need not.
type explainedPermission struct {
	Name    string                 `json:"name"`
	Outcome string                 `json:"outcome"`
	Reason  string                 `json:"reason,omitempty"`
	Parts   []*explainedPermission `json:"parts,omitempty"`
}

func newExplainedPermission(permission auth.Permission) *explainedPermission {
	entry := &explainedPermission{Name: describePermission(permission), Outcome: outcomeNotAsked}
	if composition, ok := permission.(auth.Composition); ok {
		for _, part := range composition.Parts() {
			entry.Parts = append(entry.Parts, newExplainedPermission(part))
		}
	}
	return entry
}

// reportingPermission writes down what the permission said.
type reportingPermission struct {
	auth.Permission
	explainer *explainer
	entry     *explainedPermission
}

// Allow implements auth.Permission.
func (p *reportingPermission) Allow(r *http.Request, id *auth.Identity) (bool, error) {
	allowed, err := p.Permission.Allow(r, id)
	p.explainer.fill(p.entry, p.Permission, r, id, allowed, err)
	return allowed, err
}

// Explain implements auth.Explainer.
func (p *reportingPermission) Explain(r *http.Request, id *auth.Identity) *auth.Denial {
	if explainer, ok := p.Permission.(auth.Explainer); ok {
		return explainer.Explain(r, id)
	}
	return nil
}

func (e *explainer) fill(entry *explainedPermission, permission auth.Permission, r *http.Request, id *auth.Identity, allowed bool, err error) {
	switch {
	case err != nil:
		entry.Outcome, entry.Reason = outcomeError, e.mask.text(err.Error())
	case allowed:
		entry.Outcome = outcomeAllowed
	default:
		entry.Outcome = outcomeRefused
	}
	composition, ok := permission.(auth.Composition)
	if !ok {
		return
	}
	for i, part := range composition.Parts() {
		allowed, err := part.Allow(r, id)
		e.fill(entry.Parts[i], part, r, id, allowed, err)
	}
}

// describePermission names a permission with the words that it was configured
// with. Those of a stranger's are not shown: they may be a secret.
func describePermission(permission auth.Permission) string {
	name := moduleName(permission, "rest_auth.permissions.")
	kind := reflect.TypeOf(permission)
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	if !strings.HasSuffix(kind.PkgPath(), "/caddy-rest-auth/permissions") {
		return name
	}
	encoded, err := json.Marshal(permission)
	if err != nil {
		return name
	}
	var settings map[string]any
	if json.Unmarshal(encoded, &settings) != nil {
		return name
	}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		if slices.Contains([]string{"message", "code", "body"}, key) {
			continue
		}
		name += describeSetting(key, settings[key])
	}
	return name
}

func describeSetting(key string, value any) string {
	switch value := value.(type) {
	case string:
		return " " + value
	case bool:
		return " " + key
	case []any:
		var words strings.Builder
		for _, word := range value {
			if text, ok := word.(string); ok {
				words.WriteString(" " + text)
			}
		}
		return words.String()
	}
	return ""
}

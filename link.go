// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/credcache"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
)

// link is one authenticator in the chain of a handler, with what it can do.
type link struct {
	auth.Authenticator
	name        string // of the module, as "token"
	source      auth.Source
	challenger  auth.Challenger
	scoper      auth.ScopeChallenger
	redirector  auth.Redirector
	cacheable   auth.Cacheable
	rechecker   auth.Rechecker
	guard       auth.Guard
	fingerprint credcache.Fingerprint
	configured  func(name string) bool // whether the configuration has such a user
	owners      []auth.Owner           // of names that no user of the store may have here
	strangers   []auth.Owner           // those of other sources, whose names nobody has here
	reserved    []string               // prefixes of the users of other sources
}

var (
	errNameless  = errors.New("the authenticator returned an identity that names nobody")
	errNameTaken = errors.New("the configuration has another user of that name")
	errNameOwned = errors.New("another authenticator has a user of its own of that name")
)

// authenticate asks the authenticator and sees to it that what it returns can
// be trusted to be complete.
func (l *link) authenticate(r *http.Request) (*auth.Identity, error) {
	id, err := l.Authenticate(r)
	if err != nil {
		return nil, err
	}
	return l.adopt(id)
}

func (l *link) recheck(r *http.Request, remembered *auth.Identity) (*auth.Identity, error) {
	known := *remembered
	known.ID = strings.TrimPrefix(known.ID, l.source.Prefix)
	id, err := l.rechecker.Recheck(r, &known)
	if err != nil {
		return nil, err
	}
	return l.adopt(id)
}

// adopt returns the identity as this handler calls it.
func (l *link) adopt(id *auth.Identity) (*auth.Identity, error) {
	if id == nil || id.ID != "" && id.Key == "" {
		return nil, &auth.Unavailable{Err: errNameless}
	}
	if hasControl(id.ID) {
		return nil, &auth.Failure{Err: errors.New("the user name has control characters")}
	}
	// Whoever the configuration calls by that name is somebody else.
	if id.Source == users.SourceStore && l.configured(id.ID) {
		return nil, &auth.Failure{Err: errNameTaken}
	}
	if id.Method == l.name && (l.source.Prefix == "" || id.ID == "") {
		return id, nil
	}
	// Permissions go by the method, so it is the module's name whatever the
	// authenticator calls itself.
	adopted := *id
	adopted.Method = l.name
	if id.ID != "" {
		adopted.ID = l.source.Prefix + id.ID
	}
	return &adopted, nil
}

// checkName refuses a user whom `require user` could take for another: one with
// a name that the authenticator of another source has for a user of its own, and
// one whose own name begins as the handler has the names of another source begin.
// It is asked of remembered identities too, since a name may be taken at any
// time, and another handler may have remembered them.
func (l *link) checkName(id *auth.Identity) error {
	owners := l.strangers
	if id.Source == users.SourceStore {
		owners = l.owners
	}
	for _, owner := range owners {
		if owner.Owns(id.ID) {
			return &auth.Failure{Err: errNameOwned}
		}
	}
	for _, prefix := range l.reserved {
		if strings.HasPrefix(id.ID, prefix) {
			return &auth.Failure{Err: fmt.Errorf("the user name begins with the user_prefix '%s' of another source", prefix)}
		}
	}
	return nil
}

// adoptCandidate calls the user whom refused credentials name as this handler
// does.
func (l *link) adoptCandidate(err error) error {
	candidate := candidateOf(err)
	if candidate == nil || l.source.Prefix == "" {
		return err
	}
	named, problem := l.adopt(candidate)
	if problem != nil {
		named = nil
	}
	switch err := err.(type) {
	case *auth.Failure:
		adopted := *err
		adopted.Candidate = named
		return &adopted
	case *auth.Throttled:
		adopted := *err
		adopted.Candidate = named
		return &adopted
	}
	return err
}

// newPolicy loads the guests of a handler.
func newPolicy(ctx caddy.Context, app *App, settings *Settings) (*policy, error) {
	p := &policy{
		lenient:  settings.Invalid == invalidAnonymous,
		cache:    app.cache.Cache,
		feed:     app.store,
		failures: newFailureLog(ctx.Logger()),
		now:      time.Now,
	}
	configured := cloneRaw(settings.AuthenticatorsRaw)
	loaded, err := ctx.LoadModule(settings, "AuthenticatorsRaw")
	if err != nil {
		return nil, fmt.Errorf("loading authenticators: %w", err)
	}
	for i, guest := range loaded.([]any) {
		authenticator, ok := guest.(auth.Authenticator)
		if !ok {
			return nil, fmt.Errorf("loading authenticators: position %d: %T is not an authenticator", i, guest)
		}
		l, err := newLink(authenticator, settings.Realm, app, configured[i])
		if err != nil {
			return nil, fmt.Errorf("loading authenticators: position %d: %w", i, err)
		}
		p.links = append(p.links, l)
		p.addResponder(guest)
	}
	if err := checkSources(p.links); err != nil {
		return nil, err
	}
	reservePrefixes(p.links)
	p.claim()
	loaded, err = ctx.LoadModule(settings, "PermissionsRaw")
	if err != nil {
		return nil, fmt.Errorf("loading permissions: %w", err)
	}
	for i, guest := range loaded.([]any) {
		permission, ok := guest.(auth.Permission)
		if !ok {
			return nil, fmt.Errorf("loading permissions: position %d: %T is not a permission", i, guest)
		}
		p.permissions = append(p.permissions, permission)
		p.addResponder(guest)
	}
	p.counter = app.store
	if p.throttles, err = newThrottles(settings.Throttles); err != nil {
		return nil, fmt.Errorf("throttles: %w", err)
	}
	countClients(p.throttles, &clientRates{store: app.store, now: time.Now})
	p.metrics = newDecisionMetrics(ctx.GetMetricsRegistry(), p.links)
	return p, nil
}

func (p *policy) addResponder(guest any) {
	if responder, ok := guest.(auth.Responder); ok {
		p.responders = append(p.responders, responder)
	}
}

func newLink(authenticator auth.Authenticator, realm string, app *App, raw json.RawMessage) (link, error) {
	id := authenticator.(caddy.Module).CaddyModule().ID
	l := link{
		Authenticator: authenticator,
		name:          id.Name(),
		source:        auth.Source{Name: string(id)},
		configured:    app.directory.Configured,
	}
	if source, ok := authenticator.(auth.UserSource); ok {
		l.source = source.UserSource()
	}
	if setter, ok := authenticator.(auth.RealmSetter); ok {
		setter.SetRealm(realm)
	}
	l.challenger, _ = authenticator.(auth.Challenger)
	l.scoper, _ = authenticator.(auth.ScopeChallenger)
	l.redirector, _ = authenticator.(auth.Redirector)
	l.rechecker, _ = authenticator.(auth.Rechecker)
	l.guard, _ = authenticator.(auth.Guard)
	if cacheable, ok := authenticator.(auth.Cacheable); ok {
		// The provisioned module has its placeholders resolved; the raw
		// configuration has the guests that loading took out of it.
		resolved, err := json.Marshal(authenticator)
		if err != nil {
			return link{}, fmt.Errorf("encoding the configuration: %w", err)
		}
		l.cacheable = cacheable
		l.fingerprint = app.cache.Fingerprint([]byte(l.name), raw, resolved, []byte(l.source.Prefix), app.fingerprint)
	}
	return l, nil
}

// checkSources refuses a chain in which two sources could call two people by
// one name.
func checkSources(links []link) error {
	names := make(map[string]bool)
	for i := range links {
		names[links[i].source.Name] = true
	}
	if len(names) < 2 {
		return nil
	}
	owners := make(map[string]string) // sources by prefix
	for i := range links {
		source := links[i].source
		for prefix, owner := range owners {
			if owner != source.Name && source.Prefix != "" && (strings.HasPrefix(prefix, source.Prefix) || strings.HasPrefix(source.Prefix, prefix)) {
				return fmt.Errorf("authenticator '%s' writes user_prefix '%s' before its users, and another source '%s': "+
					"say one that does not begin as the other does, or their names could meet", links[i].name, source.Prefix, prefix)
			}
		}
		if source.Prefix != "" {
			owners[source.Prefix] = source.Name
		}
		if source.Name != "" && !source.Told {
			return fmt.Errorf("authenticator '%s' brings users of its own (%s) beside those of others: "+
				"say `user_prefix <text>`, or `user_prefix off` if the names cannot meet", links[i].name, source.Name)
		}
	}
	return nil
}

// reservePrefixes keeps the prefix of each source from the users of all others.
func reservePrefixes(links []link) {
	for i := range links {
		for j := range links {
			source := links[j].source
			if source.Prefix != "" && source.Name != links[i].source.Name {
				links[i].reserved = append(links[i].reserved, source.Prefix)
			}
		}
	}
}

func hasControl(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return true
		}
	}
	return false
}

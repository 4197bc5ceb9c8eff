// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"net/http"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/credcache"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/throttle"
)

// standingBound is how long a remembered identity is served before its user
// and credential are read again.
const standingBound = time.Minute

// nobody is the index of the authenticator that answered when none did.
const nobody = -1

// policy decides about requests: ordered authenticators, then permissions,
// then throttles. It writes no HTTP.
type policy struct {
	links       []link
	permissions []auth.Permission
	throttles   []*throttle.Throttle
	counter     throttle.Counter
	responders  []auth.Responder
	noticers    []auth.Noticer
	lenient     bool // bad credentials make a request anonymous
	cache       *credcache.Cache
	feed        interface{ Trusted() bool } // the store's
	metrics     *decisionMetrics
	failures    *failureLog
	now         func() time.Time
}

// denied is the cause of a refusal by a permission; the explanation is nil if
// it has nothing to add to the standard text.
type denied struct{ explanation *auth.Denial }

func (*denied) Error() string { return "refused by a permission" }

// unexplained is the cause of nearly all refusals.
var unexplained = new(denied)

// identify asks the authenticators who made the request. It returns the index
// of the one that answered, or whose error it returns, and nobody if none did;
// with an error of its guard, whom it knows nevertheless; and what those said
// who were asked before and found nothing of theirs.
func (p *policy) identify(r *http.Request, state *requestState) (*auth.Identity, int, []abstention, error) {
	if len(r.Header["Authorization"]) > 1 {
		return auth.Anonymous, nobody, nil, auth.Ambiguous()
	}
	var abstained []abstention
	ignored := false
	for i := range p.links {
		id, err := p.ask(&p.links[i], r, state)
		if err == nil {
			err = p.links[i].checkName(id)
		}
		known := auth.Anonymous
		if err == nil && p.links[i].guard != nil {
			known = id
			err = p.links[i].guard.Guard(r, id)
		}
		if err == nil {
			if ignored {
				p.dropIgnored(r, i)
			}
			return id, i, abstained, nil
		}
		said := err
		err = p.links[i].adoptCandidate(outcome(err))
		if err == auth.ErrNoCredentials {
			if said != auth.ErrNoCredentials {
				abstained = append(abstained, abstention{i, said})
			}
			continue
		}
		if failure, bad := err.(*auth.Failure); bad && p.lenient {
			p.metrics.count(i, verdictIgnored)
			p.failures.log(r, p.links[i].name, failure)
			ignored = true
			abstained = append(abstained, abstention{i, failure})
			continue
		}
		return known, i, abstained, err
	}
	if ignored {
		p.dropIgnored(r, nobody)
	}
	return auth.Anonymous, nobody, abstained, nil
}

// dropIgnored keeps credentials that were found bad from the upstream, which
// might believe them. They stay if they are what the answering authenticator
// accepted after another one had refused them.
func (p *policy) dropIgnored(r *http.Request, by int) {
	bad := r.Header["Authorization"]
	delete(r.Header, "Authorization")
	if by == nobody || p.links[by].cacheable == nil || bad == nil {
		return
	}
	if _, elsewhere := p.links[by].cacheable.CacheKey(r); !elsewhere {
		r.Header["Authorization"] = bad
	}
}

// ask asks one authenticator, or the memory of what it said before.
func (p *policy) ask(l *link, r *http.Request, state *requestState) (*auth.Identity, error) {
	if l.cacheable == nil {
		return l.authenticate(r)
	}
	secret, ok := l.cacheable.CacheKey(r)
	if !ok {
		return l.authenticate(r)
	}
	key := l.fingerprint.Key(secret)
	now := p.now()
	bound := standingBound
	if !p.feed.Trusted() {
		bound = 0
	}
	remembered := state.scratch()
	found := p.cache.Get(&key, now, bound, remembered)
	if found == credcache.Fresh {
		p.metrics.hits.Inc()
		state.taken = true
		return remembered, nil
	}
	// The stamp is taken before anything is read, so that what a concurrent
	// revocation overtakes is stale at birth.
	stamp := p.cache.Stamp()
	if found == credcache.Stale && l.rechecker != nil {
		p.metrics.rechecks.Inc()
		id, err := l.recheck(r, remembered)
		if err == nil {
			p.cache.Put(&key, stamp, now, id)
			return id, nil
		}
		if !errors.Is(err, auth.ErrChanged) {
			return nil, err
		}
		stamp = p.cache.Stamp()
	} else {
		p.metrics.misses.Inc()
	}
	id, err := l.authenticate(r)
	if err == nil {
		p.cache.Put(&key, stamp, now, id)
	} else if found == credcache.Stale {
		p.cache.Forget(&key)
	}
	return id, err
}

// permit reports the first permission that does not allow the request, as a
// *denied, or that could not tell, as its error.
func (p *policy) permit(r *http.Request, id *auth.Identity) error {
	for _, permission := range p.permissions {
		ok, err := permission.Allow(r, id)
		if err != nil {
			if down, ok := errors.AsType[*auth.Unavailable](err); ok {
				return down
			}
			p.failures.logUndecided(err)
			return unexplained
		}
		if ok {
			continue
		}
		if explainer, ok := permission.(auth.Explainer); ok {
			if explanation := explainer.Explain(r, id); explanation != nil {
				return &denied{explanation}
			}
		}
		return unexplained
	}
	return nil
}

// wrap lets authenticators and permissions with a part in the response have it.
func (p *policy) wrap(w http.ResponseWriter, r *http.Request, id *auth.Identity) http.ResponseWriter {
	for _, responder := range p.responders {
		w = responder.WrapResponse(w, r, id)
	}
	return w
}

func (p *policy) count(by int, id *auth.Identity) {
	if id.Authenticated() {
		p.metrics.count(by, verdictAllowed)
	} else {
		p.metrics.count(by, verdictAnonymous)
	}
}

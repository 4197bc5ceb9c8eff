// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package auth is the contract between the rest_auth handler and the
// authenticators and permissions that it asks. It imports the standard
// library only, and it is all that a new authenticator needs to know.
//
// The handler asks its authenticators in order who made a request. The first
// that finds credentials of its own kind decides; then every permission must
// allow the request. An authenticator is a pure function of the request: it
// never sees the response, and it tells three outcomes apart:
//
//	id, nil                  the request was made by id
//	nil, ErrNoCredentials    it carries none of mine: ask the next
//	nil, *Failure            it carries some of mine, and they are bad: stop
//
// Everything else means that the authenticator could not tell; the client is
// then answered 503, never let through.
package auth

import "net/http"

// An Authenticator proves who made a request.
//
// Authenticate must be safe for concurrent use and must not change the
// request. It returns
//
//   - an Identity, if the request carries good credentials of its kind;
//   - ErrNoCredentials, if it carries none of its kind: the next
//     authenticator is asked;
//   - a *Failure, if it carries bad ones: the request is refused with 401,
//     or with 403 where the first authenticator has no challenge;
//   - a *Denial, if the credentials are good but may not be used this way,
//     as a session without its CSRF token: the request is refused with 403;
//   - a *Throttled, if the client has to wait: 429;
//   - any other error, if it could not tell: 503.
//
// The outermost of these errors decides. What it wraps is its cause alone: an
// *Unavailable that wraps ErrNoCredentials is 503, and asks nobody else.
type Authenticator interface {
	Authenticate(r *http.Request) (*Identity, error)
}

// A Permission decides whether an identity may make a request.
//
// Allow must be safe for concurrent use and must not change the request. The
// identity is never nil; it is Anonymous if nobody answered for the request.
// An error denies: an *Unavailable becomes 503, any other error is logged and
// refused as if Allow had reported false.
type Permission interface {
	Allow(r *http.Request, id *Identity) (bool, error)
}

// A Challenger is an Authenticator that can ask for its credentials.
//
// Challenge returns one challenge of RFC 9110 section 11.6.1 for the
// WWW-Authenticate header, or the empty string if the scheme has none. Cause is
// the error that this same authenticator returned for this request, less what
// it was wrapped in; an error that wraps ErrNoCredentials is passed on as it is.
// Cause is nil when another one failed, when this one was not asked, or when it
// returned the bare ErrNoCredentials.
type Challenger interface {
	Challenge(r *http.Request, cause error) string
}

// A ScopeChallenger is an Authenticator whose scheme can say in a challenge which
// scopes a credential would have needed, as RFC 6750 section 3.1 has it with
// insufficient_scope.
//
// ChallengeScope is called when a request that this authenticator answered for
// is refused with 403 for want of scopes. It returns a challenge, or the empty
// string to add none.
type ScopeChallenger interface {
	ChallengeScope(r *http.Request, id *Identity, scopes []string) string
}

// A Redirector is an Authenticator that knows where people log in, and can send
// them there in place of a refusal.
//
// Redirect returns what Location is to say and a status, of which any but 303
// and 307 is sent as 302, or an empty location if this request is better
// refused, as that of a program. Methods other than GET and HEAD are answered
// 303, so that no body is sent again. Redirect is called only when a request is
// refused for want of good credentials, never in place of 403 for a known user,
// 429 or 503. The first authenticator with a location wins, unless one of them
// failed: then that one alone is asked. Cause is what a Challenger gets.
type Redirector interface {
	Redirect(r *http.Request, cause error) (location string, status int)
}

// A Cacheable authenticator lets the handler remember its successes.
//
// CacheKey returns everything in the request that Authenticate depends on, and
// reports whether a success may be remembered at all. The handler hashes the
// secret under a key of the process and together with the authenticator's
// configuration, which is its JSON after Provision: an authenticator resolves
// placeholders in its exported fields. The secret is only read, and not kept.
//
// A remembered identity is served until it expires or until the store
// announces a change of its user, credential, family or client. Once a minute,
// and on every request while no announcements arrive, Authenticate (or
// Recheck, if the authenticator is a Rechecker) is called again.
type Cacheable interface {
	CacheKey(r *http.Request) (secret []byte, ok bool)
}

// A Rechecker can tell whether a remembered identity still stands without the
// cost of verifying its credentials, as one read of the user spares a password
// hash. Recheck returns the identity as it is now. It returns ErrChanged if
// the credentials must be verified again, and otherwise what Authenticate
// would have returned.
type Rechecker interface {
	Recheck(r *http.Request, id *Identity) (*Identity, error)
}

// A Guard is an Authenticator whose credentials do not do for each request that
// carries them, as a session that a browser sends along whoever's page it shows.
//
// Guard is called for each request that the authenticator answered for, also
// from the handler's memory, with the identity and before any permission is
// asked. It returns nil, or an error as Authenticate does, most likely a *Denial.
// It may read from the body if it replaces it by one that reads the same, and
// leaves the rest of the request as it is.
type Guard interface {
	Guard(r *http.Request, id *Identity) error
}

// A Responder is an Authenticator or a Permission with a part in the response,
// such as a renewed cookie. WrapResponse is called after the decision, for
// refusals too, and returns the writer to go on with.
type Responder interface {
	WrapResponse(w http.ResponseWriter, r *http.Request, id *Identity) http.ResponseWriter
}

// An Explainer is a Permission that can say why it refused. Explain is only
// called after Allow reported false for the same request and identity. It
// returns nil if there is nothing to add to the standard text.
type Explainer interface {
	Explain(r *http.Request, id *Identity) *Denial
}

// A Composition is a Permission that asks others, so that it can be explained
// part by part. Parts returns them in the order in which they are asked.
type Composition interface {
	Parts() []Permission
}

// A RealmSetter is an Authenticator whose challenge names a realm. The handler
// calls SetRealm once, before the first request, with its own realm; a realm
// that the authenticator was configured with stays.
type RealmSetter interface {
	SetRealm(realm string)
}

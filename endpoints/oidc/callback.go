// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/federation"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/oidclogin"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/page"
	sessions "github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
)

// maxQuery bounds what a provider may say in a URL.
const maxQuery = 8 << 10

// What people are told, beside what the providers' package says.
const (
	textNoAttempt = "This login was begun in another browser, took too long, or was finished already."
	textNoCode    = "No authorization code was provided."
	textMalformed = "The answer of the provider could not be understood."
	textCancelled = "The login was cancelled, or the provider does not let you in."
	textFailed    = "Login failed."
	textDisabled  = "Your account is disabled."
	textUnknown   = "You have no account here."
	textUnproved  = "The provider has not verified your e-mail address."
	textNameTaken = "Somebody else has the name here that your account would have. Please ask those who run this site."
)

// answer is what a provider says to the callback.
type answer struct {
	code, state, fault, issuer string
	named                      bool // the issuer
}

// callback finishes a login: the browser proves by a cookie that it began it, the
// provider by its signature who has logged in there.
func (e *Endpoint) callback(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	p := e.provider(r.PathValue("provider"))
	if p == nil {
		return errNotFound
	}
	given, err := readAnswer(r)
	if err != nil {
		return refused(textMalformed, err)
	}
	jar, secure := e.jar(loginKind), e.secure(r)
	attempt, err := jar.Find(r, secure, p.Name, given.state)
	if errors.Is(err, oidclogin.ErrNoAttempt) {
		return refused(textNoAttempt, err)
	}
	if err != nil {
		return err
	}
	caddyhttp.SetVar(r.Context(), nextVar, attempt.Next)
	session, err := e.finish(w, r, p, attempt, given)
	if _, down := errors.AsType[*auth.Unavailable](err); down {
		// Once the provider is back, loading the page again goes on.
		return err
	}
	jar.Forget(w, r, secure, attempt.State)
	if err != nil {
		return asRefusal(err)
	}
	e.log("logged in", r, session.User, zap.String("credential", session.ID), zap.String("provider", p.Name))
	if wantsJSON(r) {
		return drf.Write(w, r, http.StatusOK, e.state(r, session, e.sessions.CSRF().Rotate(w, r)))
	}
	to := or(attempt.Next, e.LoginRedirectURL)
	if e.CookieSameSite == "Strict" {
		// The browser would not send the session along with a redirection that the
		// provider's page began, and be sent to log in once more, for ever.
		w.Header().Set("Refresh", "0; url="+to)
		return e.pages.Write(w, page.View{Name: "entered", Title: "Logged in", Data: enteredView{to}})
	}
	return redirect(w, http.StatusSeeOther, to)
}

// nextVar is the variable of a request that says where somebody was on the way
// to whose login failed.
const nextVar = "rest_auth.oidc.next"

// noHead keeps a program that looks before it goes from using up a code.
func (e *Endpoint) noHead(w http.ResponseWriter, _ *http.Request, _ *auth.Identity) error {
	w.WriteHeader(http.StatusOK)
	return nil
}

func readAnswer(r *http.Request) (answer, error) {
	if len(r.URL.RawQuery) > maxQuery {
		return answer{}, errors.New("the query is too long")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return answer{}, errors.New("the query is malformed")
	}
	// Which of two another reader would take cannot be known.
	for _, name := range []string{"code", "state", "error", "iss", "response"} {
		if len(query[name]) > 1 {
			return answer{}, fmt.Errorf("the query has more than one %s", name)
		}
	}
	if query.Has("code") && query.Has("error") {
		return answer{}, errors.New("the query has both code and error")
	}
	return answer{query.Get("code"), query.Get("state"), query.Get("error"), query.Get("iss"), query.Has("iss")}, nil
}

// finish begins a session for who has logged in.
func (e *Endpoint) finish(w http.ResponseWriter, r *http.Request, p *oidclogin.Provider, attempt *oidclogin.Attempt, given answer) (*sessions.Session, error) {
	ctx := r.Context()
	if err := p.CheckIssuer(ctx, given.issuer, given.named); err != nil {
		return nil, err
	}
	if given.fault != "" {
		return nil, faultOf(p, given.fault)
	}
	if given.code == "" {
		return nil, &oidclogin.RefusedError{Text: textNoCode, Err: errors.New("the answer has no code")}
	}
	result, err := p.Finish(ctx, attempt, given.code)
	if err != nil {
		return nil, err
	}
	// Whoever the configuration calls by that name is somebody else, and the
	// session would be nobody's.
	if result.User.Source == users.SourceStore && e.users.Configured(result.User.ID) {
		return nil, &auth.Failure{Candidate: result.User, Err: federation.ErrNameTaken}
	}
	if err := e.useUp(ctx, attempt); err != nil {
		return nil, err
	}
	login := sessions.Login{
		Provider: p.Name, Issuer: result.Issuer, Subject: result.Subject, SID: result.SID,
		Staff: result.Stated.Staff, Superuser: result.Stated.Superuser, Groups: result.Stated.Groups, Permissions: result.Stated.Permissions,
	}
	if result.IDToken != "" {
		if login.Hint, err = e.sealer.Seal(ctx, hintPurpose(p), []byte(result.IDToken)); err != nil {
			return nil, err
		}
	}
	return e.sessions.StartAt(w, r, result.User, e.sessions.Remembers(), login)
}

// useUp lets an attempt be finished once, by one of several requests at the same
// time, and on one of several nodes. It comes last: the store is written to for
// those alone whom a provider vouches for.
func (e *Endpoint) useUp(ctx context.Context, attempt *oidclogin.Attempt) error {
	digest := sha256.Sum256([]byte(attempt.State))
	fresh, err := e.store.Remember(ctx, "oidc-login:"+base64.RawURLEncoding.EncodeToString(digest[:]), attempt.Expires.Add(time.Minute))
	if err != nil {
		return &auth.Unavailable{Err: fmt.Errorf("using up a login: %w", err)}
	}
	if !fresh {
		return &oidclogin.RefusedError{Text: textNoAttempt, Err: errors.New("the login was finished already")}
	}
	return nil
}

// faultOf returns what an error of the provider means (RFC 6749 section 4.1.2.1,
// OpenID Connect Core section 3.1.2.6). Its description is anybody's text, and is
// neither shown nor logged.
func faultOf(p *oidclogin.Provider, fault string) error {
	cause := fmt.Errorf("provider %s answers with an error it does not define", p.Name)
	switch fault {
	case "access_denied":
		return &auth.Denial{Code: fault, Detail: textCancelled}
	case "server_error", "temporarily_unavailable":
		return &auth.Unavailable{RetryAfter: 5 * time.Second, Err: fmt.Errorf("provider %s answers %s", p.Name, fault)}
	case "login_required", "interaction_required", "consent_required", "account_selection_required",
		"invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope", "request_not_supported":
		cause = fmt.Errorf("provider %s answers %s", p.Name, fault)
	}
	return &oidclogin.RefusedError{Text: textFailed, Err: cause}
}

// asRefusal returns what is answered: a failure is counted and logged, and its
// cause is not shown.
func asRefusal(err error) error {
	if refusedBy, ok := errors.AsType[*oidclogin.RefusedError](err); ok {
		return refused(refusedBy.Text, refusedBy.Err)
	}
	failure, ok := errors.AsType[*auth.Failure](err)
	if !ok {
		return err
	}
	status := http.StatusForbidden
	var text string
	switch {
	case errors.Is(err, federation.ErrInactiveUser):
		text = textDisabled
	case errors.Is(err, federation.ErrUnknownUser), errors.Is(err, federation.ErrLookalike):
		text = textUnknown
	case errors.Is(err, federation.ErrUnverified):
		text = textUnproved
	case errors.Is(err, federation.ErrNameTaken):
		text = textNameTaken
	default:
		status, text = http.StatusBadRequest, textFailed
	}
	return endpoints.Failed(drf.Detail(status, text), failure)
}

// refused answers 400 and logs why.
func refused(text string, cause error) error {
	return endpoints.Failed(drf.Detail(http.StatusBadRequest, text), &auth.Failure{Detail: text, Err: cause})
}

// hintPurpose is what an ID token is sealed for.
func hintPurpose(p *oidclogin.Provider) string { return "oidc hint\x00" + p.Name + "\x00" + p.Issuer }

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/credcache"
)

// A judgement is what one handler of ours made of the request.
type judgement struct {
	Route string `json:"route"`
	// Empty if the handler's own matcher left the request out.
	Verdict        string                    `json:"verdict,omitempty"`
	LeftOut        bool                      `json:"left_out,omitempty"`
	Preflight      bool                      `json:"preflight,omitempty"`
	Authenticators []*explainedAuthenticator `json:"authenticators,omitempty"`
	Identity       *explainedIdentity        `json:"identity,omitempty"`
	Candidate      *explainedIdentity        `json:"candidate,omitempty"`
	Permissions    []*explainedPermission    `json:"permissions,omitempty"`
	Throttles      []*explainedThrottle      `json:"throttles,omitempty"`
	Headers        explainedHeaders          `json:"headers"`
	Refusal        *explainedRefusal         `json:"refusal,omitempty"`
}

// explainedRefusal is the answer to a request that may not go on.
type explainedRefusal struct {
	Status     int      `json:"status"`
	Code       string   `json:"code"`
	Detail     string   `json:"detail"`
	Challenges []string `json:"challenges,omitempty"`
	Location   string   `json:"location,omitempty"`
	RetryAfter int      `json:"retry_after,omitempty"`
	// Empty if the error routes write the answer.
	Body string `json:"body,omitempty"`
	// Whether the error routes of the server get it.
	ErrorRoutes bool `json:"error_routes,omitempty"`
}

// judge has a copy of the handler judge the request. The copy is the handler's
// own code with authenticators, permissions and throttles that write down what they said,
// an empty cache, and metrics and logs that go nowhere.
func (e *explainer) judge(h *Handler, at place) standIn {
	return func(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
		j := &judgement{Route: at.String()}
		e.report.Judged = append(e.report.Judged, j)
		sent := slices.DeleteFunc(h.headers.mine(r), func(name string) bool {
			return !slices.Equal(r.Header[name], e.sent[name]) // of an earlier handler
		})
		matched, err := h.judged.AnyMatchWithError(r)
		j.LeftOut = !matched && err == nil
		j.Preflight = !j.LeftOut && h.cors.preflight(r)

		answer := newAnswerRecorder()
		passed := false
		failed := e.shadow(h, j).ServeHTTP(answer, r, caddyhttp.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) error {
			passed = true
			if j.LeftOut {
				// What another handler has said stays.
				sent = slices.DeleteFunc(sent, func(name string) bool { return r.Header[name] != nil })
			} else {
				e.admitted(h, j, r)
			}
			j.Headers.Stripped = sent
			return next.ServeHTTP(w, r)
		}))
		if passed {
			return failed
		}
		j.Headers.Stripped = sent
		if err != nil { // of the handler's matcher: nothing was judged
			e.note("%s: the matcher of rest_auth fails: %s", at, e.mask.text(err.Error()))
			j.Verdict = verdictNames[verdictUnavailable]
			return failed
		}
		e.refused(j, r, answer, failed)
		if failed == nil {
			w.WriteHeader(answer.status)
			e.report.Answered = &answered{By: answeredByUs, Route: j.Route}
		}
		return failed
	}
}

// shadow is a copy of the handler whose parts report to j.
func (e *explainer) shadow(h *Handler, j *judgement) *Handler {
	p := *h.policy
	// A cache of its own, which remembers nothing: what it would be asked and
	// told is asked again and told nobody.
	p.cache = credcache.New(1)
	p.metrics = quietMetrics(len(p.links))
	p.failures = newFailureLog(zap.NewNop())
	p.links = slices.Clone(p.links)
	for i := range p.links {
		entry := &explainedAuthenticator{Name: p.links[i].name, Outcome: outcomeNotAsked}
		j.Authenticators = append(j.Authenticators, entry)
		p.links[i].Authenticator = &reportingAuthenticator{
			Authenticator: p.links[i].Authenticator, explainer: e, link: &h.policy.links[i], policy: h.policy, entry: entry,
		}
		if p.links[i].rechecker != nil {
			p.links[i].rechecker = nil // nothing is remembered
		}
		if p.links[i].guard != nil {
			p.links[i].guard = &reportingGuard{guard: p.links[i].guard, explainer: e, entry: entry}
		}
	}
	p.permissions = slices.Clone(p.permissions)
	for i, permission := range p.permissions {
		entry := newExplainedPermission(permission)
		j.Permissions = append(j.Permissions, entry)
		p.permissions[i] = &reportingPermission{Permission: permission, explainer: e, entry: entry}
	}
	p.throttles = e.reportThrottles(p.throttles, j)
	rejecter := *h.rejecter
	rejecter.links, rejecter.metrics, rejecter.failures, rejecter.logger = p.links, p.metrics, p.failures, zap.NewNop()
	rejecter.events = nil

	shadow := *h
	shadow.policy, shadow.rejecter, shadow.events = &p, &rejecter, nil
	return &shadow
}

// quietMetrics counts for nobody.
func quietMetrics(links int) *decisionMetrics {
	sink := prometheus.NewCounter(prometheus.CounterOpts{Name: "explained"})
	var each [verdicts]prometheus.Counter
	for i := range each {
		each[i] = sink
	}
	m := &decisionMetrics{none: each, hits: sink, rechecks: sink, misses: sink}
	for range links {
		m.byLink = append(m.byLink, each)
	}
	return m
}

// admitted reports a request that goes on.
func (e *explainer) admitted(h *Handler, j *judgement, r *http.Request) {
	j.Verdict = verdictNames[verdictAnonymous]
	if state := explainedState(r); state != nil && state.user.Authenticated() {
		j.Verdict = verdictNames[verdictAllowed]
		j.Identity = explainIdentity(state.user)
	}
	j.Headers.Set = e.headersSet(h, r)
	j.Headers.Deleted = h.headers.delete
}

// refused reports a request that does not.
func (e *explainer) refused(j *judgement, r *http.Request, answer *answerRecorder, failed error) {
	refusal := &explainedRefusal{Status: answer.status, ErrorRoutes: failed != nil}
	if failed != nil {
		refusal.Status = statusOf(failed)
	}
	for _, challenge := range answer.header["Www-Authenticate"] {
		refusal.Challenges = append(refusal.Challenges, e.mask.text(challenge))
	}
	refusal.Location = e.mask.text(answer.header.Get("Location"))
	refusal.RetryAfter, _ = strconv.Atoi(answer.header.Get("Retry-After"))
	refusal.Body = e.mask.text(string(answer.body))
	if state := explainedState(r); state != nil {
		refusal.Code, refusal.Detail = state.code, e.mask.text(state.detail)
		if state.candidate.Authenticated() || state.candidate.HasUser() {
			j.Candidate = explainIdentity(state.candidate)
		}
	}
	j.Refusal = refusal
	j.Verdict = verdictNames[j.refusedBecause()]
}

// refusedBecause says which of the verdicts a refusal is.
func (j *judgement) refusedBecause() verdict {
	switch j.Refusal.Status {
	case http.StatusServiceUnavailable:
		return verdictUnavailable
	case http.StatusTooManyRequests:
		return verdictThrottled
	}
	asked := len(j.Permissions) > 0 && j.Permissions[0].Outcome != outcomeNotAsked
	denied := slices.ContainsFunc(j.Authenticators, func(a *explainedAuthenticator) bool { return a.Outcome == outcomeDenied })
	switch {
	case asked && j.Candidate == nil && len(j.Authenticators) > 0:
		return verdictUnauthenticated
	case asked || denied:
		return verdictDenied
	}
	return verdictFailed
}

// explainedState is what the handlers of the request know of it, if one has
// judged it.
func explainedState(r *http.Request) *requestState {
	state, _ := caddyhttp.GetVar(r.Context(), stateVar).(*requestState)
	return state
}

// Interface guards
var (
	_ auth.Authenticator = (*reportingAuthenticator)(nil)
	_ auth.Guard         = (*reportingGuard)(nil)
	_ auth.Permission    = (*reportingPermission)(nil)
	_ auth.Explainer     = (*reportingPermission)(nil)
)

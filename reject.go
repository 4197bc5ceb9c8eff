// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// Texts of Django REST framework.
const (
	textNotAuthenticated = "Authentication credentials were not provided."
	textFailed           = "Incorrect authentication credentials."
	textDenied           = "You do not have permission to perform this action."
	textThrottled        = "Request was throttled."
	textUnavailable      = "Service temporarily unavailable, try again later."
)

// refusal is what a policy decided against a request.
type refusal struct {
	id    *auth.Identity // Anonymous unless an authenticator answered
	by    int            // the authenticator that answered or failed, or nobody
	cause error

	// The endpoint that refused, if no authenticator or permission did.
	endpoint string

	// What those said who were asked and found nothing of theirs.
	abstained []abstention
}

// answer is a refusal as HTTP says it.
type answer struct {
	status     int
	code       string
	detail     string
	body       any // in place of the detail
	challenges []string
	location   string // where a browser is sent in place of the challenges
	retryAfter int    // seconds; 0 sends none
	verdict    verdict
}

// rejecter turns refusals into answers.
type rejecter struct {
	links    []link
	all      bool // challenge with every scheme
	refusals string
	cors     *corsPolicy
	metrics  *decisionMetrics
	failures *failureLog
	events   *emitter
	logger   *zap.Logger
}

func newRejecter(settings *Settings, p *policy, cors *corsPolicy, logger *zap.Logger) *rejecter {
	return &rejecter{
		links:    p.links,
		all:      settings.Challenge == challengeAll,
		refusals: settings.Refusals,
		cors:     cors,
		metrics:  p.metrics,
		failures: p.failures,
		logger:   logger,
	}
}

// reject answers a request that may not go on.
//
//   - Anonymous, or bad credentials: 401 with the challenge of the first
//     authenticator, or 403 if it has none. RFC 9110 section 15.5.2 demands a
//     challenge of a 401; which scheme decides is Django REST framework's rule.
//     Where an authenticator knows where people log in: 302, 303 or 307 to there.
//   - Known and not allowed, or nobody could be asked: 403.
//   - Throttled: 429 with Retry-After.
//   - Not decidable: 503 with Retry-After; the client's credentials may be good.
func (j *rejecter) reject(w http.ResponseWriter, r *http.Request, state *requestState, refused refusal) error {
	a := j.answer(r, refused)
	state.refuse(refused, a.code, a.detail)
	j.report(r, state, refused, a)

	header := w.Header()
	if len(a.challenges) > 0 {
		header["Www-Authenticate"] = append(header["Www-Authenticate"], a.challenges...)
	}
	if a.location != "" {
		header.Set("Location", a.location)
	}
	if a.retryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(a.retryAfter))
	}
	header.Set("Cache-Control", "no-store")
	j.cors.expose(w, r)

	if a.location == "" && j.errorRouteTakes(r, a) {
		// Not the cause: an error route may print {err.message}, and Error takes
		// the status of a HandlerError that it finds in there.
		return caddyhttp.Error(a.status, errors.New(a.detail))
	}
	return writeAnswer(w, r, a)
}

// answer applies the rules of Django REST framework to the cause.
func (j *rejecter) answer(r *http.Request, refused refusal) answer {
	switch cause := refused.cause.(type) {
	case *denied:
		if len(j.links) > 0 && !refused.id.Authenticated() {
			a := answer{code: auth.CodeNotAuthenticated, detail: textNotAuthenticated, verdict: verdictUnauthenticated}
			j.challenge(&a, r, refused)
			return a
		}
		a := denialAnswer(cause.explanation)
		j.challengeScope(&a, r, refused, cause.explanation)
		return a
	case *auth.Failure:
		a := answer{
			code:    firstOf(cause.Code, auth.CodeAuthenticationFailed),
			detail:  firstOf(cause.Detail, textFailed),
			body:    cause.Body,
			verdict: verdictFailed,
		}
		j.challenge(&a, r, refused)
		return a
	case *auth.Denial:
		a := denialAnswer(cause)
		j.challengeScope(&a, r, refused, cause)
		return a
	case *auth.Throttled:
		return throttledAnswer(cause)
	case *auth.Unavailable:
		return unavailableAnswer(cause.RetryAfter)
	default:
		return unavailableAnswer(0)
	}
}

// challenge sets the status of a refusal for want of good credentials, with
// the challenges that it must carry or the location that it sends people to.
func (j *rejecter) challenge(a *answer, r *http.Request, refused refusal) {
	if j.redirect(a, r, refused) {
		return
	}
	a.status = http.StatusForbidden
	for i := range j.links {
		if i > 0 && !j.all {
			break
		}
		challenger := j.links[i].challenger
		if challenger == nil {
			continue
		}
		if challenge := challenger.Challenge(r, refused.causeOf(i)); challenge != "" && !hasControl(challenge) {
			a.status = http.StatusUnauthorized
			a.challenges = append(a.challenges, challenge)
		}
	}
}

// challengeScope tells a known client which scopes it lacks, if the scheme that
// it used has a word for it: RFC 6750 section 3.1.
func (j *rejecter) challengeScope(a *answer, r *http.Request, refused refusal, denial *auth.Denial) {
	if denial == nil || len(denial.Scopes) == 0 || refused.by == nobody || j.links[refused.by].scoper == nil {
		return
	}
	if challenge := j.links[refused.by].scoper.ChallengeScope(r, refused.id, denial.Scopes); challenge != "" && !hasControl(challenge) {
		a.challenges = append(a.challenges, challenge)
	}
}

func denialAnswer(denial *auth.Denial) answer {
	a := answer{status: http.StatusForbidden, code: auth.CodePermissionDenied, detail: textDenied, verdict: verdictDenied}
	if denial != nil {
		a.code = firstOf(denial.Code, a.code)
		a.detail = firstOf(denial.Detail, a.detail)
		a.body = denial.Body
	}
	return a
}

func throttledAnswer(throttled *auth.Throttled) answer {
	a := answer{
		status:     http.StatusTooManyRequests,
		code:       auth.CodeThrottled,
		detail:     firstOf(throttled.Detail, textThrottled),
		retryAfter: seconds(throttled.Wait),
		verdict:    verdictThrottled,
	}
	switch {
	case throttled.Detail != "" || a.retryAfter == 0:
	case a.retryAfter == 1:
		a.detail += " Expected available in 1 second."
	default:
		a.detail += " Expected available in " + strconv.Itoa(a.retryAfter) + " seconds."
	}
	return a
}

func unavailableAnswer(retryAfter time.Duration) answer {
	return answer{
		status:     http.StatusServiceUnavailable,
		code:       auth.CodeUnavailable,
		detail:     textUnavailable,
		retryAfter: max(1, seconds(retryAfter)),
		verdict:    verdictUnavailable,
	}
}

// seconds rounds up, as Retry-After must not call a client back too early.
func seconds(d time.Duration) int {
	if d <= 0 {
		return 0
	}
	return int((d-1)/time.Second) + 1
}

// report tells metrics, logs, the access log, the span and subscribers of a
// refusal.
func (j *rejecter) report(r *http.Request, state *requestState, refused refusal, a answer) {
	j.metrics.count(refused.by, a.verdict)
	if extra := accessLogFields(r); extra != nil {
		extra.Set(zap.String("auth_code", a.code))
		if state.candidate.HasUser() {
			extra.Set(zap.String("auth_candidate", state.candidate.ID))
		}
	}
	name := refused.endpoint
	if name == "" && refused.by != nobody {
		name = j.links[refused.by].name
	}
	traceRefused(r, name, state, a)
	j.events.failed(r, name, state, a)
	failure, bad := refused.cause.(*auth.Failure)
	switch {
	case bad:
		j.failures.log(r, name, failure)
	case a.verdict == verdictUnavailable:
		j.failures.logUnavailable(name, refused.cause)
	default:
		if check := j.logger.Check(zap.DebugLevel, "refused"); check != nil {
			check.Write(zap.String("code", a.code), zap.Int("status", a.status), zap.String("user", refused.id.ID))
		}
	}
}

// accessLogFields returns what the request's line in the access log will have
// beside Caddy's own fields, or nil if its server writes none.
func accessLogFields(r *http.Request) *caddyhttp.ExtraLogFields {
	ctx := r.Context()
	if server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server); !ok || server.Logs == nil {
		return nil
	}
	extra, _ := ctx.Value(caddyhttp.ExtraLogFieldsCtxKey).(*caddyhttp.ExtraLogFields)
	return extra
}

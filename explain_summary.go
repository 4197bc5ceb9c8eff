// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import "slices"

// summary says a judgement in one sentence.
func (j *judgement) summary() string {
	switch j.Verdict {
	case verdictNames[verdictAllowed]:
		return "allowed: " + firstOf(j.Identity.ID, "a client without a user") + ", by " + j.Identity.Method + ", and every permission holds"
	case verdictNames[verdictAnonymous]:
		if j.Preflight {
			return "allowed: a CORS preflight of an allowed origin is passed on unauthenticated"
		}
		return "allowed: anonymous, and every permission holds"
	case verdictNames[verdictUnauthenticated]:
		if j.said(outcomeBad) != nil {
			return "refused: anonymous, since bad credentials are ignored here, and a permission does not hold"
		}
		return "refused: no credentials that an authenticator takes, and a permission does not hold for an anonymous client"
	case verdictNames[verdictDenied]:
		if known := j.said(outcomeDenied); known != nil {
			return "refused: " + known.Name + " found good credentials that may not be used this way"
		}
		if j.Candidate == nil {
			return "refused: a permission does not hold, and nobody can be asked for credentials"
		}
		return "refused: " + firstOf(j.Candidate.ID, "a client without a user") + " is known, and a permission does not hold"
	case verdictNames[verdictFailed]:
		if bad := j.said(outcomeBad); bad != nil {
			return "refused: " + bad.Name + " found bad credentials, which ends the request whatever the permissions say"
		}
		return "refused: the Authorization header is there more than once"
	case verdictNames[verdictThrottled]:
		return "refused: the client has to wait"
	}
	if down := j.said(outcomeUnavailable); down != nil {
		return "undecided: " + down.Name + " could not tell; the credentials may be good"
	}
	for _, t := range j.Throttles {
		if t.Outcome == outcomeUnavailable {
			return "undecided: the rate of the throttle " + t.Scope + " could not be read"
		}
	}
	return "undecided: a permission could not tell"
}

// said returns the last authenticator with that outcome, which is the one that
// ended the chain if one did.
func (j *judgement) said(outcome string) *explainedAuthenticator {
	for _, one := range slices.Backward(j.Authenticators) {
		if one.Outcome == outcome {
			return one
		}
	}
	return nil
}

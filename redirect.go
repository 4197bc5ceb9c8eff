// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"net/http"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// maxLocation is the length in bytes of the longest Location that is sent.
// Browsers and proxies refuse longer header lines.
const maxLocation = 8 << 10

// abstention is what an authenticator had to say although it found no
// credentials of its kind, as a challenge or where people log in.
type abstention struct {
	by  int
	err error
}

// causeOf returns what the authenticator of that index returned, as Challenge
// and Redirect get it.
func (f *refusal) causeOf(by int) error {
	if f.by == by {
		return f.cause
	}
	for i := range f.abstained {
		if f.abstained[i].by == by {
			return f.abstained[i].err
		}
	}
	return nil
}

// redirect makes a refusal for want of good credentials a redirection, if an
// authenticator asks for that. Where one failed, no other decides: a program
// with a bad token is not sent to a page that people log in on.
func (j *rejecter) redirect(a *answer, r *http.Request, refused refusal) bool {
	_, failed := refused.cause.(*auth.Failure)
	for i := range j.links {
		if j.links[i].redirector == nil || failed && refused.by != i {
			continue
		}
		location, status := j.links[i].redirector.Redirect(r, refused.causeOf(i))
		if location == "" || len(location) > maxLocation || hasControl(location) {
			continue
		}
		a.location, a.status = location, redirectStatus(r.Method, status)
		return true
	}
	return false
}

// redirectStatus keeps to the statuses that send a client elsewhere this once,
// and without the body of its request, which is the upstream's: at 307, and at
// 302 for most methods, a client sends it along to wherever people log in.
func redirectStatus(method string, status int) int {
	switch {
	case method != http.MethodGet && method != http.MethodHead:
		return http.StatusSeeOther
	case status == http.StatusSeeOther, status == http.StatusTemporaryRedirect:
		return status
	}
	return http.StatusFound
}

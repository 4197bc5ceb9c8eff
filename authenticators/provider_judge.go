// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/caddyauth"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// verdict is what a provider said beside true or false: the cause of a failure
// or of an abstention.
type verdict struct {
	challenge string // the first that it recorded
	location  string // of a redirection
	status    int
	text      string // for the log
	abstained bool
}

func (v *verdict) Error() string { return v.text }

// Unwrap tells an abstention. The provider's own error stays out of the chain:
// nothing that it wraps may decide.
func (v *verdict) Unwrap() error {
	if v.abstained {
		return auth.ErrNoCredentials
	}
	return nil
}

// judge turns what a provider returned and recorded into one of the outcomes of
// package auth:
//
//   - true, without an error and without a status above 299: the user;
//   - 403 with an error: known, and not allowed;
//   - 429 and 5xx, by status or by an error of Caddy's: the same;
//   - a challenge with the scheme of the request's Authorization: bad credentials;
//   - false without an error: none of its kind;
//   - an error beside a challenge, a redirection or a 4xx: bad credentials;
//   - any other error: undecided, unless the option errors has it otherwise.
func (p *Provider) judge(r *http.Request, w *recorder, user caddyauth.User, authenticated bool, err error) (*auth.Identity, error) {
	status := w.status
	if coded, ok := errors.AsType[caddyhttp.HandlerError](err); ok && coded.StatusCode != 0 {
		status = coded.StatusCode
	}
	if authenticated && err == nil && status < http.StatusMultipleChoices {
		if user.ID == "" {
			return nil, &auth.Failure{Err: errNobody}
		}
		return p.identity(user), nil
	}
	said := &verdict{challenge: challengeOf(w), location: locationOf(w), status: w.status, text: "the provider refused"}
	if err != nil {
		said.text = "the provider returned an error: " + masked(r, err)
		// Of errors that are neither bad credentials nor 503, nothing else tells.
		p.logger.Debug("an authentication provider returned an error",
			zap.String("provider", p.name), zap.Int("status", status), zap.Error(said))
	}
	refused := &auth.Failure{Err: said}
	switch {
	case status == http.StatusTooManyRequests:
		seconds, _ := strconv.ParseUint(w.line("Retry-After"), 10, 24)
		return nil, &auth.Throttled{Wait: time.Duration(seconds) * time.Second}
	case status >= http.StatusInternalServerError, errors.Is(err, errPanic):
		said.text += " (status " + strconv.Itoa(status) + ")"
		return nil, &auth.Unavailable{Err: said}
	case authenticated && err == nil:
		said.text = "the provider accepted the request and answered it with status " + strconv.Itoa(status)
		return nil, refused
	case err != nil && status == http.StatusForbidden:
		return nil, new(auth.Denial)
	case p.owns(r, w):
		return nil, refused
	case err == nil, p.Errors == errorsAbstain:
		if err == nil && said.challenge == "" && said.location == "" {
			return nil, auth.ErrNoCredentials
		}
		said.abstained = true
		return nil, said
	case p.Errors == errorsRefuse, said.challenge != "", said.location != "", status >= http.StatusBadRequest:
		return nil, refused
	}
	return nil, &auth.Unavailable{Err: said}
}

// owns reports whether the request's Authorization is of a scheme that is the
// provider's own.
func (p *Provider) owns(r *http.Request, w *recorder) bool {
	if p.scheme != "" && presents(r, p.scheme) {
		return true
	}
	for _, challenge := range w.lines("Www-Authenticate") {
		if scheme := schemeOf(challenge); scheme != "" && presents(r, scheme) {
			return true
		}
	}
	return false
}

// presents reports whether the request's Authorization has the scheme, be what
// follows well-formed or not.
func presents(r *http.Request, scheme string) bool {
	_, err := auth.Credentials(r, scheme)
	return !errors.Is(err, auth.ErrNoCredentials)
}

// schemeOf returns the scheme of a challenge, and nothing if it could not be
// sent as one.
func schemeOf(challenge string) string {
	scheme, _, _ := strings.Cut(challenge, " ")
	if !isToken(scheme) || !isQuotable(challenge) || len(challenge) > maxChallenge {
		return ""
	}
	return scheme
}

// maxChallenge is the length in bytes of the longest challenge that is passed on.
const maxChallenge = 4 << 10

func challengeOf(w *recorder) string {
	for _, challenge := range w.lines("Www-Authenticate") {
		if schemeOf(challenge) != "" {
			return challenge
		}
	}
	return ""
}

func locationOf(w *recorder) string {
	location := w.line("Location")
	if w.status < http.StatusMultipleChoices || w.status >= http.StatusBadRequest || w.status == http.StatusNotModified {
		return ""
	}
	// A URL's fragment is not looked at when it is parsed.
	if _, err := url.Parse(location); err != nil || !isQuotable(location) {
		return ""
	}
	return location
}

// mayNavigate reports whether a person may be behind the request. Browsers say
// so since 2023; before that, and everybody else, by what they accept. They
// navigate by GET and POST, and accept HTML then: what lists other types and
// anything besides, as scripts and libraries do, is no navigation. A bare */* is
// a person at a command line as well as it is a program.
func mayNavigate(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default:
		return false
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	accept := strings.ToLower(strings.TrimSpace(strings.Join(r.Header.Values("Accept"), ",")))
	return accept == "" || accept == "*/*" || strings.Contains(accept, "text/html")
}

var (
	errNobody = errors.New("the provider accepted the request and named no user")
	errPanic  = errors.New("it panicked")
)

// identity returns the user as this chain knows it.
func (p *Provider) identity(user caddyauth.User) *auth.Identity {
	id := &auth.Identity{
		ID:     user.ID,
		Key:    "provider:" + p.name + "|" + p.UserSource().Prefix + user.ID,
		Source: "provider:" + p.name,
		Name:   user.Metadata["name"],
		Email:  user.Metadata["email"],
		Method: "provider",
	}
	if len(user.Metadata) > 0 {
		// A map of strings is always encoded, and as UTF-8.
		id.Claims, _ = json.Marshal(user.Metadata)
	}
	if p.GroupClaim != "" {
		id.Groups = strings.FieldsFunc(user.Metadata[p.GroupClaim], func(r rune) bool {
			return strings.ContainsRune(", \t\r\n", r)
		})
	}
	return id
}

// sourceName names the users of a provider as it is configured.
func sourceName(name string, raw json.RawMessage) string {
	digest := sha256.Sum256(raw)
	return "provider:" + name + "#" + hex.EncodeToString(digest[:4])
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/bearer"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/possession"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
)

// Causes of refusals.
var (
	errNoBearerToken   = fmt.Errorf("the token has a character that none of RFC 6750 has, or is longer than %d bytes", maxIntrospected)
	errOtherIssuer     = errors.New("the answer names another issuer in 'iss'")
	errNoIssuer        = errors.New("the answer names no issuer in 'iss': say `optional iss` if the server never does")
	errNoAudience      = errors.New("the answer names no audience in 'aud': say `optional aud` if the server never does")
	errNoExpiry        = errors.New("the answer does not say in 'exp' when the token ends: say `optional exp` if the server never does")
	errBadSubject      = errors.New("'sub' of the answer is no text of at most 512 bytes")
	errBadConfirmation = errors.New("'cnf' of the answer is not an object")
	errRevokedHere     = errors.New("the token is revoked here")
)

const (
	// maxSubject is the length in bytes of the longest sub that is accepted.
	maxSubject = 512

	// byName begins the subject of a user of whom the server says the name alone.
	byName = "username:"

	// answered is what follows it in a Proof: when the server was asked, in
	// milliseconds since epoch.
	answered = ";at="
)

// epoch is where the monotonic clock begins: a clock that is set back must not
// make an answer young again.
var epoch = time.Now()

// name is what the users are known by.
func (i *Introspection) name() string {
	if i.Issuer != "" {
		return i.Issuer
	}
	return i.Endpoint
}

// identity returns whom an answer speaks of that was given at a time.
func (i *Introspection) identity(ctx context.Context, claims *jose.Token, at time.Time) (*auth.Identity, error) {
	if err := i.check(claims); err != nil {
		return nil, refusedAnswer(err)
	}
	mapping := i.Mapping
	if mapping.UserClaim == "" && claims.Has("username") {
		mapping.UserClaim = "username"
	}
	external, err := mapping.IdentityOf(claims.Payload, claims.Raw)
	if err != nil {
		return nil, err
	}
	external.Method = "introspection"
	external.Proof = i.name()
	if cnf := claims.Raw("cnf"); cnf != nil {
		if cnf[0] != '{' {
			return nil, refusedAnswer(errBadConfirmation)
		}
		external.Proof += possession.Marker
	}
	age := at.Sub(epoch).Milliseconds()
	external.Proof += answered + strconv.FormatInt(age, 10)
	external.Expires = i.rules.Expires(claims)
	// The handler asks Recheck once a minute, too seldom to end what is remembered
	// on time.
	if ttl := i.ttl(); ttl > 0 {
		now := i.now()
		end := now.Add(ttl - now.Sub(epoch.Add(time.Duration(age)*time.Millisecond)))
		if external.Expires.IsZero() || end.Before(external.Expires) {
			external.Expires = end
		}
	}
	if external.Credential != "" {
		external.Family = revocation.JWT(i.name(), external.Credential)
		switch revoked, err := i.revoked.Revoked(ctx, external.Family); {
		case err != nil:
			return nil, &auth.Unavailable{Err: err}
		case revoked:
			return nil, bearer.InvalidToken(bearer.DescriptionInvalid, errRevokedHere)
		}
	}
	subject, err := subjectOf(claims, external)
	if err != nil {
		return nil, refusedAnswer(err)
	}
	return i.Accounts.Identity(ctx, external, i.name(), subject)
}

// check judges an answer as a token with the same claims would be.
func (i *Introspection) check(claims *jose.Token) error {
	if err := jose.AccessTokenOnly(claims); err != nil {
		return err
	}
	issuer, named, err := claims.String("iss")
	switch {
	case err != nil:
		return err
	case i.Issuer == "":
	case named && issuer != i.Issuer:
		return errOtherIssuer
	case !named && !slices.Contains(i.Optional, "iss"):
		return errNoIssuer
	}
	err = i.rules.Check(claims, i.now())
	if missing, ok := errors.AsType[*jose.ClaimError](err); ok && errors.Is(err, jose.ErrMissing) {
		switch missing.Claim {
		case "aud":
			return errNoAudience
		case "exp":
			return errNoExpiry
		}
	}
	return err
}

// refusedAnswer tells the client what is wrong with its token, as far as it can
// know that itself. The cause is logged.
func refusedAnswer(cause error) *auth.Failure {
	description := bearer.DescriptionInvalid
	for err, text := range map[error]string{
		jose.ErrExpired:  bearer.DescriptionExpired,
		jose.ErrNotYet:   "The access token is not valid yet.",
		jose.ErrAudience: "The access token is for another audience.",
		jose.ErrType:     "The token is not an access token.",
	} {
		if errors.Is(cause, err) {
			description = text
		}
	}
	return bearer.InvalidToken(description, cause)
}

// subjectOf returns what names the user for ever: sub, or if the server says the
// login name alone, as that of django-oauth-toolkit does, that.
func subjectOf(claims *jose.Token, id *auth.Identity) (string, error) {
	if !claims.Has("sub") {
		if id.HasUser() {
			return byName + id.ID, nil
		}
		return id.Client, nil
	}
	value, _ := id.Claim("sub")
	switch subject := value.(type) {
	case int64:
		return strconv.FormatInt(subject, 10), nil
	case string:
		if subject != "" && len(subject) <= maxSubject && !strings.HasPrefix(subject, byName) && !strings.ContainsFunc(subject, unicode.IsControl) {
			return subject, nil
		}
	}
	return "", errBadSubject
}

// answeredAt returns when the server was asked about a remembered identity.
func answeredAt(id *auth.Identity) (time.Time, bool) {
	at := strings.LastIndex(id.Proof, answered)
	if at < 0 {
		return time.Time{}, false
	}
	milliseconds, err := strconv.ParseInt(id.Proof[at+len(answered):], 10, 64)
	return epoch.Add(time.Duration(milliseconds) * time.Millisecond), err == nil
}

func hasAll(have, want []string) bool {
	for _, one := range want {
		if !slices.Contains(have, one) {
			return false
		}
	}
	return true
}

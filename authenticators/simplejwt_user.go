// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"context"
	"errors"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/simplejwt"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

var (
	errNoUserClaim   = errors.New("the token names no user")
	errOtherPassword = errors.New("the token was issued under another password")
	errUserInactive  = errors.New("user inactive")
	errTokenRevoked  = errors.New("token is revoked")
	errTokenIsBound  = errors.New("the token is bound to a key, which tokens of this kind cannot be")
)

// accepts judges a token that is well signed, as each of the classes of tokens
// that are accepted does, in their order.
func (s *SimpleJWT) accepts(ctx context.Context, token *simplejwt.Token) error {
	if token.Claims.Raw("cnf") != nil {
		return s.notValid(&simplejwt.Error{Message: simplejwt.Invalid, Err: errTokenIsBound})
	}
	wrong := make([]*simplejwt.Error, 0, len(s.AuthTokenClasses))
	for _, class := range s.AuthTokenClasses {
		var problem *simplejwt.Error
		if err := s.codec.Check(token, class); err != nil && !errors.As(err, &problem) {
			return err
		}
		// The classes with a blacklist look there before anything else.
		if problem == nil || class != simplejwt.Access {
			revoked, err := s.revoked(ctx, token, class)
			if err != nil {
				return err
			}
			if revoked {
				problem = &simplejwt.Error{Message: simplejwt.Blacklisted, Err: errTokenRevoked}
			}
		}
		if problem == nil {
			return nil
		}
		wrong = append(wrong, problem)
	}
	return s.notValid(wrong...)
}

// revoked reports whether a token was ended before its time. Of a refresh token
// that this server issued there is a record as long as it is good; one of a project's
// that was rotated here is remembered as spent.
func (s *SimpleJWT) revoked(ctx context.Context, token *simplejwt.Token, class string) (bool, error) {
	if revoked, err := s.codec.Revoked(ctx, token); revoked || err != nil || class != simplejwt.Refresh {
		return revoked, err
	}
	if !token.Ours() {
		spent, err := s.store.Known(ctx, token.SpentKey())
		if err != nil {
			return false, &auth.Unavailable{Err: err}
		}
		return spent, nil
	}
	_, _, err := s.store.Lookup(ctx, issue.JWTDigest(token.Compact()), time.Now())
	switch {
	case err == nil, errors.Is(err, tokenstore.ErrInactive):
		return false, nil
	case errors.Is(err, tokenstore.ErrNotFound):
		return true, nil
	}
	return false, &auth.Unavailable{Err: err}
}

// user returns whom an accepted token stands for.
func (s *SimpleJWT) user(ctx context.Context, token *simplejwt.Token) (*auth.Identity, error) {
	userID, said := s.codec.UserIDOf(token)
	if !said {
		return nil, refuseToken("token_not_valid", "Token contained no recognizable user identification", nil, errNoUserClaim)
	}
	if s.Stateless {
		return s.stateless(token, userID)
	}
	subject, err := s.codec.Subject(ctx, userID)
	switch {
	case errors.Is(err, simplejwt.ErrNoUser):
		return nil, refuseToken("user_not_found", "User not found", nil, err)
	case err != nil:
		return nil, err
	case *s.CheckUserIsActive && !subject.Active:
		return nil, refuseToken("user_inactive", "User is inactive", subject.Identity, errUserInactive)
	}
	if *s.CheckRevokeToken {
		stands, err := s.codec.PasswordStands(ctx, token, subject)
		if err != nil {
			return nil, err
		}
		if !stands {
			return nil, refuseToken("password_changed", "The user's password has been changed.", subject.Identity, errOtherPassword)
		}
	}
	return s.complete(subject.Identity, token), nil
}

// stateless returns the user that a token describes, as TokenUser does.
func (s *SimpleJWT) stateless(token *simplejwt.Token, userID string) (*auth.Identity, error) {
	if userID == "" {
		// Without a name the user would pass for a token of nobody's.
		return nil, refuseToken("user_not_found", "User not found", nil, errNoUserClaim)
	}
	name, _ := token.Claims.Text("username")
	source := s.issuer()
	return s.complete(&auth.Identity{
		ID: userID, Key: source + "|" + userID, Source: source, Name: name,
		Staff: isTrue(token, "is_staff"), Superuser: isTrue(token, "is_superuser"),
	}, token), nil
}

func isTrue(token *simplejwt.Token, claim string) bool {
	return string(token.Claims.Raw(claim)) == "true"
}

// issuer names the source of stateless users.
func (s *SimpleJWT) issuer() string {
	if s.Issuer != "" {
		return s.Issuer
	}
	return "simplejwt"
}

// complete adds what belongs to the token.
func (s *SimpleJWT) complete(id *auth.Identity, token *simplejwt.Token) *auth.Identity {
	id.Method = "simplejwt"
	id.Credential = token.ID()
	id.Family = token.Family()
	id.Expires = token.Expires.Add(time.Duration(s.Leeway))
	id.Claims = token.Raw()
	id.Proof = ""
	return id
}

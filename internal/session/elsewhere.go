// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A Login is where somebody has logged in whose session here began elsewhere, at
// an OpenID provider. It is kept with the session, so that a logout there ends
// it, and one here can go on there.
type Login struct {
	// Provider is its name in the configuration.
	Provider string `json:"provider"`

	// Issuer and Subject are who vouched for the user, and what it calls the user.
	Issuer  string `json:"issuer"`
	Subject string `json:"subject"`

	// SID names the provider's own session, if it says so.
	SID string `json:"sid,omitempty"`

	// Hint is what a logout there begins with, sealed.
	Hint []byte `json:"hint,omitempty"`

	// What the provider says of the user, beside what the store does. It holds
	// for this session.
	Staff       bool     `json:"staff,omitempty"`
	Superuser   bool     `json:"superuser,omitempty"`
	Groups      []string `json:"groups,omitempty"`
	Permissions []string `json:"permissions,omitempty"`
}

// maxLogin leaves room in a record for what else it says.
const maxLogin = tokenstore.MaxData - 2<<10

// fits reports whether a record has room for it.
func (l *Login) fits() bool { return len(encodeData(data{Login: l})) <= maxLogin }

// add gives an identity what the provider says of it.
func (l *Login) add(id *auth.Identity) {
	id.Staff = id.Staff || l.Staff
	id.Superuser = id.Superuser || l.Superuser
	id.Groups = union(id.Groups, l.Groups)
	id.Permissions = union(id.Permissions, l.Permissions)
}

// union returns a list of its own with the texts of both, each of them once.
func union(list, more []string) []string {
	if len(more) == 0 {
		return list
	}
	all := slices.Concat(list, more)
	slices.Sort(all)
	return slices.Compact(all)
}

// family is what all sessions of one user of one provider have in common. It is
// a digest, since both names may be longer than a store takes.
func (l *Login) family() string {
	digest := sha256.Sum256([]byte(l.Issuer + "\x00" + l.Subject))
	return "oidc:" + base64.RawURLEncoding.EncodeToString(digest[:])
}

// StartAt logs the browser in as Start does, and remembers where its user has
// logged in. The user is one that the provider vouches for, whatever the password
// is here. A Hint that has no room is left out; what else has none is an
// *auth.Denial.
func (m *Manager) StartAt(w http.ResponseWriter, r *http.Request, user *auth.Identity, remember bool, login Login) (*Session, error) {
	if !login.fits() {
		login.Hint = nil
	}
	if !login.fits() {
		return nil, &auth.Denial{Code: "too_many_groups", Detail: "You are a member of too many groups."}
	}
	return m.start(w, r, user, remember, &login)
}

// EndLogins ends the sessions that began at a login elsewhere: those of one
// session of the provider, or without a sid all of the subject. It returns how
// many ended, or an *auth.Unavailable.
//
// A sid without its subject has all sessions looked at, for which no index is
// kept: providers nearly always name both. One call at a time does that.
func (m *Manager) EndLogins(ctx context.Context, issuer, subject, sid string) (ended int, err error) {
	which := tokenstore.Filter{Kind: tokenstore.KindSession}
	if subject != "" {
		which.Family = (&Login{Issuer: issuer, Subject: subject}).family()
		if sid == "" {
			if ended, err = m.store.Delete(ctx, which); err != nil {
				return 0, listError(err)
			}
			return ended, nil
		}
	}
	if sid == "" {
		return 0, errNoUser
	}
	if subject == "" {
		select {
		case m.scans <- struct{}{}:
			defer func() { <-m.scans }()
		case <-ctx.Done():
			return 0, listError(ctx.Err())
		}
	}
	for cursor := ""; ; {
		records, next, err := m.store.List(ctx, which, cursor, tokenstore.MaxPage)
		if err != nil {
			return ended, listError(err)
		}
		var digests [][]byte
		for i := range records {
			if login := dataOf(&records[i]).Login; login != nil && login.Issuer == issuer && login.SID == sid {
				digests = append(digests, records[i].Digest)
			}
		}
		if len(digests) > 0 {
			n, err := m.store.Delete(ctx, which, digests...)
			if err != nil {
				return ended, listError(err)
			}
			ended += n
		}
		if cursor = next; cursor == "" {
			return ended, nil
		}
	}
}

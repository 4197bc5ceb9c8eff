// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package simplejwt

import (
	"context"
	"errors"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/simplejwt"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// found is the record of a token and its user.
type found struct {
	record tokenstore.Credential
	holder *auth.Identity // without a user if the token names none
	proof  string         // which password the user has

	// spent says that the record is not alive, and was perhaps rotated.
	spent bool
}

// find returns the record that is found by the digest. One that this server did
// not issue gets its record now. The error is errNoAccount, errPassword or a
// *simplejwt.Error, or an *auth.Unavailable.
func (e *Endpoint) find(ctx context.Context, token *simplejwt.Token, digest []byte) (*found, error) {
	f, err := e.lookup(ctx, digest)
	if err == nil && f.record.Origin == "" || err != nil && !errors.Is(err, tokenstore.ErrNotFound) {
		return f, err
	}
	subject, missing := e.subject(ctx, token)
	if missing != nil {
		return nil, missing
	}
	if err == nil {
		// Its record, which may have been imported, is of the password of then.
		return f, e.checkPassword(ctx, token, subject)
	}
	if !token.Ours() {
		err := e.adopt(ctx, token, digest, subject)
		if err == nil || errors.Is(err, tokenstore.ErrExists) {
			f, err = e.lookup(ctx, digest)
		}
		if !errors.Is(err, tokenstore.ErrNotFound) {
			return f, err
		}
	}
	if err := e.checkPassword(ctx, token, subject); err != nil {
		return nil, err
	}
	return &found{spent: true}, nil
}

// lookup returns a live record, or tokenstore.ErrNotFound.
func (e *Endpoint) lookup(ctx context.Context, digest []byte) (*found, error) {
	record, user, err := e.store.Lookup(ctx, digest, e.now())
	switch {
	case errors.Is(err, tokenstore.ErrInactive):
		return nil, errNoAccount
	case errors.Is(err, tokenstore.ErrNotFound):
		return nil, tokenstore.ErrNotFound
	case err != nil:
		return nil, &auth.Unavailable{Err: err}
	case record.Kind != tokenstore.KindRefresh:
		return nil, tokenstore.ErrNotFound
	}
	holder, err := e.users.Holder(&record, user)
	if _, refused := errors.AsType[*auth.Failure](err); refused {
		return nil, errNoAccount
	}
	if err != nil {
		return nil, &auth.Unavailable{Err: err}
	}
	switch {
	// Whoever the configuration calls by that name is somebody else.
	case holder.Source == users.SourceStore && e.users.Configured(holder.ID):
		return nil, errNoAccount
	// The password of a user of the configuration was changed there.
	case holder.Source == users.SourceConfig && holder.Proof != string(record.Data):
		return nil, tokenstore.ErrNotFound
	}
	f := &found{record: record, holder: holder, proof: holder.Proof}
	if holder.Source == users.SourceStore {
		f.proof = simplejwt.Proof(user)
	}
	return f, nil
}

// subject returns the user whom a token names who is active, or nil if it names
// none.
func (e *Endpoint) subject(ctx context.Context, token *simplejwt.Token) (*simplejwt.Subject, error) {
	id, known := e.codec.UserIDOf(token)
	if !known {
		return nil, nil
	}
	subject, err := e.codec.Subject(ctx, id)
	if errors.Is(err, simplejwt.ErrNoUser) || err == nil && !subject.Active {
		return nil, errNoAccount
	}
	return subject, err
}

// checkPassword refuses a token that was issued under another password than the
// user has, for good.
func (e *Endpoint) checkPassword(ctx context.Context, token *simplejwt.Token, subject *simplejwt.Subject) error {
	if subject == nil || !*e.CheckRevokeToken {
		return nil
	}
	if stands, err := e.codec.PasswordStands(ctx, token, subject); stands || err != nil {
		return err
	}
	if err := e.store.Revoke(ctx, token.Family(), e.codec.LastEnd(token)); err != nil {
		return &auth.Unavailable{Err: err}
	}
	return errPassword
}

// adopt adds the record of a token that Django issued with the same key. One that
// was adopted before, and is spent or revoked by now, is tokenstore.ErrExists.
func (e *Endpoint) adopt(ctx context.Context, token *simplejwt.Token, digest []byte, subject *simplejwt.Subject) error {
	if err := e.checkPassword(ctx, token, subject); err != nil {
		return err
	}
	record := tokenstore.Credential{
		Kind:    tokenstore.KindRefresh,
		Digest:  digest,
		Family:  token.Family(),
		Created: e.now().UTC().Truncate(time.Microsecond),
		Expires: e.lastUse(token),
		// Its digest is entombed if it is revoked: otherwise it would be adopted again.
		Origin: simplejwt.Origin,
	}
	if subject != nil {
		record.UserKey = subject.Identity.Key
		record.PasswordVersion = users.PasswordVersion(subject.Identity)
		record.Data = proofOf(subject.Identity)
	}
	_, err := e.issuer.Record(ctx, record)
	switch {
	case err == nil, errors.Is(err, tokenstore.ErrExists):
		return err
	case errors.Is(err, tokenstore.ErrNotFound):
		return errNoAccount
	}
	return &auth.Unavailable{Err: err}
}

// lastUse is when a token can be used for the last time.
func (e *Endpoint) lastUse(token *simplejwt.Token) time.Time {
	end := token.Expires
	if until, ok := e.codec.RefreshUntil(token); ok && until.After(end) {
		end = until
	}
	return end.Add(time.Duration(e.Leeway)).UTC().Truncate(time.Microsecond)
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/django"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// markPassword marks the hashes that were taken, by their digests: once a login
// has replaced a hash by one of ours, nothing else tells whether the password was
// changed there since.
const markPassword = "password"

// Why a user is imported without a password.
const (
	noteWeak      = "the password's format is weak and not allowed; imported without a password; 'passwords { allow … }' and another import with --passwords take it"
	noteCostly    = "the password's hash costs more than is allowed here; imported without a password"
	noteMalformed = "the password's hash is of no format that is known here; imported without a password"
)

// A verdict is what an import makes of a user's hash.
type verdict struct {
	hash   string // to be stored; empty: nobody can log in by password
	reason string // the note of one that cannot be verified
	marked bool   // whether its digest is kept: not of a hash that can be guessed by it
}

func (i *importer) judge(hash string) verdict {
	err := i.check(hash)
	switch {
	case err == nil:
		return verdict{hash: hash, marked: !errors.Is(password.Check(hash, nil), password.ErrWeak)}
	case errors.Is(err, password.ErrUnusable):
		return verdict{marked: true}
	case errors.Is(err, password.ErrWeak):
		return verdict{reason: noteWeak}
	case errors.Is(err, password.ErrTooCostly):
		return verdict{reason: noteCostly}
	}
	return verdict{reason: noteMalformed}
}

// tookPassword counts and marks what a new user has got.
func (i *importer) tookPassword(ctx context.Context, in django.User, id string, p verdict) error {
	switch {
	case p.reason != "":
		i.report.Passwords.Unverifiable++
		i.note(in.Row, "user", in.Name, p.reason)
		return nil
	case p.hash == "":
		i.report.Passwords.Unusable++
	default:
		i.report.Passwords.Taken++
	}
	if !p.marked {
		return nil
	}
	return i.remember(ctx, i.mark(markPassword, id, p.hash))
}

// changedPassword sets the user's password to that of the dump, if this was asked
// for and it was changed there since it was last taken. Another one than the
// stored ends sessions, so that what is the same password is left alone. Id is what
// the user was known by until now.
func (i *importer) changedPassword(ctx context.Context, in django.User, id string, u *tokenstore.User) error {
	if !i.Passwords {
		return nil
	}
	p := i.judge(in.Password)
	if p.reason != "" {
		i.report.Passwords.Unverifiable++
		i.note(in.Row, "user", in.Name, p.reason+"; the one here stays")
		return nil
	}
	if p.hash == u.PasswordHash {
		return nil
	}
	if p.marked {
		known, err := i.store.Known(ctx, i.mark(markPassword, id, p.hash))
		if err != nil {
			return err
		}
		if !known || id != u.OriginID {
			if err := i.remember(ctx, i.mark(markPassword, u.OriginID, p.hash)); err != nil {
				return err
			}
		}
		if known {
			i.report.Passwords.Kept++
			return nil
		}
	}
	if p.hash != "" {
		// If it is made unusable there again, that is another change.
		if err := i.store.Forget(ctx, i.mark(markPassword, u.OriginID, "")); err != nil {
			return err
		}
	}
	u.PasswordHash = p.hash
	i.report.Passwords.Taken++
	return nil
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/django"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/durin"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/knox"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Why a token of a dump is not imported.
const (
	noteOwnHolder     = "the user has a token of this kind that was made here, and may have one only"
	noteLater         = "the project has issued a later one in its place, which stays: is this dump older than another one?"
	noteOtherOwner    = "the key is another user's here"
	noteInactiveOwner = "its user is inactive, and this store has no transactions to store it in; activate the user and import again"
)

// token imports one token or session, unless it is there or was revoked.
func (i *importer) token(ctx context.Context, in django.Token, state uint8) error {
	if in.Model == django.ModelBlacklisted {
		return i.blacklisted(ctx, in)
	}
	owner, err := i.owner(ctx, in)
	if err != nil {
		return err
	}
	if owner.Key == "" {
		if in.Model == django.ModelSession && !i.dump.HasID(in.UserID) {
			i.leave(in.Model, leftNobody, 1)
			return nil
		}
		i.counts(in.Model).Skipped++ // the user's own note says why
		return nil
	}
	if i.gone[in.Client] {
		i.counts(in.Model).Skipped++ // the client's own note says why
		return nil
	}
	now := i.Now()
	if state == unknown {
		if there, err := i.there(ctx, in, owner); err != nil || there {
			return err
		}
	}
	created := in.Created
	if created.IsZero() || created.After(now) {
		created = now
	}
	c := tokenstore.Credential{
		ID: tokenstore.NewCredentialID(), Kind: issuedKindOf(in.Model).kind, Digest: in.Digest, UserKey: owner.Key,
		Created: created, Expires: in.Expires, Origin: i.Origin,
	}
	if in.Client != "" {
		c.ClientID = durin.ClientID(in.Client)
	}
	c.Slot = slot(c.Kind, owner.Key, c.ClientID)
	if c.Kind == tokenstore.KindSession {
		if lives, err := i.sessionLives(ctx, in, owner); err != nil || !lives {
			return err
		}
		c.PasswordVersion = owner.PasswordVersion
	}
	if c.Kind == tokenstore.KindRefresh {
		c.Family, c.PasswordVersion = revocation.JWT(in.Issuer, in.JTI), owner.PasswordVersion
		if revoked, err := i.store.Revoked(ctx, c.Family); err != nil || revoked {
			i.report.TokensRevoked += count(revoked)
			return err
		}
	}
	if c.Kind == tokenstore.KindKnox && !i.knownKnox {
		if err := i.remember(ctx, knox.Imported); err != nil {
			return err
		}
		i.knownKnox = true
	}
	return i.newToken(ctx, in, owner, c)
}

// there reports whether the token lives here, and counts it if it does.
func (i *importer) there(ctx context.Context, in django.Token, owner tokenstore.User) (bool, error) {
	known, _, err := i.store.Lookup(ctx, in.Digest, i.Now())
	switch {
	case errors.Is(err, tokenstore.ErrNotFound) && !errors.Is(err, tokenstore.ErrInactive):
		return false, nil
	case err != nil && !errors.Is(err, tokenstore.ErrInactive):
		return false, err
	case known.UserKey != owner.Key:
		i.counts(in.Model).Skipped++
		i.note(in.Row, issuedKindOf(in.Model).name, owner.Name, noteOtherOwner)
	case prolonged(known, in):
		i.counts(in.Model).Updated++
		return true, i.store.Touch(ctx, in.Digest, lastUse(known), in.Expires)
	default:
		i.counts(in.Model).Unchanged++
	}
	return true, nil
}

// prolonged reports whether the project has prolonged the life of a token.
func prolonged(known tokenstore.Credential, in django.Token) bool {
	return !known.Expires.IsZero() && in.Expires.After(known.Expires)
}

// lastUse is when a record was certainly alive, and used for the last time that is
// known.
func lastUse(c tokenstore.Credential) time.Time {
	if c.LastUsed.IsZero() {
		return c.Created
	}
	return c.LastUsed
}

// owner returns the user of a token, or none if that user was left out.
func (i *importer) owner(ctx context.Context, in django.Token) (tokenstore.User, error) {
	if u, known := i.owners.find(in); known {
		return u, nil
	}
	var u tokenstore.User
	var err error
	var inDump bool
	if in.UserID != "" {
		u, err = i.store.UserByOrigin(ctx, i.Origin, in.UserID)
		inDump = i.dump.HasID(in.UserID)
	} else {
		name := users.Canonical(in.UserName)
		u, err = i.store.UserByName(ctx, name)
		inDump = i.dump.HasName(name)
		if err == nil && (u.Origin != i.Origin || inDump && !i.isNamed(u, name)) {
			u, err = tokenstore.User{}, tokenstore.ErrNotFound
		}
	}
	switch {
	case err == nil:
		return u, nil
	case !errors.Is(err, tokenstore.ErrNotFound):
		return u, err
	case inDump:
		return tokenstore.User{}, nil
	case in.Model == django.ModelSession:
		// Sessions outlive their users, whom Django then takes for anonymous.
		return tokenstore.User{}, nil
	}
	return u, i.strayToken(in)
}

// strayToken is the refusal of a token whose user nobody knows.
func (i *importer) strayToken(in django.Token) error {
	model := i.userModel()
	problems := &django.BadDumpError{Advice: django.DumpLine(model), List: []django.Problem{{
		Row: in.Row, Model: in.Model,
		Text: fmt.Sprintf("its user is neither in the dump, as %s, nor was it imported before; --user-model names another user model", model),
	}}}
	return &Error{Status: http.StatusBadRequest, Text: problems.Error() + "; nothing was imported", Err: problems}
}

// newToken stores a token that does not live here.
func (i *importer) newToken(ctx context.Context, in django.Token, owner tokenstore.User, c tokenstore.Credential) error {
	err := i.create(ctx, owner, c)
	if errors.Is(err, tokenstore.ErrExists) {
		if there, err := i.there(ctx, in, owner); err != nil || there {
			return err
		}
		var holder *tokenstore.Credential
		if holder, err = i.slotHolder(ctx, c); err != nil {
			return err
		}
		switch {
		case holder == nil:
			i.report.TokensRevoked++
			return nil
		case holder.Origin != i.Origin:
			i.counts(in.Model).Skipped++
			i.note(in.Row, issuedKindOf(in.Model).name, owner.Name, noteOwnHolder)
			return nil
		case c.Created.Before(holder.Created):
			i.counts(in.Model).Skipped++
			i.note(in.Row, issuedKindOf(in.Model).name, owner.Name, noteLater)
			return nil
		}
		return i.replaceToken(ctx, in, owner, holder.Digest, c)
	}
	if errors.Is(err, tokenstore.ErrNotFound) {
		i.counts(in.Model).Skipped++
		i.note(in.Row, issuedKindOf(in.Model).name, owner.Name, noteInactiveOwner)
		return nil
	}
	if err == nil {
		i.counts(in.Model).Created++
	}
	return err
}

// replaceToken ends the token that the project has replaced by another one, unless
// that one was revoked here: an end is for good.
func (i *importer) replaceToken(ctx context.Context, in django.Token, owner tokenstore.User, old []byte, c tokenstore.Credential) error {
	revoked, err := i.wasRevoked(ctx, owner, c)
	if err != nil {
		return err
	}
	if revoked {
		i.report.TokensRevoked++
		return nil
	}
	if _, err := i.store.Delete(ctx, tokenstore.Filter{}, old); err != nil {
		return err
	}
	if err := i.create(ctx, owner, c); err != nil {
		return err
	}
	i.counts(in.Model).Updated++
	return nil
}

// wasRevoked reports whether the digest of a record that is not there is taken.
// What it stores to find out never lives, and leaves nothing behind.
func (i *importer) wasRevoked(ctx context.Context, owner tokenstore.User, c tokenstore.Credential) (bool, error) {
	c.ID, c.Slot, c.Origin = tokenstore.NewCredentialID(), "", ""
	c.Expires = c.Created.Add(time.Microsecond)
	err := i.create(ctx, owner, c)
	if errors.Is(err, tokenstore.ErrExists) {
		return true, nil
	}
	if err == nil {
		_, err = i.store.Delete(ctx, tokenstore.Filter{}, c.Digest)
	}
	return false, err
}

// create stores a token. An inactive user gets none from a store, but keeps it
// when deactivated: within a transaction nobody sees the difference.
func (i *importer) create(ctx context.Context, owner tokenstore.User, c tokenstore.Credential) error {
	err := i.store.Create(ctx, c, 0, false)
	if !errors.Is(err, tokenstore.ErrNotFound) || owner.Active || !i.inTx {
		return err
	}
	if owner, err = i.store.User(ctx, owner.Key); err != nil { // an earlier token has changed it
		return err
	}
	owner.Active = true
	if owner, err = i.store.PutUser(ctx, owner); err != nil {
		return err
	}
	made := i.store.Create(ctx, c, 0, false)
	owner.Active = false
	if _, err := i.store.PutUser(ctx, owner); err != nil {
		return err
	}
	return made
}

// slotHolder returns the record that holds the slot that a record should have.
func (i *importer) slotHolder(ctx context.Context, of tokenstore.Credential) (*tokenstore.Credential, error) {
	if of.Slot == "" {
		return nil, nil
	}
	cursor := ""
	for {
		page, next, err := i.store.List(ctx, tokenstore.Filter{UserKey: of.UserKey, Kind: of.Kind}, cursor, tokenstore.MaxPage)
		if err != nil {
			return nil, err
		}
		for _, c := range page {
			if c.Slot == of.Slot && !expired(c, i.Now()) {
				return &c, nil
			}
		}
		if next == "" {
			return nil, nil
		}
		cursor = next
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// pruneUsers removes the users of the origin that the dump does not have, and
// notes the groups of all who are not of it.
func (i *importer) pruneUsers(ctx context.Context) error {
	cursor := ""
	for {
		page, next, err := i.store.Users(ctx, cursor, tokenstore.MaxPage)
		if err != nil {
			return err
		}
		for _, u := range page {
			if u.Origin != i.Origin {
				for _, group := range u.Groups {
					i.others[group] = true
				}
				continue
			}
			if i.inDump(u) {
				continue
			}
			if err := i.store.DeleteUser(ctx, u.Key); err != nil && !errors.Is(err, tokenstore.ErrNotFound) {
				return err
			}
			i.report.Users.Removed++
			i.note(0, "user", u.Name, "removed, since the dump does not have it")
		}
		if next == "" {
			return nil
		}
		cursor = next
	}
}

// inDump reports whether the dump has the user, by name where one of both has no
// primary key.
func (i *importer) inDump(u tokenstore.User) bool {
	if i.dump.HasID(u.OriginID) {
		return true
	}
	return (i.dump.Natural || u.OriginID == naturalID(u.Name)) && i.dump.HasName(u.Name)
}

// pruneTokens revokes what the origin had issued and the dump does not have. A dump
// without any of a kind says nothing of that kind.
func (i *importer) pruneTokens(ctx context.Context) error {
	for k := range issuedKinds {
		if issuedKinds[k].kind == "" {
			continue // what is revoked stays so
		}
		if err := i.pruneKind(ctx, &issuedKinds[k]); err != nil {
			return err
		}
	}
	return nil
}

func (i *importer) pruneKind(ctx context.Context, k *issuedKind) error {
	stay := ""
	switch {
	case !i.dump.Has(k.model):
		stay = "the dump has no " + k.name + "s; those that were imported stay"
	case k.kind == tokenstore.KindSession && !i.dump.SessionsVerified():
		stay = "the sessions of the dump are not verified; those that were imported stay"
	}
	if stay != "" && k.kind == tokenstore.KindAuthtoken {
		i.note(0, k.name, "", stay)
		return nil
	}
	cursor := ""
	for {
		page, next, err := i.store.List(ctx, tokenstore.Filter{Kind: k.kind}, cursor, tokenstore.MaxPage)
		if err != nil {
			return err
		}
		for _, c := range page {
			if c.Origin != i.Origin || i.dump.HasToken(c.Digest) {
				continue
			}
			if stay != "" {
				i.note(0, k.name, "", stay)
				return nil
			}
			n, err := i.pruneToken(ctx, c)
			if err != nil {
				return err
			}
			k.counts(&i.report).Removed += n
		}
		if next == "" {
			return nil
		}
		cursor = next
	}
}

// pruneToken ends a token, and with a refresh token those that it was given.
func (i *importer) pruneToken(ctx context.Context, c tokenstore.Credential) (n int, err error) {
	if c.Kind == tokenstore.KindRefresh && c.Family != "" {
		return 1, i.store.Revoke(ctx, c.Family, i.lastAccess(c))
	}
	return i.store.Delete(ctx, tokenstore.Filter{}, c.Digest)
}

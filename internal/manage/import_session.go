// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/django"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Why a session of a dump is not imported, though it is signed and has not expired.
const (
	leftNobody   = "of users whose primary keys are neither in the dump nor were imported before"
	leftDiffers  = "of users who have another password here"
	leftInactive = "of users who are inactive"
)

// sessionLives reports whether somebody who is logged in there is to be so here:
// only while the password that the session began with is that of the project, and
// ours. It counts a session of which that is not so.
func (i *importer) sessionLives(ctx context.Context, in django.Token, owner tokenstore.User) (bool, error) {
	hash := owner.PasswordHash
	if in.Password != nil {
		hash = *in.Password
	}
	reason := ""
	switch _, fresh := i.owners.find(in); {
	case !owner.Active:
		reason = leftInactive
	case !i.dump.SessionLives(in, hash):
		reason = leftDiffers
	case in.Password != nil && !fresh:
		same, err := i.samePassword(ctx, hash, owner)
		if err != nil {
			return false, err
		}
		if !same {
			reason = leftDiffers
		}
	}
	if reason != "" {
		i.leave(in.Model, reason, 1)
	}
	return reason == "", nil
}

// samePassword reports whether the password of a stored user is certainly that of
// a hash of the dump. Where a login has replaced the hash, only the first password
// that the user had here is known to be the one that was imported.
func (i *importer) samePassword(ctx context.Context, hash string, owner tokenstore.User) (bool, error) {
	p := i.judge(hash)
	switch {
	case p.hash != "" && p.hash == owner.PasswordHash:
		return true, nil
	case owner.PasswordVersion != 1:
		return false, nil
	case p.reason != "":
		return owner.PasswordHash == "", nil
	case !p.marked:
		return false, nil
	}
	return i.store.Known(ctx, i.mark(markPassword, owner.OriginID, p.hash))
}

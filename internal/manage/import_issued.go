// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/django"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// An issuedKind is what becomes of the records of one model of tokens. Without a
// kind it becomes no record.
type issuedKind struct {
	model, kind string
	name        string // in notes
	counts      func(*ImportReport) *ImportCounts
}

var issuedKinds = []issuedKind{
	{django.ModelAuthtoken, tokenstore.KindAuthtoken, "token", func(r *ImportReport) *ImportCounts { return &r.Tokens }},
	{django.ModelKnox, tokenstore.KindKnox, "knox token", func(r *ImportReport) *ImportCounts { return &r.KnoxTokens }},
	{django.ModelDurin, tokenstore.KindDurin, "durin token", func(r *ImportReport) *ImportCounts { return &r.DurinTokens }},
	{django.ModelSession, tokenstore.KindSession, "session", func(r *ImportReport) *ImportCounts { return &r.Sessions }},
	{django.ModelOutstanding, tokenstore.KindRefresh, "refresh token", func(r *ImportReport) *ImportCounts { return &r.RefreshTokens }},
	{django.ModelBlacklisted, "", "blacklisted token", func(r *ImportReport) *ImportCounts { return &r.BlacklistedTokens }},
}

// issuedKindOf returns nil for a model that is none of tokens.
func issuedKindOf(model string) *issuedKind {
	for i := range issuedKinds {
		if issuedKinds[i].model == model {
			return &issuedKinds[i]
		}
	}
	return nil
}

func (i *importer) counts(model string) *ImportCounts { return issuedKindOf(model).counts(&i.report) }

// leave counts tokens or sessions that are left out for a reason that many share.
func (i *importer) leave(model, reason string, n int) {
	i.counts(model).Skipped += n
	for k := range i.left {
		if l := &i.left[k]; l.Model == model && l.Text == reason {
			l.Count += n
			return
		}
	}
	i.left = append(i.left, django.LeftOut{Model: model, Text: reason, Count: n})
}

// sweepAtOnce is how many records one sweep removes.
const sweepAtOnce = 1000

// sweep removes what has ended, if the dump could have it with a longer life now:
// until it is swept, its digest is taken.
func (m *Manager) sweep(ctx context.Context, dump *django.Dump, o ImportOptions) error {
	if o.DryRun || !dump.Has(django.ModelKnox) && !dump.Has(django.ModelDurin) && !dump.Has(django.ModelSession) && !dump.Has(django.ModelOutstanding) {
		return nil
	}
	for {
		n, err := m.Store.Sweep(ctx, m.Now(), sweepAtOnce)
		if err != nil || n < sweepAtOnce {
			return err
		}
	}
}

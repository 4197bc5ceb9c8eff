// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"bytes"
	"context"
	"errors"
	"net/http"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/django"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/durin"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// markClient marks what an import made of a client, to tell it from what people
// here have made of it.
const markClient = "durin client"

// Why a client of a dump is not imported, or one that it lacks is not removed.
const (
	noteOwnClient     = "there is a client of this name that was made or changed here; left as it is"
	noteDeletedClient = "the client was deleted here; left out, and its tokens with it; --deleted brings it back"
	noteClientUsed    = "stays, though the dump does not have it, since there are tokens for it"
)

// deletedClient marks that an operator deleted a client, of whatever origin.
func deletedClient(name string) string { return markOf("", "durin client deleted", name) }

// clients imports the API clients of durin. Clients have no origin: those of all
// projects are one list, as groups are.
func (i *importer) clients(ctx context.Context) error {
	for _, in := range i.dump.Clients {
		data := durin.Encode(durin.Client{TokenTTL: in.TokenTTL, ThrottleRate: in.ThrottleRate})
		stored, err := i.store.Client(ctx, durin.ClientID(in.Name))
		n := &i.report.DurinClients
		switch {
		case errors.Is(err, tokenstore.ErrNotFound):
			deleted, err := i.store.Known(ctx, deletedClient(in.Name))
			if err != nil {
				return err
			}
			if deleted && !i.Deleted {
				n.Skipped++
				i.note(in.Row, "durin client", in.Name, noteDeletedClient)
				i.gone[in.Name] = true
				continue
			}
			if deleted {
				if err := i.store.Forget(ctx, deletedClient(in.Name)); err != nil {
					return err
				}
			}
			stored = tokenstore.Client{ID: durin.ClientID(in.Name), Name: in.Name}
			n.Created++
		case err != nil:
			return err
		case bytes.Equal(stored.Data, data):
			n.Unchanged++
			continue
		default:
			imported, err := i.store.Known(ctx, i.mark(markClient, in.Name, string(stored.Data)))
			if err != nil {
				return err
			}
			if !imported {
				n.Skipped++
				i.note(in.Row, "durin client", in.Name, noteOwnClient)
				continue
			}
			n.Updated++
		}
		if err := i.remember(ctx, i.mark(markClient, in.Name, string(data))); err != nil {
			return err
		}
		stored.Data = data
		if _, err := i.store.PutClient(ctx, stored); err != nil {
			return err
		}
	}
	return nil
}

// pruneClients removes the clients that imports of this origin made and the dump
// does not have, unless there are tokens for them. A dump without any says nothing.
func (i *importer) pruneClients(ctx context.Context) error {
	if len(i.dump.Clients) == 0 {
		return nil
	}
	for cursor := ""; ; {
		page, next, err := i.store.Clients(ctx, durin.ClientID(""), cursor, tokenstore.MaxPage)
		if err != nil {
			return err
		}
		for _, c := range page {
			if err := i.pruneClient(ctx, c); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		cursor = next
	}
}

func (i *importer) pruneClient(ctx context.Context, c tokenstore.Client) error {
	name, _ := durin.Name(c.ID)
	if i.dump.HasClient(name) {
		return nil
	}
	imported, err := i.store.Known(ctx, i.mark(markClient, name, string(c.Data)))
	if err != nil || !imported {
		return err
	}
	inUse, err := i.hasTokens(ctx, c.ID)
	if err != nil {
		return err
	}
	if inUse {
		i.note(0, "durin client", name, noteClientUsed)
		return nil
	}
	i.report.DurinClients.Removed++
	i.note(0, "durin client", name, "removed, since the dump does not have it")
	return i.store.DeleteClient(ctx, c.ID)
}

// hasTokens reports whether a token for a client has not expired.
func (i *importer) hasTokens(ctx context.Context, clientID string) (bool, error) {
	for cursor := ""; ; {
		page, next, err := i.store.List(ctx, tokenstore.Filter{ClientID: clientID}, cursor, tokenstore.MaxPage)
		if err != nil {
			return false, err
		}
		for k := range page {
			if !expired(page[k], i.Now()) {
				return true, nil
			}
		}
		if next == "" {
			return false, nil
		}
		cursor = next
	}
}

// checkClients refuses what could not be kept to once it is imported.
func checkClients(dump *django.Dump) error {
	problems := new(django.BadDumpError)
	for _, c := range dump.Clients {
		if err := checkClientRate(c.ThrottleRate); err != nil {
			if problems.More = len(problems.List) == maxNotes; problems.More {
				break
			}
			problems.List = append(problems.List, django.Problem{
				Row: c.Row, Model: django.ModelDurinClient,
				Text: err.Error() + "; Django takes any word by its first letter: correct it there",
			})
		}
	}
	if len(problems.List) == 0 {
		return nil
	}
	return &Error{Status: http.StatusBadRequest, Text: problems.Error() + "; nothing was imported", Err: problems}
}

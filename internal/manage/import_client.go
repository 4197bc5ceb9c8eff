// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"bytes"
	"context"
	"errors"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/durin"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// markClient marks what an import made of a client, to tell it from what people
// here have made of it.
const markClient = "durin client"

const noteOwnClient = "there is a client of this name that was made or changed here; left as it is"

const noteDeletedClient = "the client was deleted here; left out, and its tokens with it; --deleted brings it back"

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

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// ExportFormat is the number that an export begins with. It is raised when a
// reader of former ones would be misled.
const ExportFormat = 1

// Export writes all groups, users and tokens as JSON, one object a line, without
// hashes, digests and secrets. The first line says what it is, the last how many
// there were of each: an export without it was cut short.
//
// It is read in pages while the store is used. What exists all along is in it
// once; what is made, changed or removed meanwhile may be there or not, as it was
// before or after.
func (m *Manager) Export(ctx context.Context, w io.Writer) error {
	e := &exporter{Manager: m, out: bufio.NewWriterSize(w, 64<<10)}
	e.encoder = json.NewEncoder(e.out)
	e.encoder.SetEscapeHTML(false)
	if err := e.run(ctx); err != nil {
		return storeError("exporting", err)
	}
	m.audit("exported", zap.Int("groups", e.groups), zap.Int("users", e.users), zap.Int("tokens", e.tokens))
	return nil
}

type exporter struct {
	*Manager
	out                   *bufio.Writer
	encoder               *json.Encoder
	groups, users, tokens int
}

type exportBegin struct {
	Type    string    `json:"type"`
	Format  int       `json:"format"`
	Store   string    `json:"store"`
	Created time.Time `json:"created"`
}

type exportGroup struct {
	Type string `json:"type"`
	Group
}

type exportUser struct {
	Type string `json:"type"`
	User
}

type exportToken struct {
	Type string `json:"type"`
	Token
}

type exportEnd struct {
	Type   string `json:"type"`
	Groups int    `json:"groups"`
	Users  int    `json:"users"`
	Tokens int    `json:"tokens"`
}

// run writes the parts. Nothing goes out before the store has answered once, so
// that one which is down is an error and not half an answer.
func (e *exporter) run(ctx context.Context) error {
	groups, err := e.Store.Groups(ctx)
	if err != nil {
		return err
	}
	if err := e.line(exportBegin{"export", ExportFormat, e.Place, e.Now().UTC()}); err != nil {
		return err
	}
	for _, g := range groups {
		e.groups++
		if err := e.line(exportGroup{"group", Group{Name: g.Name, Permissions: list(g.Permissions)}}); err != nil {
			return err
		}
	}
	if err := e.allUsers(ctx); err != nil {
		return err
	}
	if err := e.allTokens(ctx); err != nil {
		return err
	}
	if err := e.line(exportEnd{"end", e.groups, e.users, e.tokens}); err != nil {
		return err
	}
	return e.out.Flush()
}

func (e *exporter) allUsers(ctx context.Context) error {
	cursor := ""
	for {
		page, next, err := e.Store.Users(ctx, cursor, tokenstore.MaxPage)
		if err != nil {
			return err
		}
		for _, u := range page {
			e.users++
			if err := e.line(exportUser{"user", describeUser(u)}); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		cursor = next
	}
}

func (e *exporter) allTokens(ctx context.Context) error {
	cursor := ""
	for {
		page, next, err := e.Store.List(ctx, tokenstore.Filter{}, cursor, tokenstore.MaxPage)
		if err != nil {
			return err
		}
		owners := make(map[string]tokenstore.User)
		for _, c := range page {
			if !tokenstore.IsRequestKind(c.Kind) {
				continue
			}
			t, err := e.describeToken(ctx, c, owners)
			if err != nil {
				return err
			}
			e.tokens++
			if err := e.line(exportToken{"token", t}); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		cursor = next
	}
}

func (e *exporter) line(value any) error {
	if err := e.encoder.Encode(value); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
)

// checks find what should never be. Each reads one line per problem. What the
// server guarantees by itself, as unique names, is not among them.
var checks = []string{
	`SELECT convert_to('record ' || encode(c.id, 'escape') || ' is of a user who is not there', 'UTF8') FROM credentials c
		WHERE substr(c.user_key, 1, 6) = 'store:' AND NOT EXISTS (SELECT 1 FROM users u WHERE u.key = c.user_key)`,
	`SELECT convert_to('the feed has numbers that were given away already', 'UTF8')
		WHERE (SELECT max(seq) FROM changes) > pg_sequence_last_value(pg_get_serial_sequence('changes', 'seq')::regclass)`,
}

// Verify is tokenstore.Verifier's.
func (s *Store) Verify(ctx context.Context) (problems []string, err error) {
	err = s.do(ctx, func(conn *pgx.Conn, _ int) error {
		problems = nil
		se := s.driver.session(conn)
		for _, check := range checks {
			if err := se.Query(ctx, check, nil, func(row sqlstore.Scanner) error {
				var line string
				err := row.Scan(&line)
				problems = append(problems, line)
				return err
			}); err != nil {
				return err
			}
		}
		_, id, err := s.driver.version(ctx, conn)
		if err == nil && id != s.id {
			problems = append(problems, "the id of the store has changed since it was opened")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return problems, nil
}

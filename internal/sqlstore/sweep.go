// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"time"
)

const (
	endedRecords = ` n IN (SELECT n FROM credentials WHERE ends < ? ORDER BY ends, n LIMIT ?)`

	// A spent record goes after its time, and an imported one must not come back by
	// that.
	entombEnded = `INSERT INTO tombstones (digest, ends) SELECT digest, ? FROM credentials
		WHERE origin <> '' AND state <> 0 AND` + endedRecords + ` ON CONFLICT (digest) DO UPDATE SET ends = excluded.ends`
	sweepRecords = `DELETE FROM credentials WHERE` + endedRecords
)

// sweeps remove what ended, some at a time.
var sweeps = []string{
	sweepRecords,
	`DELETE FROM tombstones WHERE digest IN (SELECT digest FROM tombstones WHERE ends < ? LIMIT ?)`,
	`DELETE FROM remembered WHERE key IN (SELECT key FROM remembered WHERE ends < ? LIMIT ?)`,
	`DELETE FROM revoked WHERE family IN (SELECT family FROM revoked WHERE ends < ? LIMIT ?)`,
	`DELETE FROM counters WHERE key IN (SELECT key FROM counters WHERE ends < ? LIMIT ?)`,
	`DELETE FROM attempts WHERE key IN (SELECT key FROM attempts WHERE ends < ? LIMIT ?)`,
}

// Sweep is tokenstore.Store's. It takes several transactions, so that no other
// writer waits for long.
func (o Ops) Sweep(ctx context.Context, before time.Time, max int) (total int, err error) {
	if max <= 0 {
		// The read is for the errors of a store that is closed or down.
		return 0, o.Engine.Read(ctx, func(*Conn) error { return nil })
	}
	for _, sweep := range sweeps {
		for total < max {
			batch := min(o.SweepBatch, max-total)
			var n int64
			err := o.Engine.Write(ctx, func(t *Tx) (err error) {
				if sweep == sweepRecords {
					if _, err := t.Exec(ctx, entombEnded, int64(forever), micros(before), batch); err != nil {
						return err
					}
				}
				n, err = t.Exec(ctx, sweep, micros(before), batch)
				return err
			})
			if err != nil {
				return 0, err
			}
			total += int(n)
			if int(n) < batch {
				break
			}
		}
	}
	return total, nil
}

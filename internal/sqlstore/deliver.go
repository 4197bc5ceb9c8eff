// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"fmt"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// MaxSilence is how long Watch trusts a database that does not answer.
const MaxSilence = 2 * time.Second

// Deliver tells changed what arrives, first that everything may have changed. What
// arrives is a sign of life too, also when it is empty. It returns what ended has
// to say, or an error once nothing has arrived for MaxSilence, or for patience at
// first.
func Deliver(news <-chan []tokenstore.Change, ended <-chan error, patience time.Duration, changed func(tokenstore.Change)) error {
	silence := time.NewTimer(patience)
	defer silence.Stop()
	first := true
	for {
		select {
		case changes := <-news:
			if first {
				changed(tokenstore.Change{All: true})
				first = false
			}
			for _, c := range changes {
				changed(c)
			}
			silence.Reset(MaxSilence)
		case err := <-ended:
			return err
		case <-silence.C:
			return fmt.Errorf("%w: the feed has been silent for %s", tokenstore.ErrUnavailable, MaxSilence)
		}
	}
}

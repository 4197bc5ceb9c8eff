// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/manage"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/signing"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/simplejwt"
)

func signingKeyCommand() *cobra.Command {
	return group("signing-key", "Shows and replaces the keys that tokens are signed with",
		action("list", "Lists the keys that were generated, and what they do", cobra.NoArgs, jsonFlag, listSigningKeys),
		action("rotate", "Has a new key sign, while the old ones verify what they signed", cobra.NoArgs, func(flags *pflag.FlagSet) {
			flags.String("ring", simplejwt.Ring, "The keys of that name")
			flags.String("algorithm", "", "Those of that algorithm alone")
			flags.Bool("now", false, "The new key signs at once, and not after others have learned of it")
			flags.Bool("compromised", false, "The old keys are removed, too: whatever they signed is refused at once")
		}, rotateSigningKeys),
	)
}

func listSigningKeys(s *invocation) error {
	list, err := all[signing.Status](s, "signing_keys", url.Values{})
	if err != nil {
		return err
	}
	return table(s, list, "RING\tALGORITHM\tKEY\tSTATE\tSTARTS\tENDS", func(k signing.Status) []string {
		ends := "never"
		if !k.Ends.IsZero() {
			ends = when(&k.Ends)
		}
		return []string{k.Ring, k.Algorithm, k.ID, k.State, when(&k.Starts), ends}
	})
}

func rotateSigningKeys(s *invocation) error {
	ring := s.String("ring")
	how := manage.Rotation{Algorithm: s.String("algorithm"), Now: s.Bool("now"), Compromised: s.Bool("compromised")}
	var answer struct {
		Keys []signing.Status `json:"signing_keys"`
	}
	if err := s.call(http.MethodPost, "signing_keys/"+escape(ring)+"/rotate", how, &answer); err != nil {
		return err
	}
	for _, key := range answer.Keys {
		if key.Ends.IsZero() {
			fmt.Fprintf(s.err, "key %s of %s %s signs from %s\n", key.ID, cell(ring), key.Algorithm, when(&key.Starts))
		}
	}
	return nil
}

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
)

func apiClientCommand() *cobra.Command {
	return group("client", "Manages the API clients of durin",
		action("add <name>", "Creates an API client, for which each user gets one token", cobra.ExactArgs(1), func(flags *pflag.FlagSet) {
			flags.String("token-ttl", "", "How long its tokens live: as 10d, 36h or '1 00:00:00' (days and time), or none for ever (default: 1d)")
			flags.String("throttle-rate", "", "How often each user may use it, as 100/h, where a site says 'throttle user_per_client' (default: that of the site)")
		}, addAPIClient),
		action("set <name>", "Changes what the flags say of an API client", cobra.ExactArgs(1), func(flags *pflag.FlagSet) {
			flags.String("token-ttl", "", "How long its tokens live from now on, as for add; those that were issued end as they would have")
			flags.String("throttle-rate", "", "How often each user may use it; empty: that of the site")
		}, setAPIClient),
		action("list", "Lists API clients", cobra.NoArgs, jsonFlag, listAPIClients),
		action("delete <name>", "Deletes an API client, and ends its tokens at once", cobra.ExactArgs(1), nil, deleteAPIClient),
	)
}

func addAPIClient(s *invocation) error {
	in := manage.NewClient{Name: s.Arg(0), TokenTTL: s.String("token-ttl"), ThrottleRate: s.String("throttle-rate")}
	var made manage.Client
	if err := s.call(http.MethodPost, "clients", in, &made); err != nil {
		return fmt.Errorf("Can't create client! %w", err) //nolint:staticcheck // durin's words
	}
	fmt.Fprintf(s.err, "Client %s created!\n", cell(made.Name))
	return nil
}

func setAPIClient(s *invocation) error {
	var change manage.ClientChange
	for flag, field := range map[string]**string{"token-ttl": &change.TokenTTL, "throttle-rate": &change.ThrottleRate} {
		if s.Changed(flag) {
			text := s.String(flag)
			*field = &text
		}
	}
	if change == (manage.ClientChange{}) {
		return fmt.Errorf("nothing to set; see '%s --help'", "caddy rest-auth client set")
	}
	var changed manage.Client
	if err := s.call(http.MethodPatch, "clients/"+escape(s.Arg(0)), change, &changed); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "changed client %s\n", cell(changed.Name))
	return nil
}

func listAPIClients(s *invocation) error {
	list, err := all[manage.Client](s, "clients", url.Values{})
	if err != nil {
		return err
	}
	return table(s, list, "NAME\tTOKEN TTL\tTHROTTLE RATE", func(c manage.Client) []string {
		return []string{c.Name, c.TokenTTL, c.ThrottleRate}
	})
}

func deleteAPIClient(s *invocation) error {
	if err := s.call(http.MethodDelete, "clients/"+escape(s.Arg(0)), nil, nil); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "deleted client %s\n", cell(s.Arg(0)))
	return nil
}

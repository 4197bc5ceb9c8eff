// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/manage"
)

func lockoutCommand() *cobra.Command {
	return group("lockout", "Shows and clears what the login throttle has counted",
		action("list", "Lists users and addresses that have to wait, because of failed logins", cobra.NoArgs, func(flags *pflag.FlagSet) {
			flags.Bool("counted", false, "Also those with failed logins that need not wait now")
			jsonFlag(flags)
		}, listLockouts),
		action("clear <user or address> | --all", "Forgets the failed logins of a user or from an address", cobra.MaximumNArgs(1), func(flags *pflag.FlagSet) {
			flags.Bool("all", false, "Those of everybody")
		}, clearLockouts),
	)
}

func listLockouts(s *invocation) error {
	query := url.Values{}
	if s.Bool("counted") {
		query.Set("counted", "true")
	}
	list, err := all[manage.Lockout](s, "lockouts", query)
	if err != nil {
		return err
	}
	return table(s, list, "SCOPE\tUSER\tKIND\tADDRESS\tFAILURES\tLAST\tUNTIL", func(l manage.Lockout) []string {
		return []string{l.Scope, lockedUser(&l), l.Kind, l.Address, strconv.Itoa(l.Failures), when(&l.Last), when(l.Until)}
	})
}

func lockedUser(l *manage.Lockout) string {
	if l.Scope == "user" && l.User == "" {
		return "(no such user)"
	}
	return l.User
}

func clearLockouts(s *invocation) error {
	query, what := url.Values{}, "all"
	switch subject := s.Arg(0); {
	case s.Bool("all") == (subject != ""):
		return errors.New("name a user or an address, or say --all")
	case s.Bool("all"):
		query.Set("all", "true")
	default:
		what = cell(subject)
		if _, err := netip.ParseAddr(subject); err == nil {
			query.Set("address", subject)
		} else {
			query.Set("user", subject)
		}
	}
	var answer struct {
		Cleared int `json:"cleared"`
	}
	if err := s.call(http.MethodDelete, "lockouts?"+query.Encode(), nil, &answer); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "cleared %d counts of %s\n", answer.Cleared, what)
	return nil
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/manage"
)

func sessionCommand() *cobra.Command {
	return group("session", "Lists browsers that are logged in, and logs them out",
		action("list", "Lists sessions by their handles", cobra.NoArgs, func(flags *pflag.FlagSet) {
			flags.String("user", "", "Sessions of this user only")
			jsonFlag(flags)
		}, listSessions),
		action("end <handle...> | [--user <name>] --all", "Ends sessions at once", cobra.ArbitraryArgs, func(flags *pflag.FlagSet) {
			flags.String("user", "", "Sessions of this user only")
			flags.Bool("all", false, "All that the user has, or those of everybody if no --user is named")
		}, endSessions),
	)
}

func listSessions(s *invocation) error {
	query := url.Values{}
	if user := s.String("user"); user != "" {
		query.Set("user", user)
	}
	list, err := all[manage.Session](s, "sessions", query)
	if err != nil {
		return err
	}
	return table(s, list, "HANDLE\tUSER\tADDRESS\tBROWSER\tCREATED\tLAST USED\tEXPIRES\tSTATUS", func(of manage.Session) []string {
		return []string{of.Handle, of.User, of.Address, of.UserAgent, when(&of.Created), when(of.LastUsed), when(of.Expires), of.Status}
	})
}

func endSessions(s *invocation) error {
	handles, user := s.Args(), s.String("user")
	switch {
	case len(handles) > 0 && (user != "" || s.Bool("all")):
		return errors.New("either name handles or say --all")
	case len(handles) == 0 && !s.Bool("all"):
		return errors.New("name handles, or say --all, with --user unless everybody's sessions are to end")
	case len(handles) == 0:
		query, whose := "all=true", "everybody"
		if user != "" {
			query, whose = url.Values{"user": {user}}.Encode(), cell(user)
		}
		var answer struct {
			Ended int `json:"ended"`
		}
		if err := s.call(http.MethodDelete, "sessions?"+query, nil, &answer); err != nil {
			return err
		}
		fmt.Fprintf(s.err, "ended %d sessions of %s\n", answer.Ended, whose)
		return nil
	}
	if err := checkHandles(handles...); err != nil {
		return err
	}
	for i, handle := range handles {
		if err := s.call(http.MethodDelete, "sessions/"+escape(handle), nil, nil); err != nil {
			return fmt.Errorf("after %d of %d sessions: %w", i, len(handles), err)
		}
		fmt.Fprintf(s.err, "ended session %s\n", handle)
	}
	return nil
}

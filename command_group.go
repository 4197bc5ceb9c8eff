// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/manage"
)

func groupCommand() *cobra.Command {
	return group("group", "Manages groups",
		action("set <name>", "Creates a group, or replaces its permissions", cobra.ExactArgs(1), func(flags *pflag.FlagSet) {
			flags.StringSlice("permissions", nil, "What the group permits, as app.codename, separated by commas; '' for nothing")
		}, setGroup),
		action("list", "Lists groups", cobra.NoArgs, jsonFlag, listGroups),
		action("delete <name>", "Deletes a group, and takes from its members what it gave them", cobra.ExactArgs(1), nil, deleteGroup),
	)
}

func setGroup(s *invocation) error {
	if !s.Changed("permissions") {
		return errors.New("--permissions is missing; '' stands for none")
	}
	var g manage.Group
	in := manage.GroupChange{Permissions: s.list("permissions")}
	if err := s.call(http.MethodPut, "groups/"+escape(s.Arg(0)), in, &g); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "set group %s\n", cell(g.Name))
	return nil
}

func listGroups(s *invocation) error {
	var answer struct {
		Groups []manage.Group `json:"groups"`
	}
	if err := s.call(http.MethodGet, "groups", nil, &answer); err != nil {
		return err
	}
	return table(s, answer.Groups, "NAME\tPERMISSIONS", func(g manage.Group) []string {
		return []string{g.Name, strings.Join(g.Permissions, ",")}
	})
}

func deleteGroup(s *invocation) error {
	if err := s.call(http.MethodDelete, "groups/"+escape(s.Arg(0)), nil, nil); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "deleted group %s\n", cell(s.Arg(0)))
	return nil
}

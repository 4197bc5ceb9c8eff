// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/manage"
)

func userCommand() *cobra.Command {
	one := cobra.ExactArgs(1)
	return group("user", "Manages users",
		action("add <name>", "Adds a user", one, func(flags *pflag.FlagSet) {
			userFlags(flags)
			passwordFlags(flags)
			flags.Bool("inactive", false, "The user may not log in yet")
		}, addUser),
		action("list", "Lists users", cobra.NoArgs, jsonFlag, listUsers),
		action("show <name>", "Shows a user", one, jsonFlag, showUser),
		action("set <name>", "Changes what the flags say of a user", one, userFlags, setUser),
		action("set-password <name>", "Replaces a user's password", one, passwordFlags, setPassword),
		action("enable <name>", "Lets a user log in again", one, nil, func(s *invocation) error { return s.setActive(true) }),
		action("disable <name>", "Ends a user's access, and that of its tokens, at once", one, nil, func(s *invocation) error { return s.setActive(false) }),
		action("delete <name>", "Deletes a user and all of its tokens", one, func(flags *pflag.FlagSet) {
			flags.Bool("yes", false, "Do not ask")
		}, deleteUser),
	)
}

func userFlags(flags *pflag.FlagSet) {
	flags.String("email", "", "Address")
	flags.String("full-name", "", "Name for people to read")
	flags.Bool("staff", false, "The user is staff")
	flags.Bool("superuser", false, "The user holds all permissions")
	flags.StringSlice("groups", nil, "Groups, separated by commas, in place of the user's; those that do not exist are created")
	flags.StringSlice("permissions", nil, "The user's own permissions, as app.codename, separated by commas, in place of the present ones")
}

// change returns what the flags say of a user, and only that.
func (s *invocation) change() manage.UserChange {
	var change manage.UserChange
	given := func(name string) bool { return s.Lookup(name) != nil && s.Changed(name) }
	for name, field := range map[string]**string{"email": &change.Email, "full-name": &change.FullName} {
		if given(name) {
			value := s.String(name)
			*field = &value
		}
	}
	for name, field := range map[string]**bool{"staff": &change.Staff, "superuser": &change.Superuser} {
		if given(name) {
			value := s.Bool(name)
			*field = &value
		}
	}
	for name, field := range map[string]**[]string{"groups": &change.Groups, "permissions": &change.Permissions} {
		if given(name) {
			value := s.list(name)
			*field = &value
		}
	}
	return change
}

// list returns the words of a flag, which is an empty list if none is given.
func (s *invocation) list(name string) []string {
	words, err := s.GetStringSlice(name)
	if err != nil || words == nil {
		return []string{}
	}
	return words
}

func (s *invocation) userPath() string { return "users/" + escape(s.Arg(0)) }

func addUser(s *invocation) error {
	in := manage.NewUser{Name: s.Arg(0), UserChange: s.change()}
	if s.Bool("inactive") {
		active := false
		in.Active = &active
	}
	password, err := s.password("Password for " + s.Arg(0))
	if err != nil {
		return err
	}
	in.Password = password
	var u manage.User
	if err := s.call(http.MethodPost, "users", in, &u); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "added user %s (%s)\n", cell(u.Name), u.Key)
	return nil
}

func listUsers(s *invocation) error {
	list, err := all[manage.User](s, "users", url.Values{})
	if err != nil {
		return err
	}
	return table(s, list, "NAME\tEMAIL\tFULL NAME\tACTIVE\tSTAFF\tSUPERUSER\tPASSWORD\tGROUPS\tPERMISSIONS", func(u manage.User) []string {
		return []string{
			u.Name, u.Email, u.FullName, yes(u.Active), yes(u.Staff), yes(u.Superuser), yes(u.HasPassword),
			strings.Join(u.Groups, ","), strings.Join(u.Permissions, ","),
		}
	})
}

func showUser(s *invocation) error {
	var u manage.User
	if err := s.call(http.MethodGet, s.userPath(), nil, &u); err != nil {
		return err
	}
	return s.card(u, [][2]string{
		{"name", u.Name},
		{"key", u.Key},
		{"email", u.Email},
		{"full name", u.FullName},
		{"active", yes(u.Active)},
		{"staff", yes(u.Staff)},
		{"superuser", yes(u.Superuser)},
		{"password", yes(u.HasPassword)},
		{"groups", strings.Join(u.Groups, ",")},
		{"permissions", strings.Join(u.Permissions, ",")},
		{"by groups", strings.Join(u.Inherited, ",")},
		{"imported from", strings.TrimSpace(u.Origin + " " + u.OriginID)},
	})
}

func setUser(s *invocation) error {
	change := s.change()
	if change == (manage.UserChange{}) {
		return fmt.Errorf("nothing to set; see '%s --help'", "caddy rest-auth user set")
	}
	return s.patchUser(change, "changed")
}

func (s *invocation) setActive(active bool) error {
	word := "disabled"
	if active {
		word = "enabled"
	}
	return s.patchUser(manage.UserChange{Active: &active}, word)
}

func (s *invocation) patchUser(change manage.UserChange, done string) error {
	var u manage.User
	if err := s.call(http.MethodPatch, s.userPath(), change, &u); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "%s user %s\n", done, cell(u.Name))
	return nil
}

func setPassword(s *invocation) error {
	password, err := s.password("New password for " + s.Arg(0))
	if err != nil {
		return err
	}
	if password == nil {
		if err := s.call(http.MethodDelete, s.userPath()+"/password", nil, nil); err != nil {
			return err
		}
		fmt.Fprintf(s.err, "removed the password of %s\n", cell(s.Arg(0)))
		return nil
	}
	in := map[string]string{"password": *password}
	if err := s.call(http.MethodPut, s.userPath()+"/password", in, nil); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "set the password of %s; API tokens still work\n", cell(s.Arg(0)))
	return nil
}

func deleteUser(s *invocation) error {
	if !s.Bool("yes") {
		if err := s.confirm("Delete user " + cell(s.Arg(0)) + " and all of its tokens?"); err != nil {
			return err
		}
	}
	if err := s.call(http.MethodDelete, s.userPath(), nil, nil); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "deleted user %s\n", cell(s.Arg(0)))
	return nil
}

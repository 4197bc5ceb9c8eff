// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"context"
	"errors"
	"io"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "rest-auth",
		Usage: "<command>",
		Short: "Manages the users and tokens of rest_auth",
		Long: `
Manages the users, groups, tokens and sessions of a Caddy that runs with
rest_auth, and the store that they are kept in.

The commands ask the admin API of the running Caddy, at the --address given, at
that of the --config given, or at '` + caddy.DefaultAdminListen + `', so that
what they change holds from the next request on. With --offline they open the
store of the --config themselves, or the default store if none is given; only
the owner of the store may do that.

Secrets are never arguments, which every user of the machine can read. A
password is asked for twice, or read from standard input or a file. A new token
is the only thing that is written to standard output, and only once:

    TOKEN=$(caddy rest-auth token create alice)`,
		CobraFunc: func(cmd *cobra.Command) {
			flags := cmd.PersistentFlags()
			flags.String("address", "", "Address of the administration API listener (if --config is not used)")
			flags.StringP("config", "c", "", "Configuration file (if --address is not used)")
			flags.StringP("adapter", "a", "", "Name of config adapter to apply (if --config is used)")
			flags.Bool("offline", false, "Open the store itself instead of asking a running Caddy")
			onlyCommands(cmd)
			cmd.AddCommand(userCommand(), groupCommand(), tokenCommand(), sessionCommand(), apiClientCommand(), lockoutCommand(), issuersCommand(), signingKeyCommand(), storeCommand(), importCommand(), exportCommand(), explainCommand(), selfTestCommand())
		},
	})
}

// An invocation is one run of a command.
type invocation struct {
	caddycmd.Flags
	ctx    context.Context
	in     io.Reader
	out    io.Writer // what was asked for, and nothing else
	err    io.Writer // for people
	client *client
}

// group is a command that only has commands below it.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short}
	onlyCommands(cmd)
	cmd.AddCommand(commands...)
	return cmd
}

// onlyCommands makes a missing or misspelt command an error; cobra would show
// the help and report success.
func onlyCommands(cmd *cobra.Command) {
	cmd.Args = cobra.NoArgs
	cmd.RunE = caddycmd.WrapCommandFuncForCobra(func(caddycmd.Flags) (int, error) {
		return caddy.ExitCodeFailedStartup, errors.New("a command is missing; see '" + cmd.CommandPath() + " --help'")
	})
}

// action is a command that does something.
func action(use, short string, args cobra.PositionalArgs, flags func(*pflag.FlagSet), run func(*invocation) error) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: args}
	if flags != nil {
		flags(cmd.Flags())
	}
	cmd.RunE = caddycmd.WrapCommandFuncForCobra(func(fl caddycmd.Flags) (int, error) {
		s := &invocation{Flags: fl, ctx: cmd.Context(), in: cmd.InOrStdin(), out: cmd.OutOrStdout(), err: cmd.ErrOrStderr()}
		if err := errors.Join(run(s), s.close()); err != nil {
			return caddy.ExitCodeFailedStartup, err
		}
		return caddy.ExitCodeSuccess, nil
	})
	return cmd
}

func (s *invocation) close() error {
	if s.client == nil || s.client.close == nil {
		return nil
	}
	return s.client.close()
}

func jsonFlag(flags *pflag.FlagSet) { flags.Bool("json", false, "Write JSON instead of a table") }

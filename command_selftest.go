// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/selftest"
)

// exitNotRun is the exit code of a self-test that could test nothing.
const exitNotRun = 2

func selfTestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "self-test",
		Short: "Sends spoofed identity headers through a copy of the --config, and reports what upstreams would believe",
		Long: `
Runs a harmless copy of the configuration within this process and sends every
spelling of every identity header through it, as a known client and as nobody.
The copy listens on no port, opens no store, asks for no certificates, and
every reverse_proxy of it reaches a built-in upstream that says what it saw.

Identity headers are those that rest_auth sets with header_up, all others in
which the user turns up, REMOTE_USER for FastCGI, and those named by --header.

The exit code is 0 if nothing leaks, 1 if something does or a proxy was not
reached, and 2 if nothing could be tested.`,
		Args: cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.StringArray("url", nil, "A request that reaches a proxy, as https://example.com/path or 'POST https://…'; repeated")
	flags.StringArray("header", nil, "A header that the upstreams believe, beside those that are found; repeated")
	flags.StringArray("keep", nil, "A third party's app or handler that the copy has, too; it does what it does; repeated")
	flags.Bool("allow-unreached", false, "Do not count proxies that no request reached")
	flags.Bool("list", false, "Only list the proxies, their identity headers and the ways to them")
	jsonFlag(flags)
	cmd.RunE = caddycmd.WrapCommandFuncForCobra(func(fl caddycmd.Flags) (int, error) {
		// What is interrupted still removes what it made.
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		s := &invocation{Flags: fl, ctx: ctx, in: cmd.InOrStdin(), out: cmd.OutOrStdout(), err: cmd.ErrOrStderr()}
		report, err := s.selfTest()
		if errors.Is(err, context.Canceled) {
			err = errors.New("interrupted: nothing is known")
		}
		if err != nil {
			return exitNotRun, err
		}
		if !report.OK && !s.Bool("list") {
			return 1, errors.New("the self-test failed")
		}
		return 0, nil
	})
	return cmd
}

func (s *invocation) selfTest() (*selftest.Report, error) {
	if s.String("address") != "" || s.Bool("offline") {
		return nil, errors.New("the self-test is of a --config; it asks no running Caddy and opens no store")
	}
	config, _, _, err := caddycmd.LoadConfig(s.String("config"), s.String("adapter"))
	if err != nil {
		return nil, fmt.Errorf("loading the configuration: %w", err)
	}
	if len(config) == 0 {
		return nil, errors.New("no --config is given, and there is no Caddyfile here")
	}
	report, err := selftest.Run(s.ctx, config, selftest.Options{
		URLs: s.texts("url"), Headers: s.texts("header"), Keep: s.texts("keep"),
		AllowUnreached: s.Bool("allow-unreached"), List: s.Bool("list"),
	})
	if err != nil {
		return nil, err
	}
	switch {
	case s.Bool("json"):
		err = s.json(report)
	case s.Bool("list"):
		err = report.WriteList(s.out)
	default:
		err = report.Write(s.out)
	}
	if err != nil {
		return nil, fmt.Errorf("writing: %w", err)
	}
	return report, nil
}

// texts returns the values of a repeated flag.
func (s *invocation) texts(name string) []string {
	values, err := s.GetStringArray(name)
	if err != nil {
		return nil
	}
	return values
}

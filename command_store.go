// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/manage"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func storeCommand() *cobra.Command {
	return group("store", "Examines, creates and backs up the store",
		action("check", "Examines the store of the --config, or that of the Caddy at --address; an error if it is not in order", cobra.NoArgs, jsonFlag, checkStore),
		action("init", "Creates the store of the --config, without a running Caddy; one that is there stays as it is", cobra.NoArgs, func(flags *pflag.FlagSet) {
			flags.Bool("force", false, "Also where another store is expected, as after its file was lost")
		}, initStore),
		action("backup <file>|-", "Writes a copy of the store, while it is used, to a new file or to standard output", cobra.ExactArgs(1), nil, backupStore),
	)
}

func checkStore(s *invocation) error {
	var status manage.StoreStatus
	if s.String("address") != "" {
		if err := s.call(http.MethodGet, "store?verify=true", nil, &status); err != nil {
			return err
		}
	} else {
		app, err := s.loadApp()
		if err != nil {
			return err
		}
		if checker, ok := app.StoreDriver().(tokenstore.Checker); ok {
			if err := checker.Check(s.ctx); err != nil {
				return fmt.Errorf("checking the store %s: %w", app.StoreDriver().Identifier(), err)
			}
		}
		store, err := s.openStore(app)
		if err != nil {
			return err
		}
		status, err = app.manager(store).CheckStore(s.ctx, true)
		if err := errors.Join(err, store.Close()); err != nil {
			return err
		}
	}
	if err := s.report(status); err != nil {
		return err
	}
	if n := len(status.Problems); n > 0 {
		return fmt.Errorf("the store is not in order: %d problems", n)
	}
	return nil
}

func (s *invocation) report(status manage.StoreStatus) error {
	if s.Bool("json") {
		return s.json(status)
	}
	for _, problem := range status.Problems {
		if _, err := fmt.Fprintln(s.out, problem); err != nil {
			return fmt.Errorf("writing: %w", err)
		}
	}
	switch {
	case len(status.Problems) > 0:
		return nil
	case status.Verified:
		fmt.Fprintln(s.err, "the store is in order")
	default:
		fmt.Fprintln(s.err, "the store answers; its driver does not examine it further")
	}
	return nil
}

func initStore(s *invocation) error {
	app, err := s.loadApp()
	if err != nil {
		return err
	}
	driver := app.StoreDriver()
	initializer, ok := driver.(tokenstore.Initializer)
	if !ok {
		return fmt.Errorf("the store %s is not created by hand; it is when Caddy first runs", driver.Identifier())
	}
	if path := storeFile(driver); path != "" {
		if err := checkOwner(path); err != nil {
			return err
		}
	}
	if err := initializer.Init(s.ctx, s.Bool("force")); err != nil {
		return fmt.Errorf("creating the store %s: %w", driver.Identifier(), err)
	}
	fmt.Fprintf(s.err, "the store %s is ready\n", driver.Identifier())
	return nil
}

func backupStore(s *invocation) error {
	if s.Arg(0) == "-" {
		if f, ok := s.out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			return errors.New("standard output is a terminal; name a file")
		}
		_, err := s.copyStore(s.out)
		return err
	}
	path := s.Arg(0)
	n, err := writeNew(path, s.copyStore)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.err, "wrote %d bytes to %s\n", n, path)
	return nil
}

func (s *invocation) copyStore(w io.Writer) (int64, error) {
	answer, err := s.send(http.MethodPost, "store/backup", struct{}{})
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	n, err := io.Copy(w, answer.Body)
	if err != nil {
		return n, fmt.Errorf("copying the store: %w", err)
	}
	return n, nil
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/manage"
)

func importCommand() *cobra.Command {
	cmd := action("import <file>|-", "Imports users, groups, tokens and sessions of a Django project from a file of manage.py dumpdata, or from standard input",
		cobra.ExactArgs(1), func(flags *pflag.FlagSet) {
			flags.String("origin", manage.DefaultOrigin, "Which project it is, where there are several")
			flags.String("user-model", "", "The project's AUTH_USER_MODEL, as accounts.User (default: auth.User)")
			flags.String("username-field", "", "The USERNAME_FIELD of the user model, as email (default: username)")
			flags.String("secret-key-file", "", "A file with the project's SECRET_KEY and SECRET_KEY_FALLBACKS, one a line; without it sessions are left out")
			flags.Bool("passwords", false, "Also take passwords that were changed there since they were last taken; this ends sessions")
			flags.Bool("prune", false, "Remove users, tokens, sessions, API clients and groups that were imported before and are not in the file; for good")
			flags.Bool("deleted", false, "Also bring back users and API clients that were imported before and deleted here")
			flags.Bool("dry-run", false, "Report what would be done, and do nothing")
			jsonFlag(flags)
		}, importDump)
	cmd.Long = cmd.Short + `.

It may be done again at any time: users are known by their primary keys, and what
changed there is changed here. Passwords that were imported stay as they are here
(see --passwords), who was disabled or deleted here stays so, revoked tokens stay
revoked, and users who were not imported are never touched. Either all of it is imported or nothing.

    python manage.py dumpdata --natural-foreign auth.user auth.group authtoken.token --output dump.json
    caddy rest-auth import dump.json --dry-run
    caddy rest-auth import dump.json

Dump knox.authtoken, durin and sessions.session too, where the project has them. Who
is logged in stays so if the project's SECRET_KEY is in a file:

    caddy rest-auth import dump.json --secret-key-file key.txt

The files hold password hashes, tokens and keys: remove them afterwards.`
	return cmd
}

func importDump(s *invocation) error {
	dump, err := s.openDump(s.Arg(0))
	if err != nil {
		return err
	}
	defer dump.Close()
	query := url.Values{}
	for flag, param := range map[string]string{"origin": "origin", "user-model": "user_model", "username-field": "username_field"} {
		if value := s.String(flag); value != "" {
			query.Set(param, value)
		}
	}
	for flag, param := range map[string]string{"passwords": "passwords", "prune": "prune", "deleted": "deleted", "dry-run": "dry_run"} {
		if s.Bool(flag) {
			query.Set(param, "true")
		}
	}
	keys, err := s.secretKeys(s.String("secret-key-file"))
	if err != nil {
		return err
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if len(keys) > 0 {
		query.Set("secret_keys", "true")
		header.Set("Content-Type", "application/jsonl")
	}
	c, err := s.connect()
	if err != nil {
		return err
	}
	meter := s.meter(dump)
	answer, err := c.do(http.MethodPost, manage.Prefix+"import?"+query.Encode(), header, io.MultiReader(bytes.NewReader(keys), meter))
	meter.clear()
	if err != nil {
		return s.refusedDump(err)
	}
	defer answer.Body.Close()
	var report manage.ImportReport
	if err := json.NewDecoder(answer.Body).Decode(&report); err != nil {
		return fmt.Errorf("reading the answer: %w; whether anything was imported is not known, and importing again does no harm", err)
	}
	return s.importReport(report)
}

func (s *invocation) openDump(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(s.in), nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening the dump: %w", err)
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return nil, errors.Join(errors.New("opening the dump: it is a directory"), file.Close())
	}
	return file, nil
}

// secretKeys returns the line that goes before a dump whose sessions are to be
// verified with the keys of a file, or nothing without one.
func (s *invocation) secretKeys(name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading the secret key: %w", err)
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		fmt.Fprintf(s.err, "%s: others can read it, and with it forge sessions of the project; chmod 600, and remove it afterwards\n", cell(name))
	}
	keys, err := manage.ReadSecretKeys(file)
	if err != nil {
		return nil, fmt.Errorf("reading the secret key: %w", err)
	}
	return manage.EncodeSecretKeys(keys)
}

// refusedDump writes the problems of a dump, one a line.
func (s *invocation) refusedDump(err error) error {
	refusal := (*dumpError)(nil)
	if !errors.As(err, &refusal) {
		return err
	}
	for _, p := range refusal.Problems {
		fmt.Fprintln(s.err, cell(p.String()))
	}
	if refusal.More {
		fmt.Fprintln(s.err, "and more")
	}
	if refusal.Advice != "" {
		fmt.Fprintln(s.err, "This dumps what is needed:", refusal.Advice)
	}
	return err
}

// dumpError is an answer that says what is wrong with a dump.
type dumpError struct{ manage.ImportRefusal }

func (e *dumpError) Error() string { return e.ImportRefusal.Error }

// importReport writes what was done to standard output, and what an operator
// should know of single records elsewhere.
func (s *invocation) importReport(r manage.ImportReport) error {
	if s.Bool("json") {
		return s.json(r)
	}
	for _, n := range r.Notes {
		where := n.Kind
		if n.Row > 0 {
			where = fmt.Sprintf("row %d: %s", n.Row, n.Kind)
		}
		if n.Name != "" {
			where += " " + cell(n.Name)
		}
		fmt.Fprintf(s.err, "%s: %s\n", where, n.Text)
	}
	if r.MoreNotes > 0 {
		fmt.Fprintf(s.err, "and %d more\n", r.MoreNotes)
	}
	for _, model := range slices.Sorted(maps.Keys(r.Other)) {
		fmt.Fprintf(s.err, "not imported: %d of %s\n", r.Other[model], cell(model))
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\tCREATED\tUPDATED\tUNCHANGED\tSKIPPED\tREMOVED")
	for i, row := range []struct {
		kind string
		n    manage.ImportCounts
	}{
		{"groups", r.Groups},
		{"users", r.Users},
		{"tokens", r.Tokens},
		{"knox tokens", r.KnoxTokens},
		{"durin clients", r.DurinClients},
		{"durin tokens", r.DurinTokens},
		{"sessions", r.Sessions},
		{"refresh tokens", r.RefreshTokens},
		{"blacklisted tokens", r.BlacklistedTokens},
	} {
		if i > 2 && row.n == (manage.ImportCounts{}) {
			continue // few projects have all of them
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\n", row.kind, row.n.Created, row.n.Updated, row.n.Unchanged, row.n.Skipped, row.n.Removed)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	p := r.Passwords
	fmt.Fprintf(s.err, "passwords: %d taken, %d kept, %d unusable, %d not verifiable; tokens that stay revoked: %d\n",
		p.Taken, p.Kept, p.Unusable, p.Unverifiable, r.TokensRevoked)
	if r.DryRun {
		fmt.Fprintln(s.err, "nothing was done: this was a dry run")
	}
	return nil
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/django"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// DefaultOrigin is where an import says that its users come from.
const DefaultOrigin = "django"

const maxOrigin = 32

// ImportOptions say what an import does.
type ImportOptions struct {
	Origin        string // which project; default: DefaultOrigin
	UserModel     string // default: auth.user
	UsernameField string // default: username

	// SecretKeys are the project's SECRET_KEY and SECRET_KEY_FALLBACKS. Without
	// them sessions are left out.
	SecretKeys []string

	Passwords bool // take passwords that were changed there since the last import
	Prune     bool // remove users, tokens, clients and groups of the origin that the dump no longer has
	Deleted   bool // bring back users of the origin, and clients, that were deleted here
	DryRun    bool // report what would be done, and do nothing
}

// ImportCounts are what became of the records of one kind.
type ImportCounts struct {
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	Skipped   int `json:"skipped"`
	Removed   int `json:"removed"`
}

// PasswordCounts are what became of passwords.
type PasswordCounts struct {
	Taken        int `json:"taken"`        // of new users, or replaced
	Kept         int `json:"kept"`         // ours, though that of the dump is another
	Unusable     int `json:"unusable"`     // of new users whom Django lets nobody log in as
	Unverifiable int `json:"unverifiable"` // of a format that is not verified here: the user has none
}

// An ImportNote names a record and what an operator should know of it.
type ImportNote struct {
	Row  int    `json:"row"`
	Kind string `json:"kind"` // user, group, token, knox token, durin token, durin client, session, refresh token or blacklisted token
	Name string `json:"name,omitempty"`
	Text string `json:"text"`
}

// An ImportReport is what an import did, or would do.
type ImportReport struct {
	Origin string `json:"origin"`
	DryRun bool   `json:"dry_run"`
	Rows   int    `json:"rows"`

	Users        ImportCounts `json:"users"`
	Groups       ImportCounts `json:"groups"`
	Tokens       ImportCounts `json:"tokens"` // of rest_framework.authtoken
	KnoxTokens   ImportCounts `json:"knox_tokens"`
	DurinClients ImportCounts `json:"durin_clients"`
	DurinTokens  ImportCounts `json:"durin_tokens"`
	Sessions     ImportCounts `json:"sessions"`

	// RefreshTokens and BlacklistedTokens are of simplejwt's blacklist.
	RefreshTokens     ImportCounts `json:"refresh_tokens"`
	BlacklistedTokens ImportCounts `json:"blacklisted_tokens"`

	Passwords PasswordCounts `json:"passwords"`

	// TokensRevoked are those of the dump, sessions too, that were revoked here,
	// and stay so.
	TokensRevoked int `json:"tokens_revoked"`

	// Notes are about single records, maxNotes at most of each kind of note;
	// MoreNotes is how many there were beyond.
	Notes     []ImportNote `json:"notes"`
	MoreNotes int          `json:"more_notes"`

	// Other is how many records of other models the dump has.
	Other     map[string]int `json:"other_models"`
	OtherRows int            `json:"other_rows"`
}

const maxNotes = 100

// HashChecker is a Hasher that can tell whether it would verify a hash. It
// returns errors of package password.
type HashChecker interface {
	Check(encoded string) error
}

// errDryRun undoes a transaction that did what was to be reported.
var errDryRun = errors.New("dry run")

// Import takes over the users, groups, tokens and sessions of a Django project from what
// `manage.py dumpdata` wrote. Users are known by their origin, so that another
// import updates them; users that were not imported are never changed. Either
// all is done or nothing, where the store has transactions.
//
// An error that wraps *django.BadDumpError says what is wrong with the dump.
func (m *Manager) Import(ctx context.Context, r io.Reader, o ImportOptions) (ImportReport, error) {
	if o.Origin == "" {
		o.Origin = DefaultOrigin
	}
	if err := o.check(); err != nil {
		return ImportReport{}, err
	}
	dump, err := django.Read(ctx, r, django.Options{
		UserModel: o.UserModel, UsernameField: o.UsernameField, Canonical: users.Canonical,
		SecretKeys: o.SecretKeys, Now: m.Now(),
	})
	if problems := (*django.BadDumpError)(nil); errors.As(err, &problems) {
		return ImportReport{}, &Error{Status: http.StatusBadRequest, Text: problems.Error() + "; nothing was imported", Err: err}
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return ImportReport{}, refuse(http.StatusRequestEntityTooLarge, "the dump must not be longer than %d bytes", tooLarge.Limit)
	}
	if err != nil {
		return ImportReport{}, storeError("reading the dump", err)
	}
	defer func() { _ = dump.Close() }() // it was read to its end
	if err := o.checkDump(dump); err != nil {
		return ImportReport{}, err
	}
	report, err := m.importDump(ctx, dump, o)
	if refusal := (*Error)(nil); errors.As(err, &refusal) {
		return ImportReport{}, refusal
	}
	if err != nil {
		return ImportReport{}, storeError("importing", err)
	}
	if !o.DryRun {
		m.audit("import", zap.String("origin", o.Origin), zap.Bool("passwords", o.Passwords), zap.Bool("prune", o.Prune),
			zap.Any("users", report.Users), zap.Any("groups", report.Groups), zap.Any("tokens", report.Tokens),
			zap.Any("knox_tokens", report.KnoxTokens), zap.Any("durin_tokens", report.DurinTokens),
			zap.Any("durin_clients", report.DurinClients), zap.Any("sessions", report.Sessions),
			zap.Any("refresh_tokens", report.RefreshTokens), zap.Any("blacklisted_tokens", report.BlacklistedTokens))
	}
	return report, nil
}

// check holds the names to what needs no escaping anywhere.
func (o ImportOptions) check() error {
	if len(o.Origin) > maxOrigin || strings.Trim(o.Origin, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return invalid("origin", "must be at most %d lower-case letters, digits, '-' and '_'", maxOrigin)
	}
	if app, model, dotted := strings.Cut(o.UserModel, "."); o.UserModel != "" && (!dotted || !isWord(app) || !isWord(model)) {
		return invalid("user_model", "must be as AUTH_USER_MODEL, accounts.User")
	}
	switch strings.ToLower(o.UserModel) {
	case "auth.group", "auth.permission", "contenttypes.contenttype",
		django.ModelAuthtoken, django.ModelKnox, django.ModelDurin, django.ModelDurinClient, django.ModelSession,
		django.ModelOutstanding, django.ModelBlacklisted:
		return invalid("user_model", "must be the model of users; the keys of others may be secrets")
	}
	if o.UsernameField != "" && (!isWord(o.UsernameField) || o.UsernameField == "password") {
		return invalid("username_field", "must be the name of a field, as email")
	}
	return nil
}

func isWord(text string) bool {
	return text != "" && len(text) <= maxName && !strings.ContainsFunc(text, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

func (o ImportOptions) userModel() string {
	if o.UserModel == "" {
		return django.DefaultUserModel
	}
	return o.UserModel
}

// checkDump refuses a dump that cannot be what was meant.
func (o ImportOptions) checkDump(dump *django.Dump) error {
	model := o.userModel()
	switch {
	case dump.Users+dump.Groups+dump.Tokens+len(dump.Clients)+len(dump.LeftOut) == 0:
		return refuse(http.StatusBadRequest, "the dump has no users (%s), groups or tokens; --user-model names another user model; this dumps what is needed: %s",
			model, django.DumpLine(model))
	case o.Prune && dump.Lines:
		return refuse(http.StatusBadRequest, "the dump is one record a line: if it was cut short nobody can tell, and pruning would remove what is missing; dump with --format json")
	case o.Prune && dump.Users == 0:
		return refuse(http.StatusBadRequest, "the dump has no users (%s), and pruning would remove all that were imported; nothing was done", model)
	}
	return checkClients(dump)
}

// importDump carries it out, in a transaction if the store has them.
func (m *Manager) importDump(ctx context.Context, dump *django.Dump, o ImportOptions) (ImportReport, error) {
	if err := m.sweep(ctx, dump, o); err != nil {
		return ImportReport{}, err
	}
	found, err := m.newImporter(m.Store, false, dump, o).survey(ctx)
	if err != nil {
		return ImportReport{}, err
	}
	var done *importer
	err = errors.ErrUnsupported
	if transactor, ok := m.Store.(tokenstore.Transactor); ok {
		err = transactor.InTx(ctx, func(store tokenstore.Store) error {
			done = m.newImporter(store, true, dump, o)
			done.found = found
			if err := done.run(ctx); err != nil || !o.DryRun {
				return err
			}
			return errDryRun
		})
	}
	switch {
	case errors.Is(err, errDryRun):
		err = nil
	case errors.Is(err, errors.ErrUnsupported) && o.DryRun:
		return ImportReport{}, refuse(http.StatusNotImplemented, "this store has no transactions, and cannot tell what would happen")
	case errors.Is(err, errors.ErrUnsupported):
		// What was done stays, and another import goes on from there.
		done = m.newImporter(m.Store, false, dump, o)
		done.found = found
		err = done.run(ctx)
	}
	if err != nil {
		return ImportReport{}, err
	}
	return done.report, nil
}

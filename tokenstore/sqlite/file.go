// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// applicationID tells our files from those of other programs.
const applicationID = 0x72656173

// dsn names the file to SQLite. It is never created by being opened.
func dsn(path, mode string, busy time.Duration, pragmas ...string) string {
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // C:/…
	}
	query := url.Values{"_txlock": {"immediate"}, "_dqs": {"0"}, "_defensive": {"1"}}
	query.Add("_pragma", "busy_timeout("+strconv.FormatInt(busy.Milliseconds(), 10)+")")
	for _, pragma := range pragmas {
		query.Add("_pragma", pragma)
	}
	uri := url.URL{Scheme: "file", Path: slashed, RawQuery: mode + "&" + query.Encode()}
	return uri.String()
}

// create makes an empty file, and its directory, for the owner alone.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was faster; it is a file without a schema for both
	}
	if err != nil {
		return err
	}
	return file.Close()
}

// contents are what a file says of itself.
type contents struct {
	version int    // of the schema; 0 in a file whose creation was cut short
	id      string // of the store
}

// examine reads a file without changing it or anything beside it.
func examine(ctx context.Context, path string, busy time.Duration) (contents, error) {
	mode := "mode=ro"
	if _, err := os.Stat(path + "-wal"); errors.Is(err, fs.ErrNotExist) {
		// Without a log nobody is writing, and SQLite would make files to read.
		mode = "immutable=1"
	}
	db, err := sql.Open("sqlite", dsn(path, mode, busy, "query_only(1)"))
	if err != nil {
		return contents{}, err
	}
	defer db.Close()
	return read(ctx, db)
}

func read(ctx context.Context, db *sql.DB) (found contents, err error) {
	raw, err := db.Conn(ctx)
	if err != nil {
		return found, err
	}
	conn := sqlstore.NewConn(raw, sqlstore.SQLite)
	defer conn.Close()
	var application, objects int
	if _, err := conn.Row(ctx, `PRAGMA application_id`, nil, &application); err != nil {
		return found, err
	}
	if _, err := conn.Row(ctx, `SELECT count(*) FROM sqlite_schema`, nil, &objects); err != nil {
		return found, err
	}
	if objects == 0 && application == 0 {
		return found, nil
	}
	if application != applicationID {
		return found, errors.New("it is a SQLite database of another program")
	}
	found.version, found.id, err = sqlstore.Version(ctx, conn)
	return found, err
}

// identity is what tells a file from another one of its name.
type identity struct {
	path string
	info fs.FileInfo
}

func identify(path string) (identity, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	return identity{path, info}, err
}

// check fails if the file was deleted or replaced. What is written to a file
// without a name is lost with the process, and SQLite does not notice.
func (i identity) check() error {
	info, err := os.Stat(i.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %s is gone", tokenstore.ErrUnavailable, i.path)
	case err != nil:
		return fmt.Errorf("%w: %w", tokenstore.ErrUnavailable, err)
	case !os.SameFile(info, i.info):
		return fmt.Errorf("%w: %s was replaced by another file", tokenstore.ErrUnavailable, i.path)
	default:
		return nil
	}
}

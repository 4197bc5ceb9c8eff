// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

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

// A moved says that a file is not the open one any more.
type moved struct{ how string }

func (m *moved) Error() string { return m.how }

func (m *moved) Unwrap() error { return tokenstore.ErrUnavailable }

// check fails if the file was deleted or replaced. What is written to a file
// without a name is lost with the process, and SQLite does not notice.
func (i identity) check() error {
	info, err := os.Stat(i.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &moved{i.path + " is gone"}
	case err != nil:
		return &moved{err.Error()}
	case !os.SameFile(info, i.info):
		return &moved{i.path + " was replaced by another file"}
	default:
		return nil
	}
}

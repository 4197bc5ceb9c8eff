// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"go.uber.org/zap"
)

// sortLog sees to it that the log of a lost file is never that of another one.
// SQLite would apply it to any file of the name, and so destroy it. The log goes
// out of the way when another file is found in the place of its own, and comes
// back with it.
func (d *Driver) sortLog(lost *handle) error {
	switch here := lost.file.check() == nil; {
	case here && lost.aside != "":
		if err := moveLog(lost.aside, d.Path+"-wal"); err != nil {
			return err
		}
		lost.aside = ""
	case !here && lost.log.check() == nil:
		if _, err := os.Stat(d.Path); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		aside := d.Path + time.Now().UTC().Format("-20060102T150405") + "-wal"
		if err := moveLog(lost.log.path, aside); err != nil {
			return err
		}
		lost.aside = aside
		d.logger.Warn("another file is in the place of the store, whose log was set aside",
			zap.String("file", d.Path), zap.String("log", aside))
	}
	return nil
}

// moveLog renames a log and its index, which nobody can be using but those who
// have the lost file open.
func moveLog(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	index := func(log string) string { return log[:len(log)-len("wal")] + "shm" }
	if err := os.Rename(index(from), index(to)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

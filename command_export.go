// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func exportCommand() *cobra.Command {
	return action("export", "Writes groups, users and tokens as JSON, one a line, without any secret, hash or digest",
		cobra.NoArgs, func(flags *pflag.FlagSet) {
			flags.StringP("output", "o", "", "Write to this file, which must not exist, instead of standard output")
		}, exportStore)
}

func exportStore(s *invocation) error {
	path := s.String("output")
	if path == "" {
		_, err := s.copyExport(s.out)
		return err
	}
	n, err := writeNew(path, s.copyExport)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.err, "wrote %d bytes to %s\n", n, path)
	return nil
}

func (s *invocation) copyExport(w io.Writer) (int64, error) {
	answer, err := s.send(http.MethodGet, "export", nil)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	n, err := io.Copy(w, answer.Body)
	if err != nil {
		return n, fmt.Errorf("exporting: %w", err)
	}
	return n, nil
}

// writeNew makes a file that is readable by its owner only and appears under its
// name when it is whole.
func writeNew(path string, write func(io.Writer) (int64, error)) (int64, error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("%s exists already, or cannot be looked at", path)
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".part-*")
	if err != nil {
		return 0, fmt.Errorf("creating the file: %w", err)
	}
	n, err := write(file)
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return n, errors.Join(err, os.Remove(file.Name()))
	}
	// Link, unlike Rename, replaces nothing that appeared meanwhile.
	if err := errors.Join(os.Link(file.Name(), path), os.Remove(file.Name())); err != nil {
		return n, fmt.Errorf("naming the file: %w", err)
	}
	return n, nil
}

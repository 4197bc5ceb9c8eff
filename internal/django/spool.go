// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// A spool is a list that is written once and may be read often. Its file is
// readable by its owner only and has no name where the system allows that, so
// that a process that is killed leaves nothing behind.
type spool struct {
	file    *os.File
	unnamed bool
	writer  *bufio.Writer
	encoder *json.Encoder
}

func newSpool(dir string) (*spool, error) {
	file, err := os.CreateTemp(dir, "rest-auth-import-*")
	if err != nil {
		return nil, fmt.Errorf("creating a temporary file: %w", err)
	}
	s := &spool{file: file, unnamed: os.Remove(file.Name()) == nil}
	s.writer = bufio.NewWriterSize(file, bufferSize)
	s.encoder = json.NewEncoder(s.writer)
	s.encoder.SetEscapeHTML(false)
	return s, nil
}

func (s *spool) add(value any) error {
	if err := s.encoder.Encode(value); err != nil {
		return fmt.Errorf("writing a temporary file: %w", err)
	}
	return nil
}

// each decodes every value anew into what fresh returns, and calls use.
func each[T any](s *spool, use func(T) error) error {
	if err := s.writer.Flush(); err != nil {
		return fmt.Errorf("writing a temporary file: %w", err)
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("reading a temporary file: %w", err)
	}
	decoder := json.NewDecoder(bufio.NewReaderSize(s.file, bufferSize))
	for {
		var value T
		if err := decoder.Decode(&value); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading a temporary file: %w", err)
		}
		if err := use(value); err != nil {
			return err
		}
	}
}

func (s *spool) close() error {
	err := s.file.Close()
	if !s.unnamed {
		err = errors.Join(err, os.Remove(s.file.Name()))
	}
	if err != nil {
		return fmt.Errorf("removing a temporary file: %w", err)
	}
	return nil
}

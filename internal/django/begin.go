// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import (
	"bytes"
	"errors"
	"io"
)

var (
	errTrailing   = errors.New("there is something after the end of the list of records")
	errTwice      = errors.New("a member is there twice")
	errUTF16      = errors.New("the dump is UTF-16, as PowerShell's > writes it; use dumpdata's --output")
	errCompressed = errors.New("the dump is compressed; unpack it first, as by gunzip -c dump.json.gz | caddy rest-auth import -")
	errXML        = errors.New("this is XML; dump with --format json")
	errOther      = errors.New("this is no JSON; dump with --format json")
	errUnsorted   = errors.New("the model comes after fields that are too long to wait for it; dumpdata writes it first")
)

// isOurs reports whether an error says what is wrong with the dump, and not with
// reading it.
func isOurs(err error) bool {
	for _, ours := range []error{
		errTruncated, errSyntax, errDepth, errEncoding, errTrailing, errTwice,
		errUTF16, errCompressed, errXML, errOther, errUnsorted, errBounds,
	} {
		if errors.Is(err, ours) {
			return true
		}
	}
	return false
}

// begin looks at how the dump begins, and reports whether it is one record a
// line.
func (s *scanner) begin() (lines bool, err error) {
	head := make([]byte, 3)
	n, err := io.ReadFull(s.r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, err
	}
	head = head[:n]
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")), bytes.IndexByte(head, 0) >= 0:
		return false, errUTF16
	case bytes.HasPrefix(head, []byte("\x1f\x8b")), bytes.HasPrefix(head, []byte("BZh")), bytes.HasPrefix(head, []byte("\xfd7z")):
		return false, errCompressed
	case bytes.Equal(head, []byte("\xef\xbb\xbf")):
		head = nil
	}
	s.r = io.MultiReader(bytes.NewReader(head), s.r)
	switch c, err := s.peek(); {
	case errors.Is(err, io.EOF):
		return true, nil
	case err != nil:
		return false, err
	case c == '[', c == '{':
		return c == '{', nil
	case c == '<':
		return false, errXML
	}
	return false, errOther
}

// capture reads a value and keeps its bytes, limit at most.
func (s *scanner) capture(limit int) ([]byte, error) {
	s.tap, s.tapFrom = make([]byte, 0, 1<<10), s.pos
	s.tapLimit = limit
	err := s.skip()
	s.tapped()
	kept := s.tap
	s.tap = nil
	if err == nil && len(kept) > limit {
		err = errUnsorted
	}
	return kept, err
}

// tapped adds what was read to the value that is captured. Beyond the limit one
// byte shows that there was more.
func (s *scanner) tapped() {
	if s.tap == nil {
		return
	}
	piece := s.buf[s.tapFrom:s.pos]
	if room := s.tapLimit + 1 - len(s.tap); len(piece) > room {
		piece = piece[:room]
	}
	s.tap = append(s.tap, piece...)
	s.tapFrom = 0
}

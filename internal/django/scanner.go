// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	// maxDepth is how deep values may be nested. Python itself gives up at about
	// as much.
	maxDepth = 1000

	// maxLiteral is the length of the longest number that is read.
	maxLiteral = 1 << 10

	bufferSize = 64 << 10
)

var (
	errTruncated = errors.New("the dump ends in the middle of a record: it was cut short, or manage.py stopped with an error")
	errSyntax    = errors.New("this is not the JSON that manage.py dumpdata writes")
	errEncoding  = errors.New("a text is not UTF-8; set PYTHONUTF8=1 and dump again")
	errDepth     = fmt.Errorf("values are nested more than %d levels deep", maxDepth)
)

// A scanner reads JSON value by value and holds none that it was not asked for.
// It takes what Python writes: NaN and the infinities are numbers.
type scanner struct {
	r        io.Reader
	buf      []byte
	pos, end int

	// What capture collects, from a place in buf on.
	tap               []byte
	tapFrom, tapLimit int
}

func newScanner(r io.Reader) *scanner {
	return &scanner{r: r, buf: make([]byte, bufferSize)}
}

// fill reads more, and reports io.EOF at the end.
func (s *scanner) fill() error {
	s.pos = s.end
	s.tapped()
	for range 100 {
		n, err := s.r.Read(s.buf)
		s.pos, s.end = 0, n
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// next returns the next byte.
func (s *scanner) next() (byte, error) {
	if s.pos == s.end {
		if err := s.fill(); err != nil {
			return 0, cutShort(err)
		}
	}
	c := s.buf[s.pos]
	s.pos++
	return c, nil
}

func cutShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errTruncated
	}
	return err
}

// peek returns the next byte that is no white space and leaves it there. At the
// end of the input the error is io.EOF.
func (s *scanner) peek() (byte, error) {
	for {
		for ; s.pos < s.end; s.pos++ {
			switch c := s.buf[s.pos]; c {
			case ' ', '\t', '\r', '\n':
			default:
				return c, nil
			}
		}
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
}

// inside is peek where the input must not end.
func (s *scanner) inside() (byte, error) {
	c, err := s.peek()
	return c, cutShort(err)
}

// object reads an object. Member is called for each name, and reads the value.
// A name longer than maxName is given cut.
func (s *scanner) object(member func(name string) error) error {
	return s.list('{', '}', func() error {
		name, _, err := s.text(maxName)
		if err != nil {
			return err
		}
		if c, err := s.inside(); err != nil {
			return err
		} else if c != ':' {
			return errSyntax
		}
		s.pos++
		return member(name)
	})
}

// array reads an array. Element reads each value.
func (s *scanner) array(element func() error) error { return s.list('[', ']', element) }

func (s *scanner) list(open, closing byte, item func() error) error {
	if c, err := s.inside(); err != nil {
		return err
	} else if c != open {
		return errSyntax
	}
	s.pos++
	c, err := s.inside()
	if err != nil {
		return err
	}
	if c == closing {
		s.pos++
		return nil
	}
	for {
		if _, err := s.inside(); err != nil {
			return err
		}
		if err := item(); err != nil {
			return err
		}
		c, err := s.inside()
		if err != nil {
			return err
		}
		s.pos++
		switch c {
		case ',':
		case closing:
			return nil
		default:
			return errSyntax
		}
	}
}

// skip reads a value and forgets it.
func (s *scanner) skip() error { return s.skipBelow(0) }

func (s *scanner) skipBelow(depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	c, err := s.inside()
	if err != nil {
		return err
	}
	switch c {
	case '{':
		return s.list('{', '}', func() error {
			if err := s.skipText(); err != nil {
				return err
			}
			if c, err := s.inside(); err != nil {
				return err
			} else if c != ':' {
				return errSyntax
			}
			s.pos++
			return s.skipBelow(depth + 1)
		})
	case '[':
		return s.array(func() error { return s.skipBelow(depth + 1) })
	case '"':
		return s.skipText()
	default:
		_, err := s.literal()
		return err
	}
}

// literal reads a number, true, false or null.
func (s *scanner) literal() (string, error) {
	var text []byte
	for {
		if s.pos == s.end {
			if err := s.fill(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return "", err
			}
		}
		c := s.buf[s.pos]
		if !isLiteral(c) {
			break
		}
		if len(text) == maxLiteral {
			return "", errSyntax
		}
		text = append(text, c)
		s.pos++
	}
	switch string(text) {
	case "NaN", "Infinity", "-Infinity":
		return string(text), nil
	}
	if len(text) == 0 || !json.Valid(text) {
		return "", errSyntax
	}
	return string(text), nil
}

func isLiteral(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || c == '+' || c == '.'
}

// skipText reads a string and forgets it. Escapes are not looked into.
func (s *scanner) skipText() error {
	if err := s.quote(); err != nil {
		return err
	}
	for {
		c, err := s.plain()
		if err != nil {
			return err
		}
		switch c {
		case '"':
			return nil
		case '\\':
			if _, err := s.next(); err != nil {
				return err
			}
		default:
			return errSyntax
		}
	}
}

// plain skips to the next byte that means something in a string, and returns it.
func (s *scanner) plain() (byte, error) {
	for {
		for i, c := range s.buf[s.pos:s.end] {
			if c == '"' || c == '\\' || c < ' ' {
				s.pos += i + 1
				return c, nil
			}
		}
		if err := s.fill(); err != nil {
			return 0, cutShort(err)
		}
	}
}

func (s *scanner) quote() error {
	c, err := s.inside()
	if err != nil {
		return err
	}
	if c != '"' {
		return errSyntax
	}
	s.pos++
	return nil
}

// text reads a string, of which it keeps limit bytes and one character at most,
// and reports whether there was more.
func (s *scanner) text(limit int) (text string, more bool, err error) {
	if err := s.quote(); err != nil {
		return "", false, err
	}
	var kept []byte
	for {
		c, err := s.next()
		if err != nil {
			return "", false, err
		}
		var char [utf8.UTFMax]byte
		n := 1
		char[0] = c
		switch {
		case c == '"':
			if !more && !utf8.Valid(kept) {
				return "", false, errEncoding
			}
			return string(kept), more, nil
		case c < ' ':
			return "", false, errSyntax
		case c == '\\':
			r, err := s.escape()
			if err != nil {
				return "", false, err
			}
			n = utf8.EncodeRune(char[:], r)
		}
		if len(kept) >= limit {
			more = true
			continue
		}
		kept = append(kept, char[:n]...)
	}
}

// escape reads what follows a backslash.
func (s *scanner) escape() (rune, error) {
	c, err := s.next()
	if err != nil {
		return 0, err
	}
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
	default:
		return 0, errSyntax
	}
	high, err := s.hex()
	if err != nil || !utf16.IsSurrogate(high) {
		return high, err
	}
	for _, want := range []byte{'\\', 'u'} {
		if c, err := s.next(); err != nil {
			return 0, err
		} else if c != want {
			return 0, errEncoding
		}
	}
	low, err := s.hex()
	if err != nil {
		return 0, err
	}
	r := utf16.DecodeRune(high, low)
	if r == utf8.RuneError {
		return 0, errEncoding
	}
	return r, nil
}

func (s *scanner) hex() (r rune, err error) {
	for range 4 {
		c, err := s.next()
		if err != nil {
			return 0, err
		}
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, errSyntax
		}
		r = r<<4 | rune(c)
	}
	return r, nil
}

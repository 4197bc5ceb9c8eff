// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package drf

import (
	"fmt"
	"strings"
)

const (
	// maxDepth is how deep arrays and objects may lie in each other. Python's
	// stack ends near a thousand.
	maxDepth = 900

	// maxDigits is how long a whole number may be, as in Python.
	maxDigits = 4300
)

// A scanner reads JSON as Python's json module does, which takes the last of
// two members of one name, and says what is wrong in its words. Its values are
// nil, bool, number, string, []any and map[string]any.
type scanner struct {
	text string
	pos  int
}

// A scanError is what json says of malformed text.
type scanError struct{ text string }

func (e *scanError) Error() string { return e.text }

func parseJSON(text string) (value any, err error) {
	s := &scanner{text: text}
	if strings.HasPrefix(text, "\ufeff") {
		return nil, s.fail("Unexpected UTF-8 BOM (decode using utf-8-sig)", 0)
	}
	s.blanks()
	if value, err = s.value(0); err != nil {
		return nil, err
	}
	s.blanks()
	if s.pos < len(text) {
		return nil, s.fail("Extra data", s.pos)
	}
	return value, nil
}

// fail says where the text is malformed, in characters.
func (s *scanner) fail(message string, at int) error {
	before := s.text[:min(at, len(s.text))]
	line := strings.Count(before, "\n") + 1
	column := length(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return &scanError{fmt.Sprintf("%s: line %d column %d (char %d)", message, line, column, length(before))}
}

func (s *scanner) blanks() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// at reports whether c is next.
func (s *scanner) at(c byte) bool { return s.pos < len(s.text) && s.text[s.pos] == c }

// take steps over a word if it is next.
func (s *scanner) take(word string) bool {
	if !strings.HasPrefix(s.text[s.pos:], word) {
		return false
	}
	s.pos += len(word)
	return true
}

func (s *scanner) value(depth int) (any, error) {
	switch {
	case s.at('"'):
		return s.str()
	case s.at('{'):
		if depth == maxDepth {
			return nil, &scanError{"maximum recursion depth exceeded while decoding a JSON object from a unicode string"}
		}
		return s.object(depth + 1)
	case s.at('['):
		if depth == maxDepth {
			return nil, &scanError{"maximum recursion depth exceeded while decoding a JSON array from a unicode string"}
		}
		return s.array(depth + 1)
	case s.take("null"):
		return nil, nil
	case s.take("true"):
		return true, nil
	case s.take("false"):
		return false, nil
	}
	for _, constant := range []string{"NaN", "Infinity", "-Infinity"} {
		if s.take(constant) {
			return nil, &scanError{"Out of range float values are not JSON compliant: '" + constant + "'"}
		}
	}
	return s.number()
}

func (s *scanner) object(depth int) (any, error) {
	members := map[string]any{}
	s.pos++
	s.blanks()
	if s.at('}') {
		s.pos++
		return members, nil
	}
	for {
		if !s.at('"') {
			return nil, s.fail("Expecting property name enclosed in double quotes", s.pos)
		}
		name, err := s.str()
		if err != nil {
			return nil, err
		}
		s.blanks()
		if !s.at(':') {
			return nil, s.fail("Expecting ':' delimiter", s.pos)
		}
		s.pos++
		s.blanks()
		value, err := s.value(depth)
		if err != nil {
			return nil, err
		}
		members[name] = value
		if done, err := s.next('}'); done || err != nil {
			return members, err
		}
	}
}

func (s *scanner) array(depth int) (any, error) {
	items := []any{}
	s.pos++
	s.blanks()
	if s.at(']') {
		s.pos++
		return items, nil
	}
	for {
		value, err := s.value(depth)
		if err != nil {
			return nil, err
		}
		items = append(items, value)
		if done, err := s.next(']'); done || err != nil {
			return items, err
		}
	}
}

// next steps over a comma, or over the end.
func (s *scanner) next(end byte) (done bool, err error) {
	s.blanks()
	switch {
	case s.at(end):
		s.pos++
		return true, nil
	case !s.at(','):
		return false, s.fail("Expecting ',' delimiter", s.pos)
	}
	s.pos++
	s.blanks()
	return false, nil
}

func (s *scanner) number() (any, error) {
	start := s.pos
	if s.at('-') {
		s.pos++
	}
	switch {
	case s.at('0'):
		s.pos++
	case s.digits() == 0:
		return nil, s.fail("Expecting value", start)
	}
	whole := s.pos
	if s.at('.') {
		s.pos++
		if s.digits() == 0 {
			s.pos = whole
		}
	}
	mantissa := s.pos
	if s.at('e') || s.at('E') {
		s.pos++
		if s.at('+') || s.at('-') {
			s.pos++
		}
		if s.digits() == 0 {
			s.pos = mantissa
		}
	}
	text := s.text[start:s.pos]
	switch {
	case s.pos > whole:
		return floatNumber(text), nil
	case len(strings.TrimPrefix(text, "-")) > maxDigits:
		return nil, &scanError{fmt.Sprintf("Exceeds the limit (%d digits) for integer string conversion: value has %d digits; "+
			"use sys.set_int_max_str_digits() to increase the limit", maxDigits, len(strings.TrimPrefix(text, "-")))}
	case text == "-0":
		text = "0"
	}
	return number{text: text}, nil
}

// digits steps over digits and returns how many there were.
func (s *scanner) digits() int {
	start := s.pos
	for s.pos < len(s.text) && '0' <= s.text[s.pos] && s.text[s.pos] <= '9' {
		s.pos++
	}
	return s.pos - start
}

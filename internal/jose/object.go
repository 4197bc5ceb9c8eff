// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"strings"
	"unicode/utf8"
)

// Bounds of a JSON text, far above what any issuer needs.
const (
	maxDepth   = 16
	maxMembers = 512
	maxNumber  = 64 // characters
)

// A member of an object. Its value is JSON, as it stands in the text.
type member struct{ name, value string }

// An object is the members of a JSON object in their order.
type object []member

// find compares names exactly, unlike encoding/json.
func (o object) find(name string) *member {
	for i := range o {
		if o[i].name == name {
			return &o[i]
		}
	}
	return nil
}

// text returns a member that is a string.
func (o object) text(name string) (value string, ok bool, err error) {
	m := o.find(name)
	if m == nil {
		return "", false, nil
	}
	if m.value[0] != '"' {
		return "", false, ErrClaim
	}
	return unquote(m.value), true, nil
}

// misspelled reports whether a member has one of the names in another case.
func (o object) misspelled(names []string) bool {
	for i := range o {
		// The folding of Unicode makes other letters of two or three bytes equal
		// to those of the names, as ſ to s.
		name := o[i].name
		if len(name) < 3 || len(name) > 8 {
			continue
		}
		for _, known := range names {
			if name[0]|0x20 != known[0] && name[0] < utf8.RuneSelf || name == known {
				continue
			}
			if strings.EqualFold(name, known) {
				return true
			}
		}
	}
	return false
}

// scan reads a text that is one JSON object of RFC 8259, and valid UTF-8. It
// refuses members of one name in any object, however the name is spelled,
// surrogates without their half, NUL, and what is beyond the bounds. Members
// are appended to found.
func scan(text string, found object) (object, error) {
	s := scanner{text: text}
	s.space()
	if s.peek() != '{' {
		return nil, errJSON
	}
	found, err := s.object(1, found)
	if err != nil {
		return nil, err
	}
	if s.space(); s.at != len(text) {
		return nil, errJSON
	}
	return found, nil
}

type scanner struct {
	text    string
	at      int
	members int
}

// peek returns 0 at the end, and for NUL, which stands nowhere.
func (s *scanner) peek() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

func (s *scanner) space() {
	if s.at < len(s.text) && s.text[s.at] <= ' ' {
		s.blanks()
	}
}

func (s *scanner) blanks() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// object reads an object of which the brace is next, and appends its members.
func (s *scanner) object(depth int, found object) (object, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	s.at++
	s.space()
	if s.peek() == '}' {
		s.at++
		return found, nil
	}
	if found == nil {
		found = make(object, 0, 8)
	}
	var names names
	for {
		if s.peek() != '"' {
			return nil, errJSON
		}
		start := s.at
		escaped, err := s.quoted()
		if err != nil {
			return nil, err
		}
		name := s.text[start+1 : s.at-1]
		if escaped {
			name = unquote(s.text[start:s.at])
		}
		if s.members++; s.members > maxMembers {
			return nil, errMembers
		}
		if names.twice(name, found) {
			return nil, errDuplicate
		}
		s.space()
		if s.peek() != ':' {
			return nil, errJSON
		}
		s.at++
		s.space()
		start = s.at
		if err := s.value(depth); err != nil {
			return nil, err
		}
		found = append(found, member{name, s.text[start:s.at]})
		s.space()
		switch s.peek() {
		case ',':
			s.at++
			s.space()
		case '}':
			s.at++
			return found, nil
		default:
			return nil, errJSON
		}
	}
}

func (s *scanner) array(depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	s.at++
	s.space()
	if s.peek() == ']' {
		s.at++
		return nil
	}
	for {
		if err := s.value(depth); err != nil {
			return err
		}
		s.space()
		switch s.peek() {
		case ',':
			s.at++
			s.space()
		case ']':
			s.at++
			return nil
		default:
			return errJSON
		}
	}
}

// value reads a value within what is depth levels deep.
func (s *scanner) value(depth int) error {
	switch c := s.peek(); c {
	case '"':
		_, err := s.quoted()
		return err
	case '{':
		_, err := s.object(depth+1, nil)
		return err
	case '[':
		return s.array(depth + 1)
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		return s.number()
	}
}

func (s *scanner) literal(word string) error {
	if !strings.HasPrefix(s.text[s.at:], word) {
		return errJSON
	}
	s.at += len(word)
	return nil
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what is read of a record, in bytes unless it says characters.
const (
	maxName  = 1 << 10 // of a member, a model, a primary key, a part of a natural key
	maxText  = 4 << 10 // of any other text
	maxParts = 8       // of a natural key
	maxRefs  = 10_000  // of one list
)

// A mistake is a problem of the record that is being read; reading goes on with
// the next one.
type mistake struct{ text string }

func (m *mistake) Error() string { return m.text }

func wrong(format string, args ...any) error { return &mistake{fmt.Sprintf(format, args...)} }

// A ref names another record: by its primary key, or by its natural key.
type ref struct {
	PK      string   `json:"p,omitempty"`
	Natural []string `json:"n,omitempty"`
}

func (r ref) none() bool { return r.PK == "" && len(r.Natural) == 0 }

// String is the reference for people.
func (r ref) String() string {
	if len(r.Natural) > 0 {
		return fmt.Sprintf("%q", r.Natural)
	}
	return clip(r.PK)
}

// clip shortens what somebody else wrote, and spells out what does not print.
func clip(text string) string {
	const most = 60
	if utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most]) + "…"
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) }) {
		return fmt.Sprintf("%q", text)
	}
	return text
}

// text reads a string. null is empty, and a whole number is its digits, since a
// custom model may have numbers for names.
func (f *field) text(limit int) (string, error) {
	c, err := f.s.inside()
	if err != nil {
		return "", err
	}
	switch c {
	case '"':
		text, more, err := f.s.text(limit)
		if err == nil && more {
			return "", f.wrong("longer than %d bytes", limit)
		}
		return text, err
	case '{', '[':
		return "", either(f.s.skip(), f.wrong("not a text"))
	}
	literal, err := f.s.literal()
	if err != nil || literal == "null" {
		return "", err
	}
	if !isWhole(literal) {
		return "", f.wrong("not a text")
	}
	return literal, nil
}

// cut reads a string of which the rest may be dropped, and reports whether it was.
func (f *field) cut(limit int) (text string, more bool, err error) {
	c, err := f.s.inside()
	if err != nil {
		return "", false, err
	}
	if c == '"' {
		return f.s.text(limit)
	}
	text, err = f.text(limit)
	return text, false, err
}

func isWhole(literal string) bool {
	digits := strings.TrimPrefix(literal, "-")
	return digits != "" && len(digits) <= 40 && strings.Trim(digits, "0123456789") == ""
}

// flag reads true or false.
func (f *field) flag() (bool, error) {
	c, err := f.s.inside()
	if err != nil {
		return false, err
	}
	if c == '"' || c == '{' || c == '[' {
		return false, either(f.s.skip(), f.wrong("neither true nor false"))
	}
	switch literal, err := f.s.literal(); {
	case err != nil:
		return false, err
	case literal == "true", literal == "false":
		return literal == "true", nil
	}
	return false, f.wrong("neither true nor false")
}

// ref reads a primary key or a natural key; null is none.
func (f *field) ref() (ref, error) {
	c, err := f.s.inside()
	if err != nil {
		return ref{}, err
	}
	if c != '[' {
		text, err := f.text(maxName)
		return ref{PK: text}, err
	}
	var natural []string
	var bad error
	err = f.s.array(func() error {
		if len(natural) == maxParts {
			if bad == nil {
				bad = f.wrong("a natural key of more than %d parts", maxParts)
			}
			return f.s.skip()
		}
		part, err := f.text(maxName)
		natural = append(natural, part)
		return keep(&bad, err)
	})
	if err == nil && bad == nil && len(natural) == 0 {
		bad = f.wrong("an empty natural key")
	}
	return ref{Natural: natural}, either(err, bad)
}

// refs reads a list of references.
func (f *field) refs() ([]ref, error) {
	c, err := f.s.inside()
	if err != nil {
		return nil, err
	}
	if c != '[' {
		if text, err := f.text(maxName); err != nil || text != "" {
			return nil, either(err, f.wrong("not a list"))
		}
		return nil, nil
	}
	var list []ref
	var bad error
	err = f.s.array(func() error {
		if len(list) == maxRefs {
			if bad == nil {
				bad = f.wrong("more than %d entries", maxRefs)
			}
			return f.s.skip()
		}
		r, err := f.ref()
		if err == nil && r.none() {
			err = f.wrong("an entry is empty")
		}
		list = append(list, r)
		return keep(&bad, err)
	})
	return list, either(err, bad)
}

// keep puts a mistake aside, so that the rest of the value is read.
func keep(bad *error, err error) error {
	if fatal(err) {
		return err
	}
	if err != nil {
		*bad = err
	}
	return nil
}

// fatal reports whether reading cannot go on.
func fatal(err error) bool {
	m := (*mistake)(nil)
	return err != nil && !errors.As(err, &m)
}

// either is the error that ends reading, or else the mistake.
func either(err, bad error) error {
	if err != nil {
		return err
	}
	return bad
}

// A field is a member of "fields" under way.
type field struct {
	s    *scanner
	name string
}

func (f *field) wrong(format string, args ...any) error {
	return wrong("%s: %s", f.name, fmt.Sprintf(format, args...))
}

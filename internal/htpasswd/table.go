// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package htpasswd reads the files of Apache's htpasswd: a user a line, the
// name, a colon and the hash of the password. What is changed in a file holds
// within a second.
package htpasswd

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
)

const (
	// maxSize is the size of the largest file that is read.
	maxSize = 256 << 20

	// maxLine is the length in bytes of the longest line. A hash has some
	// hundred, a name six hundred at most.
	maxLine = 4 << 10
)

// table holds the users of a file without a pointer to any of them: the
// garbage collector would pay for those on every request.
type table struct {
	text   []byte   // <name>:<hash>\n, again and again
	places []uint32 // where each user begins, in the order of the names
}

func (t *table) len() int { return len(t.places) }

// find returns the hash of the user of that canonical name.
func (t *table) find(name string) (hash string, ok bool) {
	at, found := slices.BinarySearchFunc(t.places, []byte(name), func(place uint32, name []byte) int {
		return bytes.Compare(t.name(place), name)
	})
	if !found {
		return "", false
	}
	line := t.text[t.places[at]:]
	line = line[:bytes.IndexByte(line, '\n')]
	return string(line[bytes.IndexByte(line, ':')+1:]), true
}

func (t *table) name(place uint32) []byte {
	line := t.text[place:]
	return line[:bytes.IndexByte(line, ':')]
}

// parse reads the text of a file. Its error names the first line that is
// wrong, and never quotes a hash. Check says whether a hash can be verified.
func parse(text []byte, check func(hash string) error) (*table, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	t := &table{text: make([]byte, 0, len(text)+1)}
	var lines []int // of places
	var faults faultList
	number := 0
	for line := range bytes.SplitSeq(text, []byte{'\n'}) {
		number++
		line = bytes.TrimRight(line, "\r\t ")
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		name, hash, err := parseLine(line, check)
		if err != nil {
			faults.add(number, err)
			continue
		}
		t.places = append(t.places, uint32(len(t.text)))
		lines = append(lines, number)
		t.text = append(t.text, name+":"+hash+"\n"...)
	}
	asWritten := slices.Clone(t.places)
	lineOf := func(place uint32) int {
		at, _ := slices.BinarySearch(asWritten, place)
		return lines[at]
	}
	slices.SortFunc(t.places, func(a, b uint32) int {
		return cmp.Or(bytes.Compare(t.name(a), t.name(b)), cmp.Compare(a, b))
	})
	for i := 1; i < len(t.places); i++ {
		if bytes.Equal(t.name(t.places[i-1]), t.name(t.places[i])) {
			faults.add(lineOf(t.places[i]), fmt.Errorf("the user is that of line %d", lineOf(t.places[i-1])))
		}
	}
	return t, faults.err()
}

func parseLine(line []byte, check func(hash string) error) (name, hash string, err error) {
	if len(line) > maxLine {
		return "", "", fmt.Errorf("longer than %d bytes", maxLine)
	}
	if !utf8.Valid(line) {
		return "", "", errors.New("not UTF-8")
	}
	name, hash, ok := strings.Cut(string(line), ":")
	if !ok {
		return "", "", errors.New("no name, colon and hash")
	}
	// What follows the hash is a comment, as it is to Apache.
	hash, _, _ = strings.Cut(hash, ":")
	name = users.Canonical(name)
	if err := users.CheckLogin(name); err != nil {
		return "", "", err
	}
	if hash == "" {
		return "", "", errors.New("no hash")
	}
	// With '!' before it, nobody can log in with the hash, on purpose.
	if err := check(hash); err != nil && !errors.Is(err, password.ErrUnusable) {
		return "", "", err
	}
	return name, hash, nil
}

// faultList keeps the fault of the first line and counts the others.
type faultList struct {
	line  int
	cause error
	more  int
}

func (f *faultList) add(line int, cause error) {
	if f.cause == nil {
		f.line, f.cause = line, cause
		return
	}
	if line < f.line {
		f.line, f.cause = line, cause
	}
	f.more++
}

func (f *faultList) err() error {
	switch {
	case f.cause == nil:
		return nil
	case f.more == 0:
		return fmt.Errorf("line %d: %w", f.line, f.cause)
	}
	return fmt.Errorf("line %d: %w; and %d more", f.line, f.cause, f.more)
}

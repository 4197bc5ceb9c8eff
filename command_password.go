// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// maxPasswordInput bounds what is read in search of a password; the API
// accepts less.
const maxPasswordInput = 8 << 10

func passwordFlags(flags *pflag.FlagSet) {
	flags.Bool("password-stdin", false, "Read the password from standard input")
	flags.String("password-file", "", "Read the password from a file")
	flags.Bool("no-password", false, "Nobody can log in with a password")
}

// password returns what the flags name or the terminal answers, and nil for no
// password.
func (s *invocation) password(prompt string) (*string, error) {
	file := s.String("password-file")
	chosen := 0
	for _, given := range []bool{s.Bool("password-stdin"), file != "", s.Bool("no-password")} {
		if given {
			chosen++
		}
	}
	switch {
	case chosen > 1:
		return nil, errors.New("--password-stdin, --password-file and --no-password exclude each other")
	case s.Bool("no-password"):
		return nil, nil
	case s.Bool("password-stdin"):
		return readPassword(s.in)
	case file != "":
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("reading the password: %w", err)
		}
		defer f.Close()
		return readPassword(f)
	}
	return s.askPassword(prompt)
}

// readPassword reads all there is, without the end of its line.
func readPassword(r io.Reader) (*string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxPasswordInput+1))
	if err != nil {
		return nil, fmt.Errorf("reading the password: %w", err)
	}
	if len(text) > maxPasswordInput {
		return nil, errors.New("reading the password: it is too long")
	}
	if line, ok := bytes.CutSuffix(text, []byte("\n")); ok {
		text = bytes.TrimSuffix(line, []byte("\r"))
	}
	if bytes.ContainsAny(text, "\r\n") {
		return nil, errors.New("reading the password: there is more than one line")
	}
	return passwordOf(text)
}

// passwordOf refuses what JSON would change on its way.
func passwordOf(text []byte) (*string, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("reading the password: it must be UTF-8")
	}
	password := string(text)
	return &password, nil
}

// askPassword asks twice, without an echo.
func (s *invocation) askPassword(prompt string) (*string, error) {
	terminal, ok := s.in.(*os.File)
	if !ok || !term.IsTerminal(int(terminal.Fd())) {
		return nil, errors.New("there is no terminal to ask at; use --password-stdin, --password-file or --no-password")
	}
	var answers [2][]byte
	for i, question := range []string{prompt, "The same again"} {
		fmt.Fprint(s.err, cell(question), ": ")
		answer, err := term.ReadPassword(int(terminal.Fd()))
		fmt.Fprintln(s.err)
		if err != nil {
			return nil, fmt.Errorf("reading the password: %w", err)
		}
		answers[i] = answer
	}
	if !bytes.Equal(answers[0], answers[1]) {
		return nil, errors.New("the two passwords differ")
	}
	return passwordOf(answers[0])
}

// confirm asks a question at the terminal; anything but yes is an error.
func (s *invocation) confirm(question string) error {
	terminal, ok := s.in.(*os.File)
	if !ok || !term.IsTerminal(int(terminal.Fd())) {
		return errors.New("there is no terminal to ask at; use --yes")
	}
	fmt.Fprint(s.err, question, " [y/N] ")
	answer, err := bufio.NewReader(terminal).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errors.New("nothing was done")
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import (
	"errors"
	"fmt"
	"strings"
)

// maxProblems is how many problems are named; more are counted.
const maxProblems = 100

// errTooMany stands in for the problems beyond those that are named.
var errTooMany = errors.New("too many problems")

// A Problem is what is wrong with one record. It holds no secret: neither the
// password of a user nor the key of a token.
type Problem struct {
	Row   int    `json:"row,omitempty"`   // from 1; 0 is the dump as a whole
	Model string `json:"model,omitempty"` // as auth.user
	PK    string `json:"pk,omitempty"`    // empty for tokens, whose key it is
	Text  string `json:"text"`
}

// String is the problem in one line.
func (p Problem) String() string {
	if p.Row == 0 {
		return p.Text
	}
	var b strings.Builder
	fmt.Fprintf(&b, "row %d", p.Row)
	if p.Model != "" {
		fmt.Fprintf(&b, " (%s", p.Model)
		if p.PK != "" {
			fmt.Fprintf(&b, " %s", p.PK)
		}
		b.WriteByte(')')
	}
	return b.String() + ": " + p.Text
}

// A BadDumpError is why a dump cannot be imported.
type BadDumpError struct {
	List []Problem
	More bool // there were more than are listed

	// Advice is how to make a dump without these problems, if that is known.
	Advice string
}

// Error is the first of them, and how many there are.
func (p *BadDumpError) Error() string {
	switch {
	case p.More:
		return fmt.Sprintf("the dump has more than %d problems, the first in %s", len(p.List), p.List[0])
	case len(p.List) > 1:
		return fmt.Sprintf("the dump has %d problems, the first in %s", len(p.List), p.List[0])
	}
	return p.List[0].String()
}

// add notes a problem. It returns errTooMany once there are enough.
func (p *BadDumpError) add(problem Problem) error {
	if len(p.List) == maxProblems {
		p.More = true
		return errTooMany
	}
	p.List = append(p.List, problem)
	return nil
}

// err is nil if there are none.
func (p *BadDumpError) err() error {
	if len(p.List) == 0 {
		return nil
	}
	return p
}

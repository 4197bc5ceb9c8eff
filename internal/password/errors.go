// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package password

import (
	"errors"
	"fmt"
)

// What callers branch on. The errors of this package say what is wrong with a
// hash, but never quote any of it.
var (
	// ErrBusy says that too many hashes wait already: try again later.
	ErrBusy = errors.New("too many passwords are being hashed")

	// ErrMalformed says that a hash is damaged or of no supported format.
	ErrMalformed = errors.New("password hash is not understood")

	// ErrTooCostly says that verifying a hash would take too much time or
	// memory.
	ErrTooCostly = errors.New("password hash is too costly")

	// ErrWeak says that a hash is of a format that has to be allowed by name.
	ErrWeak = errors.New("password hash is of a weak format")

	// ErrUnusable says that no password matches a hash, on purpose: it is
	// empty, or it starts with "!" as Django writes it. Only Check returns it.
	ErrUnusable = errors.New("password hash is marked as unusable")

	// ErrTooLong says that a password is longer than MaxLength.
	ErrTooLong = errors.New("password is too long")
)

func because(kind error, reason string) error { return fmt.Errorf("%w: %s", kind, reason) }

func malformed(reason string) error { return because(ErrMalformed, reason) }

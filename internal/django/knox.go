// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"strings"
)

// olderTokenKey is the length of the token_key of knox before version 5, which
// hashed the bytes that the token spells and not its text.
const olderTokenKey = 8

// Why a token of knox is left out.
const (
	leftSalted   = "of knox before 4.2, which salted its digests: their users log in again"
	leftHash     = "of a SECURE_HASH_ALGORITHM other than sha512, or since 5.0 sha256: their users log in again"
	leftOutdated = "of knox before 5.0, which this project no longer accepts either"
)

// knoxToken is a token of django-rest-knox: its digest is the primary key.
type knoxToken struct {
	issued
	tokenKey, salt string
}

func (t *knoxToken) field(f *field) (own bool, err error) {
	switch f.name {
	case "token_key":
		t.tokenKey, _, err = f.cut(maxName)
	case "salt":
		t.salt, _, err = f.cut(maxName)
	default:
		return t.issued.field(f)
	}
	return true, err
}

func (t *knoxToken) finish(d *decoder, r *record) error {
	if r.pk == "" {
		return wrong("the token has no digest; dump knox.authtoken with its primary key")
	}
	if err := t.begin(r); err != nil {
		return err
	}
	d.rows[t.Model]++
	if t.Older = len(t.tokenKey) == olderTokenKey; t.tokenKey != "" && !t.Older {
		d.newKnox = true
	}
	digest, err := hex.DecodeString(r.pk)
	switch {
	case err != nil || strings.ToLower(r.pk) != r.pk:
		return wrong("digest: not hexadecimal")
	case d.expired(&t.issued):
		return nil
	case t.salt != "":
		d.leave(t.Model, leftSalted)
		return nil
	case len(digest) != sha512.Size && (len(digest) != sha256.Size || t.Older):
		// No look-up is made of the SHA-256 of the bytes that a token spells.
		d.leave(t.Model, leftHash)
		return nil
	}
	return d.keep(&t.issued, digest)
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import (
	"bytes"
	"compress/zlib"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what Django signed with before 3.1
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"strings"
	"time"
)

// Salts of Django's signatures.
const (
	saltSession       = "django.contrib.sessions.SessionStore" + "signer"
	saltLegacySession = "django.contrib.sessions" + "SessionStore"
	saltAuthHash      = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"
)

// A sessionReader reads what Django's database backend of sessions stores. It
// keeps its buffers from one session to the next.
type sessionReader struct {
	keys    []string // SECRET_KEY, then SECRET_KEY_FALLBACKS
	inflate io.ReadCloser
	scan    *scanner
}

// A login is what a session says of who is logged in.
type login struct {
	user, authHash string
	signed         time.Time // when it was last stored; zero if it does not say
}

// read verifies the data of a session and returns who is logged in, or why it is
// left out. Nothing is unpacked before its signature is verified, and nothing is
// ever unpickled.
func (s *sessionReader) read(data string, more bool) (login, string) {
	switch {
	case len(s.keys) == 0:
		return login{}, leftNoKey
	case more:
		return login{}, leftLarge
	}
	payload, signed, reason := s.verify(data)
	if reason != "" {
		return login{}, reason
	}
	l, reason := s.login(payload)
	if reason != "" {
		return login{}, reason
	}
	l.signed = signed
	return l, ""
}

// verify returns what was signed, unpacked.
func (s *sessionReader) verify(data string) (payload []byte, signed time.Time, reason string) {
	value, signature, ok := cutLast(data)
	if !ok {
		payload, reason = s.verifyLegacy(data)
		return payload, signed, reason
	}
	given, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || !s.signedBy(given, saltSession, value) {
		return nil, signed, leftUnsigned
	}
	value, stamp, ok := cutLast(value)
	if signed, stamped := parseStamp(stamp); ok && stamped {
		payload, reason = s.unpack(value)
		return payload, signed, reason
	}
	return nil, signed, leftUnreadable
}

// verifyLegacy reads the format before Django 3.1, which is
// base64(hex(signature) + ":" + payload).
func (s *sessionReader) verifyLegacy(data string) (payload []byte, reason string) {
	decoded, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return nil, leftUnreadable
	}
	signature, payload, ok := bytes.Cut(decoded, []byte(":"))
	given := make([]byte, sha1.Size)
	if !ok || hex.DecodedLen(len(signature)) != len(given) {
		return nil, leftUnreadable
	}
	if _, err := hex.Decode(given, signature); err != nil {
		return nil, leftUnreadable
	}
	if !s.signedBy(given, saltLegacySession, string(payload)) {
		return nil, leftUnsigned
	}
	return payload, ""
}

// unpack undoes what signing.dumps does to a payload.
func (s *sessionReader) unpack(value string) (payload []byte, reason string) {
	packed, compressed := strings.CutPrefix(value, ".")
	payload, err := base64.RawURLEncoding.DecodeString(packed)
	switch {
	case err != nil:
		return nil, leftUnreadable
	case !compressed:
		return payload, ""
	case s.inflate == nil:
		s.inflate, err = zlib.NewReader(bytes.NewReader(payload))
	default:
		err = s.inflate.(zlib.Resetter).Reset(bytes.NewReader(payload), nil)
	}
	if err != nil {
		return nil, leftUnreadable
	}
	payload, err = io.ReadAll(io.LimitReader(s.inflate, maxSession+1))
	switch {
	case err != nil:
		return nil, leftUnreadable
	case len(payload) > maxSession:
		return nil, leftLarge
	}
	return payload, ""
}

// login reads the dictionary of a session, as JSONSerializer wrote it.
func (s *sessionReader) login(payload []byte) (l login, reason string) {
	if bytes.HasPrefix(payload, []byte{0x80}) {
		return l, leftPickled
	}
	if s.scan == nil {
		s.scan = newScanner(nil)
	}
	s.scan.r, s.scan.pos, s.scan.end = bytes.NewReader(payload), 0, 0
	members := new(record)
	err := s.scan.object(func(name string) (err error) {
		f := &field{s.scan, name}
		switch name {
		case "_auth_user_id":
			l.user, err = f.text(maxKey)
		case "_auth_user_hash":
			l.authHash, err = f.text(maxName)
		default:
			return s.scan.skip()
		}
		return either(err, members.once(name))
	})
	if err == nil {
		if _, end := s.scan.peek(); !errors.Is(end, io.EOF) {
			err = errTrailing
		}
	}
	switch {
	case err != nil:
		return login{}, leftUnreadable
	case l.user == "":
		return login{}, leftAnonymous
	}
	return l, ""
}

// signedBy reports whether a signature is that of a key that was given. Its
// length says by which hash it was made.
func (s *sessionReader) signedBy(signature []byte, salt, value string) bool {
	newHash := sha256.New
	switch len(signature) {
	case sha1.Size:
		newHash = sha1.New
	case sha256.Size:
	default:
		return false
	}
	signs := false
	for _, key := range s.keys {
		signs = hmac.Equal(signature, saltedHMAC(newHash, salt, key, value)) || signs
	}
	return signs
}

// provedBy reports whether a session's hash of its user's password is that of
// this one.
func (s *sessionReader) provedBy(authHash, password string) bool {
	given, err := hex.DecodeString(authHash)
	return err == nil && s.signedBy(given, saltAuthHash, password)
}

// saltedHMAC is django.utils.crypto.salted_hmac.
func saltedHMAC(newHash func() hash.Hash, salt, secret, value string) []byte {
	key := newHash()
	_, _ = io.WriteString(key, salt+secret)
	mac := hmac.New(newHash, key.Sum(nil))
	_, _ = io.WriteString(mac, value)
	return mac.Sum(nil)
}

// cutLast cuts a text at its last colon.
func cutLast(text string) (before, after string, ok bool) {
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+1:], true
}

// parseStamp reads seconds since 1970 to the base 62.
func parseStamp(text string) (time.Time, bool) {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	if text == "" || len(text) > 7 { // until the year 113,000
		return time.Time{}, false
	}
	seconds := int64(0)
	for _, c := range []byte(text) {
		digit := strings.IndexByte(digits, c)
		if digit < 0 {
			return time.Time{}, false
		}
		seconds = seconds*62 + int64(digit)
	}
	return time.Unix(seconds, 0).UTC(), true
}

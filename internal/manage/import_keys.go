// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"
)

// Bounds of the keys that sessions of a dump are verified with.
const (
	maxSecretKeys  = 20
	maxSecretBytes = 16 << 10 // of all, as they are written
)

// ReadSecretKeys reads SECRET_KEY and SECRET_KEY_FALLBACKS as a file has them, one
// a line. Of a line only its end is dropped: all else is part of the key.
func ReadSecretKeys(r io.Reader) ([]string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSecretBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxSecretBytes {
		return nil, errors.New("it is too long for a file of keys")
	}
	var keys []string
	for line := range bytes.Lines(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))) {
		if key := strings.TrimRight(string(line), "\r\n"); key != "" {
			keys = append(keys, key)
		}
	}
	return keys, checkSecretKeys(keys)
}

func checkSecretKeys(keys []string) error {
	switch {
	case len(keys) == 0:
		return errors.New("there is no key")
	case len(keys) > maxSecretKeys:
		return errors.New("there are too many keys")
	}
	for _, key := range keys {
		if key == "" || !utf8.ValidString(key) {
			return errors.New("a key is empty or not UTF-8")
		}
	}
	return nil
}

// EncodeSecretKeys returns the keys as the line that is sent before a dump. They
// are in the body, since what is in an address or a header is logged.
func EncodeSecretKeys(keys []string) ([]byte, error) {
	line, err := json.Marshal(keys)
	return append(line, '\n'), err
}

// decodeSecretKeys reads that line, and leaves the dump.
func decodeSecretKeys(r *bufio.Reader) (keys []string, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil || !utf8.Valid(line) || json.Unmarshal(line, &keys) != nil {
		return nil, refuse(http.StatusBadRequest, "secret_keys: the first line of the body must be a JSON list of the keys, before the dump")
	}
	if err := checkSecretKeys(keys); err != nil {
		return nil, invalid("secret_keys", "%s", err)
	}
	return keys, nil
}

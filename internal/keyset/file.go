// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package keyset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// look is how often a file is looked at.
const look = time.Second

// file is a key file that is read again when it has changed.
type file struct {
	path string
	seen os.FileInfo
	read time.Time
	keys *keys
}

// fromFile reads the file. One that is missing is no error: it may come.
func fromFile(cfg *Config) (outbound.Fetch[keys], error) {
	f := &file{path: cfg.File}
	if _, err := f.load(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return func(context.Context) (*keys, time.Duration, error) {
		k, err := f.load()
		return k, 0, err
	}, nil
}

// load returns the keys of the file, which is read if it does not look as
// before.
func (f *file) load() (*keys, error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: expected a file", f.path) // a pipe would be waited for
	}
	if f.keys != nil && f.same(info) {
		return f.keys, nil
	}
	now := time.Now()
	raw, err := readFile(f.path)
	if err != nil {
		return nil, err
	}
	all, left, err := parseFile(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	f.keys, f.seen, f.read = newKeys(all), info, now
	f.keys.left = left
	return f.keys, nil
}

// coarse is the precision of the worst clocks of file systems. A file that was
// younger when it was read may have changed without showing it.
const coarse = 2 * time.Second

func (f *file) same(info os.FileInfo) bool {
	return os.SameFile(f.seen, info) && f.seen.Size() == info.Size() && f.seen.ModTime().Equal(info.ModTime()) &&
		f.read.Sub(info.ModTime()) > coarse
}

func readFile(path string) ([]byte, error) {
	opened, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = opened.Close() }()
	raw, err := io.ReadAll(io.LimitReader(opened, limit+1))
	if err == nil && len(raw) > limit {
		err = fmt.Errorf("%s: more than %d bytes", path, limit)
	}
	return raw, err
}

// parseFile tells a JWK Set from PEM by how it begins.
func parseFile(raw []byte) ([]*Key, []error, error) {
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		return parseJWKS(raw, true)
	}
	all, err := ParsePEM(raw)
	return all, nil, err
}

// fromConfig returns the keys that the configuration holds.
func fromConfig(cfg *Config) (k *keys, name, kind string, err error) {
	var all []*Key
	if cfg.PEM != "" {
		name, kind = "the configuration", "pem"
		all, err = ParsePEM([]byte(cfg.PEM))
	} else {
		var key *Key
		name, kind = "the configuration", "secret"
		if key, err = newSecret(cfg.Secret); err == nil {
			all = []*Key{key}
		}
	}
	if err != nil {
		return nil, "", "", err
	}
	return newKeys(all), name, kind, nil
}

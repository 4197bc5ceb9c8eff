// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/caddyserver/caddy/v2"
	_ "github.com/caddyserver/caddy/v2/modules/filestorage"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	_ "github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/sqlite"
)

// storagePath is where Caddy keeps what is its own. That of the servers and of
// whoever opens their stores is the same, since it says which stores there are.
func storagePath(dir string) string { return filepath.Join(dir, "storage") }

// makeStores seeds a SQLite file for every size of store, and returns the
// files.
func makeStores(ctx context.Context, dir string, sizes []int, hash string) (map[int]string, error) {
	files := make(map[int]string)
	for _, n := range sizes {
		files[n] = filepath.Join(dir, fmt.Sprintf("store%d.db", n))
		err := withStore(ctx, dir, files[n], func(store tokenstore.Store) error { return seed(ctx, store, n, hash) })
		if err != nil {
			return nil, fmt.Errorf("seeding %d tokens: %w", n, err)
		}
	}
	return files, nil
}

// withStore opens the file as Caddy would, creating it if need be.
func withStore(ctx context.Context, dir, file string, f func(tokenstore.Store) error) (err error) {
	config, err := json.Marshal(map[string]string{"path": file})
	if err != nil {
		return err
	}
	storage, err := json.Marshal(map[string]string{"module": "file_system", "root": storagePath(dir)})
	if err != nil {
		return err
	}
	modules, err := caddy.ProvisionContext(&caddy.Config{Admin: &caddy.AdminConfig{Disabled: true}, StorageRaw: storage})
	if err != nil {
		return err
	}
	guest, err := modules.LoadModuleByID("rest_auth.token_stores.sqlite", config)
	if err != nil {
		return err
	}
	driver, ok := guest.(tokenstore.Driver)
	if !ok {
		return fmt.Errorf("%T is not a store driver", guest)
	}
	store, err := driver.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return f(store)
}

// lookupTime returns how long the store takes to look a token up that no cache
// of ours remembers: the median of many, each of another token.
func lookupTime(ctx context.Context, dir, file string, tokens int) (middle time.Duration, err error) {
	const lookups = 100_000
	times := make([]time.Duration, 0, lookups)
	err = withStore(ctx, dir, file, func(store tokenstore.Store) error {
		now := time.Now()
		for i := range lookups {
			digest := tokenDigest(i * (tokens / lookups))
			from := time.Now()
			_, _, err := store.Lookup(ctx, digest[:], now)
			times = append(times, time.Since(from))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("looking tokens up: %w", err)
	}
	return median(times), nil
}

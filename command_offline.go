// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/manage"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// offline returns a client of the store itself.
func (s *invocation) offline() (*client, error) {
	app, err := s.loadApp()
	if err != nil {
		return nil, err
	}
	store, err := s.openStore(app)
	if err != nil {
		return nil, err
	}
	return &client{do: inProcess(s.ctx, manage.Handler(app.manager(store))), close: store.Close}, nil
}

// loadApp provisions the app of the configuration file and the storage that it
// refers to, and nothing else: no listener, no other app.
func (s *invocation) loadApp() (*App, error) {
	if s.String("address") != "" {
		return nil, errors.New("--address is of a running Caddy; without one, --config says where the store is")
	}
	var config struct {
		Storage json.RawMessage            `json:"storage"`
		Apps    map[string]json.RawMessage `json:"apps"`
	}
	if file := s.String("config"); file != "" {
		raw, _, _, err := caddycmd.LoadConfig(file, s.String("adapter"))
		if err != nil {
			return nil, fmt.Errorf("loading the configuration: %w", err)
		}
		if err := json.Unmarshal(caddy.RemoveMetaFields(raw), &config); err != nil {
			return nil, fmt.Errorf("loading the configuration: %w", err)
		}
	}
	app := config.Apps["rest_auth"]
	if app == nil {
		app = json.RawMessage("{}")
	}
	ctx, err := caddy.ProvisionContext(&caddy.Config{
		StorageRaw: config.Storage,
		AppsRaw:    caddy.ModuleMap{"rest_auth": app},
	})
	if err != nil {
		return nil, err
	}
	return appFromContext(ctx)
}

// openStore opens an existing store, as its owner only: the files that SQLite
// puts beside its database would otherwise belong to somebody else, as root,
// and the server could not write to them.
func (s *invocation) openStore(app *App) (tokenstore.Store, error) {
	driver := app.StoreDriver()
	if path := storeFile(driver); path != "" {
		if err := checkOwner(path); err != nil {
			return nil, err
		}
	}
	store, err := driver.OpenExisting(s.ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no store at %s yet; it is created when Caddy first runs, or by 'caddy rest-auth store init'", driver.Identifier())
	}
	if err != nil {
		return nil, fmt.Errorf("opening the store %s: %w", driver.Identifier(), err)
	}
	fmt.Fprintln(s.err, "store:", driver.Identifier())
	return store, nil
}

// storeFile returns the file of a store that is one.
func storeFile(driver tokenstore.Driver) string {
	scheme, path, _ := strings.Cut(driver.Identifier(), ":")
	if scheme != "sqlite" || !filepath.IsAbs(path) {
		return ""
	}
	return path
}

// checkOwner refuses a file, or else the directory that it would be made in,
// that belongs to another user than this process runs as.
func checkOwner(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		info, err = os.Stat(filepath.Dir(path))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("looking at the store: %w", err)
	}
	owner, known := ownerOf(info)
	if me := os.Geteuid(); known && owner != me {
		return fmt.Errorf("%s belongs to the user with id %d, and this command runs as %d; only the owner opens a store: sudo -H -u '#%d' caddy rest-auth …",
			path, owner, me, owner)
	}
	return nil
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"os"
	"path/filepath"
	"testing"
)

// TestCLIOffline manages the store while no Caddy runs, and then finds what was
// made by asking one.
func TestCLIOffline(t *testing.T) {
	sh := cliShell(t)
	sh.run(
		step{args: "user list --offline --config Caddyfile", fails: true, err: "there is no store"},
		step{args: "store check --config Caddyfile", fails: true, err: "there is no store"},
	)
	if _, err := os.Stat(filepath.Join(sh.dir, "rest_auth.db")); !os.IsNotExist(err) {
		t.Errorf("a command that asked made a store: %v", err)
	}
	sh.run(
		step{args: "store init --config Caddyfile", err: "created the store"},
		step{args: "store init --config Caddyfile", fails: true, err: "creating the store"},
		step{args: "store check --config Caddyfile --json", out: `"problems": \[\]`},
		step{args: "user add alice --offline --config Caddyfile --no-password", err: "^store: sqlite:"},
		step{args: "user add admin --offline --config Caddyfile --no-password", fails: true, err: "in the configuration"},
		step{args: "token create alice --offline --config Caddyfile", out: `\Acra_\w{36}\n\z`},
		step{args: "token list --offline --config Caddyfile", out: " alice "},
		step{args: "store backup copy.db --offline --config Caddyfile", err: "wrote [0-9]+ bytes"},
		step{args: "user list --offline --config Caddyfile --address $ADMIN", fails: true, err: "--address is of a running Caddy"},
		step{args: "user list --offline --config nothing", fails: true, err: "loading the configuration"},
	)
	sh.start()
	sh.run(
		step{args: "user show alice --config Caddyfile", out: `^name +alice$`},
		step{args: "user disable alice --offline --config Caddyfile", err: "disabled user alice"},
		step{args: "user show alice --config Caddyfile", out: `^active +no$`},
	)
}

func TestCLIDefaultStore(t *testing.T) {
	sh := cliShell(t)
	sh.run(
		step{args: "store init", err: "created the store"},
		step{args: "user add bob --offline --no-password", err: `^store: sqlite:.*/caddy/rest_auth\.db$`},
		step{args: "user list --offline", out: "^bob "},
	)
}

// TestCLIOwner refuses the store of somebody else, to root as well.
func TestCLIOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	sh := cliShell(t)
	sh.run(step{args: "store init --config Caddyfile"})
	if err := os.Chown(filepath.Join(sh.dir, "rest_auth.db"), 12345, -1); err != nil {
		t.Fatal(err)
	}
	sh.run(
		step{args: "user list --offline --config Caddyfile", fails: true, err: "belongs to the user with id 12345"},
		step{args: "store check --config Caddyfile", fails: true, err: "belongs to the user with id 12345"},
	)
}

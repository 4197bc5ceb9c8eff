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
		step{args: "store init --config Caddyfile", err: "is ready"},
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

// TestCLIInit keeps what is there, and puts an empty store in the place of one
// that was lost by force only.
func TestCLIInit(t *testing.T) {
	sh := cliShell(t)
	const list = "user list --offline"
	sh.run(
		step{args: "store init"},
		step{args: "user add alice --offline --no-password"},
		step{args: "store init --force"},
		step{args: list, out: "^alice "},
	)
	file := filepath.Join(sh.dir, "data", "caddy", "rest_auth.db")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(file + suffix); err != nil && (suffix == "" || !os.IsNotExist(err)) {
			t.Fatal(err)
		}
	}
	sh.run(
		step{args: list, fails: true, err: "rest_auth.db"},
		step{args: "store check", fails: true, err: "rest_auth.db"},
		step{args: "store init", fails: true, err: "--force"},
		step{args: "store init --force", err: "is ready"},
		step{args: list, out: `\ANAME.*\n\z`},
	)
}

func TestCLIDefaultStore(t *testing.T) {
	sh := cliShell(t)
	sh.run(
		step{args: "store init", err: "is ready"},
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

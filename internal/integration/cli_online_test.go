// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const cliCaddyfile = `{
	admin {{admin}}
	persist_config off
	auto_https off
	rest_auth {
		store sqlite {{dir}}/rest_auth.db
		user admin {{hash}}
	}
}
`

// cliHash is argon2id of no password that anybody knows.
const cliHash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$L3i6sYqX2uI6wn0Cm7NnUzVrkLPDLqLYTzmZeTzBzHQ"

func cliShell(t *testing.T) *shell {
	t.Helper()
	return newShell(t, strings.ReplaceAll(cliCaddyfile, "{{hash}}", cliHash))
}

func TestCLIUsers(t *testing.T) {
	sh := cliShell(t)
	sh.start()
	sh.write("short", "short\n")
	sh.write("password", "correct horse\n")
	sh.run(
		step{
			args:  "user add alice --address $ADMIN --email alice!example.com --password-stdin",
			stdin: "correct horse\n", fails: true, err: "email: must be one address",
		},
		step{
			args:  "user add alice --address $ADMIN --groups editors,authors --full-name Alice@A. --password-stdin",
			stdin: "correct horse\n", out: `^\z`, err: `^added user alice \(store:[0-9A-Z]{26}\)$`,
		},
		step{args: "user add bob --config Caddyfile --no-password --staff", err: "added user bob"},
		step{args: "user add alice --address $ADMIN --no-password", fails: true, err: "there is a user 'alice' already"},
		step{args: "user add admin --address $ADMIN --no-password", fails: true, err: "in the configuration"},
		step{args: "user add carol --address $ADMIN", fails: true, err: "there is no terminal to ask at"},
		step{args: "user add carol --address $ADMIN --password-file short", fails: true, err: "password: must have 8 characters or more"},
		step{args: "user add dave --password secret --address $ADMIN", fails: true, err: "unknown flag: --password"},
		step{args: "user list --address $ADMIN", out: `^NAME +EMAIL +FULL NAME +ACTIVE +STAFF +SUPERUSER +PASSWORD +GROUPS +PERMISSIONS
alice +- +Alice A\. +yes +no +no +yes +authors,editors +-
bob +- +- +yes +yes +no +no +- +-
\z`},
		step{args: "user set bob --address $ADMIN", fails: true, err: "nothing to set"},
		step{args: "user set bob --address $ADMIN --staff=false --permissions a.b,c.d", err: "changed user bob"},
		step{args: "user show bob --address $ADMIN --json", out: `"staff": false`},
		step{args: "user set-password bob --address $ADMIN --password-file password", err: "API tokens still work"},
		step{args: "user show bob --address $ADMIN", out: `^password +yes\n`},
		step{args: "user set-password bob --address $ADMIN --no-password", err: "removed"},
		step{args: "user show bob --address $ADMIN", out: `^password +no\n`},

		step{args: "group set editors --address $ADMIN", fails: true, err: "--permissions is missing"},
		step{args: "group set editors --address $ADMIN --permissions blog.add_post"},
		step{args: "group list --address $ADMIN", out: `^editors +blog.add_post$`},
		step{args: "user show alice --address $ADMIN", out: `^by groups +blog.add_post$`},
		step{args: "group delete editors --address $ADMIN"},
		step{args: "user show alice --address $ADMIN", out: `^groups +authors$`},

		// Names that a path would misread.
		step{args: "user add .. --no-password --address $ADMIN"},
		step{args: "user add a/b?c#d%2F --no-password --address $ADMIN"},
		step{args: "user disable .. --address $ADMIN", err: "disabled user"},
		step{args: "user show .. --address $ADMIN", out: `^active +no$`},
		step{args: "user delete a/b?c#d%2F --yes --address $ADMIN", err: "deleted user"},
		step{args: "user delete .. --address $ADMIN", fails: true, err: "use --yes"},

		step{args: "", fails: true, err: "a command is missing"},
		step{args: "nothing", fails: true, err: `unknown command "nothing"`},
		step{args: "user", fails: true, err: "a command is missing"},
		step{args: "user list alice --address $ADMIN", fails: true, err: "unknown command"},
		step{args: "user show --address $ADMIN", fails: true, err: "accepts 1 arg"},
		step{args: "user list --address unix/nowhere.sock", fails: true, err: "it must run with rest_auth"},
	)
}

func TestCLITokens(t *testing.T) {
	sh := cliShell(t)
	sh.start()
	sh.run(step{args: "user add alice --no-password --address $ADMIN"})

	first, _ := sh.exec(step{args: "token create alice --address $ADMIN --label my@laptop --scopes b,a --expires 90d"})
	if !regexp.MustCompile(`^cra_[0-9A-Za-z]{36}\n$`).MatchString(first) {
		t.Errorf("token create wrote %q, want the token alone", first)
	}
	list, _ := sh.exec(step{args: "token list --address $ADMIN"})
	row := regexp.MustCompile(`(?m)^HANDLE +KIND +USER +LABEL +SCOPES +CLIENT +CREATED +EXPIRES +LAST USED +STATUS
([0-9a-z]{16}) +token +alice +my laptop +a,b +- +[-0-9]+T[:0-9]+Z +[-0-9]+T[:0-9]+Z +- +live$`).FindStringSubmatch(list)
	if row == nil {
		t.Fatalf("token list wrote\n%s", list)
	}
	handle := row[1]
	sh.run(
		step{args: "token create nobody --address $ADMIN", fails: true, err: "no user 'nobody'"},
		step{args: "token create alice --address $ADMIN --expires yesterday", fails: true, err: "--expires must be"},
		step{args: "token create alice --address $ADMIN --kind session", fails: true, err: "kind: must be one of token"},
		step{args: "token create alice --address $ADMIN --json", out: `"token": "cra_`, err: `^\z`},
		step{args: "token revoke " + strings.TrimSpace(first) + " --address $ADMIN", fails: true, err: "that is no handle"},
		step{args: "token revoke --address $ADMIN", fails: true, err: "name handles"},
		step{args: "token revoke --user alice --address $ADMIN", fails: true, err: "both --user and --all"},
		step{args: "token revoke " + handle + " --all --address $ADMIN", fails: true, err: "either name handles"},
		step{args: "token revoke none --address $ADMIN", fails: true, err: "no token 'none'"},
		step{args: "token rotate " + handle + " --grace soon --address $ADMIN", fails: true, err: "grace: must be a duration"},
		step{args: "token rotate " + handle + " --grace 1h --address $ADMIN", out: `^cra_\w{36}\n\z`, err: "^token " + handle + " is accepted until"},
		step{args: "token list --user alice --address $ADMIN", out: `(?s)\A(.*live){3}[^l]*\z`},
		step{args: "token revoke " + handle + " --address $ADMIN", err: "revoked token " + handle},
		step{args: "token revoke --user alice --all --address $ADMIN", err: "revoked 2 tokens of alice"},
		step{args: "token list --json --address $ADMIN", out: `\A\[\]\n\z`},
	)
}

func TestCLIStoreOnline(t *testing.T) {
	sh := cliShell(t)
	sh.start()
	sh.run(
		step{args: "store check --address $ADMIN", err: "the store"},
		step{args: "store backup copy.db --address $ADMIN", err: "wrote [0-9]+ bytes"},
		step{args: "store backup copy.db --address $ADMIN", fails: true, err: "exists already"},
		step{args: "store backup - --address $ADMIN", out: "."},
	)
	info, err := os.Stat(filepath.Join(sh.dir, "copy.db"))
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() == 0 {
		t.Errorf("the copy is %v, %v, want 0600 and not empty", info, err)
	}
	if left, err := filepath.Glob(filepath.Join(sh.dir, "*.part-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

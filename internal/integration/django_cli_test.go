// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const cliDump = `[
{"model": "auth.group", "pk": 1, "fields": {"name": "editors", "permissions": [["add_book", "library", "book"]]}},
{"model": "auth.user", "pk": 1, "fields": {"username": "alice", "password": "!x", "groups": [1]}},
{"model": "auth.user", "pk": 2, "fields": {"username": "admin", "password": "!x"}},
{"model": "authtoken.token", "pk": "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b", "fields": {"user": 1}},
{"model": "sessions.session", "pk": "x", "fields": {}}
]`

func TestCLIImport(t *testing.T) {
	sh := cliShell(t)
	sh.write("dump.json", cliDump)
	sh.write("bad.json", strings.Replace(cliDump, `"groups": [1]`, `"groups": [7]`, 1))
	sh.run(step{args: "store init --config Caddyfile"})
	sh.run(step{args: "import bad.json --offline --config Caddyfile", fails: true, err: "^row 2 .*not in the dump"})
	sh.run(step{
		args: "import dump.json --dry-run --offline --config Caddyfile",
		out:  `^users +1 +0 +0 +1 +0$`, err: "nothing was done: this was a dry run",
	})
	sh.run(step{args: "user list --offline --config Caddyfile --json", out: `\A\[\]\n\z`})
	sh.start()
	const where = " --address $ADMIN"
	sh.run(
		step{
			args: "import bad.json" + where, fails: true, out: `\A\z`,
			err: `^row 2 \(auth.user 1\): groups: group 7 is not in the dump\n(.*\n)*This dumps what is needed: python manage.py dumpdata --natural-foreign auth.user (.*\n)*.*nothing was imported`,
		},
		step{args: "import missing.json" + where, fails: true, err: "opening the dump"},
		step{args: "import ." + where, fails: true, err: "it is a directory"},
		step{args: "import" + where, fails: true, err: "accepts 1 arg"},
		step{args: "import dump.json --origin A" + where, fails: true, err: "origin: must be"},
		step{args: "import dump.json --user-model accounts.User" + where, fails: true, err: "user is neither in the dump, as accounts.User"},
		step{args: "import -" + where, stdin: cliDump[:200], fails: true, err: "cut short"},
		step{
			args: "import dump.json --address $ADMIN",
			out:  `\A +CREATED +UPDATED +UNCHANGED +SKIPPED +REMOVED\ngroups +1 +0 +0 +0 +0\nusers +1 +0 +0 +1 +0\ntokens +1 +0 +0 +0 +0\n\z`,
			err:  `(?s)row 3: user admin: the configuration has a user.*not imported: 1 of sessions.session.*passwords: 0 taken, 0 kept, 1 unusable`,
		},
		step{args: "import - --address $ADMIN --json", stdin: cliDump, out: `"unchanged": 1`},
		step{args: "user show alice --config Caddyfile", out: `^groups +editors$`},
		step{args: "export --config Caddyfile", out: `\A\{"type":"export"(.*\n){4}\{"type":"end","groups":1,"users":1,"tokens":1\}\n\z`},
		step{args: "export --config Caddyfile --output all.jsonl", out: `\A\z`, err: "wrote [0-9]+ bytes to all.jsonl"},
		step{args: "export --config Caddyfile -o all.jsonl", fails: true, err: "exists already"},
		step{args: "export --offline --config Caddyfile", out: `"type":"end"`},
	)
	info, err := os.Stat(filepath.Join(sh.dir, "all.jsonl"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the export is %v, %v", info.Mode(), err)
	}
}

// TestCLIImport_interrupted sends SIGINT to an import whose dump has not ended.
func TestCLIImport_interrupted(t *testing.T) {
	sh := cliShell(t)
	sh.run(step{args: "store init --config Caddyfile"})
	sh.start()
	for _, where := range []string{"--config Caddyfile", "--offline --config Caddyfile"} {
		cmd := sh.command("rest-auth import - " + where)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(in, strings.TrimSuffix(cliDump, "]")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond)
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil {
			t.Errorf("import %s: success after SIGINT", where)
		}
	}
	sh.run(step{args: "user list --config Caddyfile --json", out: `\A\[\]\n\z`}, step{args: "group list --config Caddyfile --json", out: `\A\[\]\n\z`})
}

// TestImport_slow sends a dump for longer than Caddy's admin endpoint gives a
// request, which is ten seconds.
func TestImport_slow(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes eleven seconds")
	}
	s := serve(t, djangoSite)
	r, w := io.Pipe()
	go func() {
		for i := range 11 {
			start := ","
			if i == 0 {
				start = "["
			}
			fmt.Fprintf(w, `%s{"model": "auth.user", "pk": %d, "fields": {"username": "user%d", "password": "!"}}`, start, i, i)
			time.Sleep(time.Second)
		}
		_, _ = io.WriteString(w, "]")
		_ = w.Close()
	}()
	got := s.send("POST", "http://"+s.Admin+"/rest_auth/import", r, "Content-Type: application/json")
	if got.Status != 200 || !strings.Contains(got.Body, `"created":11`) {
		t.Errorf("a slow dump: %d %s", got.Status, got.Body)
	}
}

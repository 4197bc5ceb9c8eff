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
{"model": "library.book", "pk": "x", "fields": {}}
]`

// cliIssued has what Django 3.2 made of a session under cliSecret, with the password
// hash that its user has.
const (
	cliSecret = "django-insecure-test-key-0123456789abcdefghijklmnopqrstuvwxyz"
	cliIssued = `[
{"model": "auth.user", "pk": 1, "fields": {"username": "alice", "password": "pbkdf2_sha256$1$s$h"}},
{"model": "knox.authtoken", "pk": "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
 "fields": {"token_key": "abcabcabcabcabc", "user": ["alice"], "created": "2026-01-01T00:00:00Z", "expiry": null}},
{"model": "durin.client", "pk": 3, "fields": {"name": "web", "token_ttl": "1 00:00:00", "throttle_rate": ""}},
{"model": "durin.authtoken", "pk": 1, "fields": {"token": "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b", "user": ["alice"], "client": 3,
 "created": "2026-01-01T00:00:00Z", "expiry": "2999-01-01T00:00:00Z"}},
{"model": "sessions.session", "pk": "abcdefghijklmnopqrstuvwxyz012345", "fields": {"expire_date": "2999-01-01T00:00:00Z",
 "session_data": ".eJxVjL0OgjAYAN-lM2kolLYwussLGNN8fwhqSkJhMr67kjDoene5l4qwrWPcsixxYtUpo4pfhkAPSbvgO6TbrGlO6zKh3hN92KzPM8vzdLR_gxHyuG-NZWc8WleHoWrNQLUFbNmXnhwJlS4QBqmcDY31Ekpk9sRcoSeoCb5TgmVV3cXopuihv74_vm89LA:1r31eq:tw3SnOCfPlxkXSXu4jMiyKRSKpA9E8eob5okgyvX13M"}},
{"model": "sessions.session", "pk": "bbcdefghijklmnopqrstuvwxyz012345", "fields": {"expire_date": "2999-01-01T00:00:00Z", "session_data": "e30:1r31eq:x"}}
]`
)

func TestCLIImport(t *testing.T) {
	sh := cliShell(t)
	sh.write("dump.json", cliDump)
	sh.write("bad.json", strings.Replace(cliDump, `"groups": [1]`, `"groups": [7]`, 1))
	sh.write("issued.json", cliIssued)
	sh.write("key.txt", "a newer key\n"+cliSecret+"\n")
	sh.write("empty.txt", "\n")
	sh.write("open.txt", cliSecret)
	if err := os.Chmod(filepath.Join(sh.dir, "open.txt"), 0o644); err != nil {
		t.Fatal(err)
	}
	sh.run(step{args: "store init --config Caddyfile"})
	sh.run(step{args: "import issued.json --secret-key-file key.txt --offline --dry-run --config Caddyfile", out: `^sessions +1 +0 +0 +1 +0\n\z`})
	sh.run(step{args: "import issued.json --secret-key-file open.txt --offline --dry-run --config Caddyfile", out: `^sessions +1 +0 +0 +1 +0\n\z`, err: `^open.txt: others can read it`})
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
		step{args: "import dump.json --secret-key-file missing.txt" + where, fails: true, err: "reading the secret key: open"},
		step{args: "import dump.json --secret-key-file empty.txt" + where, fails: true, err: "reading the secret key: there is no key"},
		step{args: "import issued.json --secret-key-file key.txt --dry-run" + where, out: `^knox tokens +1 +0 +0 +0 +0\ndurin clients +1 +0 +0 +0 +0\ndurin tokens +1 +0 +0 +0 +0\nsessions +1 +0 +0 +1 +0\n\z`, err: `^session: 1 left out: not signed with a SECRET_KEY`},
		step{args: "import issued.json --dry-run" + where, out: `^sessions +0 +0 +0 +2 +0\n\z`, err: `^session: 2 left out: not verified, since no SECRET_KEY was given`},
		step{args: "import dump.json --origin A" + where, fails: true, err: "origin: must be"},
		step{args: "import dump.json --user-model accounts.User" + where, fails: true, err: "user is neither in the dump, as accounts.User"},
		step{args: "import -" + where, stdin: cliDump[:200], fails: true, err: "cut short"},
		step{
			args: "import dump.json --address $ADMIN",
			out:  `\A +CREATED +UPDATED +UNCHANGED +SKIPPED +REMOVED\ngroups +1 +0 +0 +0 +0\nusers +1 +0 +0 +1 +0\ntokens +1 +0 +0 +0 +0\n\z`,
			err:  `(?s)row 3: user admin: the configuration has a user.*not imported: 1 of library.book.*passwords: 0 taken, 0 kept, 1 unusable`,
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

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestAuthtokenTutorial runs the lines of docs/endpoints/authtoken.md as they
// stand there, by a shell and a curl, and wants what the page says.
func TestAuthtokenTutorial(t *testing.T) {
	debian(t, "/usr/bin/curl", "curl")
	page := readText(t, filepath.Join(repository, "docs/endpoints/authtoken.md"))
	example := readText(t, filepath.Join(repository, "examples/authtoken.Caddyfile"))
	if !strings.HasSuffix(example, "\n"+first(t, page, "caddyfile")) {
		t.Error("the page shows another example than examples/authtoken.Caddyfile")
	}
	sh := newShell(t, "")
	site := freeAddress(t)
	sh.write("Caddyfile", "{\nadmin "+sh.admin+"\ndefault_bind 127.0.0.1\npersist_config off\nauto_https off\ngrace_period 1s\n}\n"+
		strings.ReplaceAll(example, "http://localhost:8080", "http://"+site))

	var script, want []string
	for line := range strings.Lines(first(t, page, "console")) {
		line = strings.TrimSuffix(line, "\n")
		command, ok := strings.CutPrefix(line, "$ ")
		switch {
		case !ok:
			want = append(want, line)
		case strings.HasPrefix(command, "caddy run "):
			sh.start()
			awaitListener(t, site)
		default:
			command = strings.ReplaceAll(command, "http://localhost:8080", "http://"+site)
			script = append(script, strings.ReplaceAll(command, "caddy rest-auth", "caddy rest-auth --config Caddyfile"))
		}
	}
	// What a command does not end with a line, the next one goes on with; a
	// terminal shows it as well.
	bash := sh.command("")
	bash.Path, bash.Args = "/bin/bash", []string{"bash", "-e", "-c", strings.Join(script, "\necho\n")}
	bash.Env = append(bash.Env, "PATH="+sh.dir+":"+os.Getenv("PATH"))
	var log strings.Builder
	bash.Stderr = &log
	out, err := bash.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	var got []string
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); line != "" {
			got = append(got, line)
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the answers are\n%s\nand the page promises\n%s\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), log.String())
	}
}

func awaitListener(t *testing.T, address string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// TestCLIAuthtoken prints the same token with and without a running Caddy, in
// the words of drf_create_token.
func TestCLIAuthtoken(t *testing.T) {
	sh := newShell(t, `{
	admin {{admin}}
	storage file_system {{dir}}/storage
	persist_config off
	rest_auth {
		store sqlite {{dir}}/rest_auth.db
		user admin $2a$04$aATN97WGhSalWaxlqCSdiOnARtqeKhOj6oTcXdHmnkYn8mc3/0eTa
	}
}
`)
	const create, said = "token create alice --kind authtoken", `\AGenerated token [0-9a-f]{40} for user alice\n\z`
	sh.run(
		step{args: "store init --config Caddyfile"},
		step{args: "user add alice --offline --config Caddyfile --no-password"},
	)
	first, _ := sh.exec(step{args: create + " --offline --config Caddyfile"})
	sh.start()
	sh.run(step{args: create + " --address $ADMIN", out: said, err: `\A\z`})
	if again, _ := sh.exec(step{args: create + " --address $ADMIN"}); again != first {
		t.Error("another token online than offline")
	}
	if reset, _ := sh.exec(step{args: create + " --reset --address $ADMIN"}); reset == first {
		t.Error("the same token after a reset")
	}
	sh.run(
		step{args: "token create nobody --kind authtoken --address $ADMIN", fails: true, err: "Cannot create the Token: user nobody does not exist"},
		step{args: "token create admin --kind authtoken --address $ADMIN", out: "for user admin"},
		step{args: "token create alice --reset --address $ADMIN", fails: true, err: "reset: is for tokens of the kind authtoken"},
		step{args: create + " --scopes a --address $ADMIN", fails: true, err: "has no label, scopes"},
		step{args: "token list --kind authtoken --address $ADMIN", out: `(?s)^\S+ +authtoken +alice .* live\n\S+ +authtoken +admin .* live\n\z`},
		step{args: "user disable alice --address $ADMIN"},
		step{args: create + " --address $ADMIN", fails: true, err: "disabled"},
	)
}

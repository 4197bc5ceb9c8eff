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
func TestAuthtokenTutorial(t *testing.T) { runTutorial(t, "authtoken") }

// runTutorial runs the first console of the page of an endpoint, with the
// example of the same name.
func runTutorial(t *testing.T, name string) {
	t.Helper()
	debian(t, "/usr/bin/curl", "curl")
	page := readText(t, filepath.Join(repository, "docs/endpoints", name+".md"))
	example := readText(t, filepath.Join(repository, "examples", name+".Caddyfile"))
	if !strings.HasSuffix(example, "\n"+first(t, page, "caddyfile")) {
		t.Errorf("the page shows another example than examples/%s.Caddyfile", name)
	}
	sh := newShell(t, "")
	site := freeAddress(t)
	options := "admin " + sh.admin + "\ndefault_bind 127.0.0.1\npersist_config off\nauto_https off\ngrace_period 1s\n"
	example = strings.ReplaceAll(example, "http://localhost:8080", "http://"+site)
	if before, after, has := strings.Cut(example, "\n{\n"); has {
		example = before + "\n{\n" + options + after
	} else {
		example = "{\n" + options + "}\n" + example
	}
	sh.write("Caddyfile", example)

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

// TestCLIAuthtoken_autoCreate adds users by every command that does, and waits
// for their tokens.
func TestCLIAuthtoken_autoCreate(t *testing.T) {
	sh := newShell(t, `{
	admin {{admin}}
	storage file_system {{dir}}/storage
	persist_config off
	rest_auth {
		store sqlite {{dir}}/rest_auth.db
	}
}
http://`+freeAddress(t)+` {
	rest_auth_endpoints {
		authtoken /api-token-auth/ {
			auto_create
		}
	}
}
`)
	sh.write("dump.json", `[{"model":"auth.user","pk":1,"fields":{"username":"imported","password":"!","is_active":true,"is_staff":false,"is_superuser":false,"email":"","first_name":"","last_name":"","last_login":null,"date_joined":"2024-01-02T03:04:05Z","groups":[],"user_permissions":[]}}]`)
	sh.start()
	sh.run(
		step{args: "user add online --no-password --address $ADMIN"},
		step{args: "user add offline --no-password --offline --config Caddyfile"},
		step{args: "import dump.json --address $ADMIN"},
	)
	for _, user := range []string{"online", "offline", "imported"} {
		for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
			list, _ := sh.exec(step{args: "token list --kind authtoken --user " + user + " --address $ADMIN"})
			if strings.Count(list, " authtoken ") == 1 {
				break
			}
			if time.Since(began) > 30*time.Second {
				t.Fatalf("%s has no token: %s", user, list)
			}
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

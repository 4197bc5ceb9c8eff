// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// generatedMain is what xcaddy generates.
const generatedMain = `package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	_ "github.com/caddyserver/caddy/v2/modules/standard"
	_ "github.com/caddy-rest-auth/caddy-rest-auth"
)

func main() {
	caddycmd.Main()
}
`

// TestReadme builds Caddy as xcaddy does, in a module of its own that imports
// the root package alone, and follows the README with it to the letter: its
// Caddyfile, its commands, and the answers that it promises.
func TestReadme(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a Caddy")
	}
	readme := readText(t, filepath.Join(repository, "README.md"))
	_, section, ok := strings.Cut(readme, "## From nothing to a token in a minute")
	if !ok {
		t.Fatal("the README has no such section")
	}
	address := freeAddress(t)
	port := func(text string) string { return strings.ReplaceAll(text, "localhost:9080", address) }
	dir := t.TempDir()
	write(t, filepath.Join(dir, "Caddyfile"), port(first(t, section, "caddyfile")))

	s := &session{
		t:   t,
		dir: dir,
		bin: buildScratch(t),
		env: append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+filepath.Join(dir, "data"),
			"XDG_CONFIG_HOME="+filepath.Join(dir, "config"), "CADDY_ADMIN="+freeAddress(t)),
		vars: make(map[string]string),
	}
	var promised, statuses []string
	for line := range strings.Lines(port(first(t, section, "console"))) {
		line = strings.TrimSuffix(line, "\n")
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			promised = append(promised, line)
			continue
		}
		if status := s.run(command); status != "" {
			statuses = append(statuses, status)
		}
	}
	if got := strings.Join(statuses, ", "); got != "401 Unauthorized, 200 OK" {
		t.Errorf("the answers are %s", got)
	}
	if got, want := strings.Join(s.bodies, "\n"), strings.Join(promised, "\n"); got != want {
		t.Errorf("the answers are\n%s\nand the README promises\n%s", got, want)
	}
}

// buildScratch builds the module that xcaddy would make, without downloading
// anything, and returns the program.
func buildScratch(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	module := t.TempDir()
	write(t, filepath.Join(module, "main.go"), generatedMain)
	write(t, filepath.Join(module, "go.sum"), readText(t, filepath.Join(root, "go.sum")))
	goCommand(t, module, "mod", "init", "caddy")
	goCommand(t, module, "mod", "edit",
		"-require=github.com/caddy-rest-auth/caddy-rest-auth@v0.0.0",
		"-replace=github.com/caddy-rest-auth/caddy-rest-auth="+root)
	bin := filepath.Join(module, "caddy")
	goCommand(t, module, "build", "-tags", "nobadger,nomysql,nopgx", "-o", bin, ".")
	return bin
}

func goCommand(t *testing.T, dir string, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=mod", "GOWORK=off", "GOPROXY=off")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// session runs the commands of the README.
type session struct {
	t        *testing.T
	dir, bin string
	env      []string
	vars     map[string]string
	bodies   []string // what curl printed
}

// run runs one line as a shell would, as far as the README needs one. It
// returns the status that a curl was answered with.
func (s *session) run(line string) (status string) {
	s.t.Helper()
	if name, rest, ok := strings.Cut(line, "=$("); ok {
		s.vars[name] = strings.TrimSpace(s.caddy(strings.TrimSuffix(rest, ")")))
		return ""
	}
	switch {
	case strings.HasSuffix(line, " &"):
		s.start(strings.TrimSuffix(line, " &"))
	case strings.HasPrefix(line, "caddy "):
		s.caddy(line)
	case strings.HasPrefix(line, "curl "):
		return s.curl(strings.TrimPrefix(line, "curl "))
	default:
		s.t.Fatalf("the README has a command that this test does not know: %s", line)
	}
	return ""
}

func (s *session) command(ctx context.Context, line string) *exec.Cmd {
	words := strings.Fields(line)
	command := exec.CommandContext(ctx, s.bin, words[1:]...)
	command.Dir, command.Env = s.dir, s.env
	return command
}

// start runs Caddy until the test ends, and waits until it listens.
func (s *session) start(line string) {
	s.t.Helper()
	var log bytes.Buffer
	// The test's context ends before its cleanups run, and would kill Caddy.
	caddy := s.command(context.WithoutCancel(s.t.Context()), line)
	caddy.Stdout, caddy.Stderr = &log, &log
	if err := caddy.Start(); err != nil {
		s.t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- caddy.Wait() }()
	s.t.Cleanup(func() {
		_ = caddy.Process.Signal(os.Interrupt)
		if err := <-exited; err != nil {
			s.t.Errorf("Caddy ended with %v:\n%s", err, log.String())
		}
	})
	config := readText(s.t, filepath.Join(s.dir, "Caddyfile"))
	address := strings.TrimPrefix(strings.Fields(config)[0], "http://")
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("waiting for Caddy: %v", err)
		}
	}
}

// caddy runs a command to its end and returns what it printed.
func (s *session) caddy(line string) string {
	s.t.Helper()
	command := s.command(s.t.Context(), line)
	var out, log bytes.Buffer
	command.Stdout, command.Stderr = &out, &log
	if err := command.Run(); err != nil {
		s.t.Fatalf("%s: %v\n%s", line, err, log.String())
	}
	return out.String()
}

// curl sends the request of `[-H "<name>: <value>"] <url>`.
func (s *session) curl(args string) (status string) {
	s.t.Helper()
	header, url := "", args
	if rest, ok := strings.CutPrefix(args, `-H "`); ok {
		header, url, _ = strings.Cut(rest, `" `)
	}
	for name, value := range s.vars {
		header = strings.ReplaceAll(header, "$"+name, value)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if name, value, ok := strings.Cut(header, ": "); ok {
		r.Header.Set(name, value)
	}
	response, err := client(s.t).Do(r)
	if err != nil {
		s.t.Fatalf("curl %s: %v", args, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	s.bodies = append(s.bodies, string(body))
	return response.Status
}

// first returns the first block of a language.
func first(t *testing.T, section, language string) string {
	t.Helper()
	_, rest, ok := strings.Cut(section, "```"+language+"\n")
	block, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatalf("there is no block of %s", language)
	}
	return block
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A project is a Django project that does what it is told.
type project struct {
	t       *testing.T
	dir     string
	steps   io.WriteCloser
	answers *bufio.Reader
	Users   map[string]string // login names
	Tokens  map[string]string // keys
}

// newProject creates a project with users in every password format, groups,
// permissions and tokens. The variant is default or custom.
func newProject(t *testing.T, variant string) *project {
	t.Helper()
	needPython(t, "django", "rest_framework", "argon2", "bcrypt")
	script, err := filepath.Abs("testdata/django/project.py")
	if err != nil {
		t.Fatal(err)
	}
	p := &project{t: t, dir: t.TempDir()}
	// It ends by itself, at the end of its steps.
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), python, "-B", script, p.dir, variant)
	cmd.Stderr = os.Stderr
	if p.steps, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.answers = bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.steps.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the Django project: %v", err)
		}
	})
	p.do(map[string]any{"do": "create"}, p)
	return p
}

// do carries a step out and decodes its answer.
func (p *project) do(step map[string]any, answer any) {
	p.t.Helper()
	if err := json.NewEncoder(p.steps).Encode(step); err != nil {
		p.t.Fatal(err)
	}
	line, err := p.answers.ReadBytes('\n')
	if err != nil {
		p.t.Fatalf("the Django project ended at %v: %v", step["do"], err)
	}
	if err := json.Unmarshal(line, answer); err != nil {
		p.t.Fatal(err)
	}
}

// dump returns the file that dumpdata wrote with the arguments.
func (p *project) dump(args ...string) string {
	p.t.Helper()
	file := filepath.Join(p.t.TempDir(), "dump.json")
	p.do(map[string]any{"do": "dump", "file": file, "args": args}, new(any))
	return file
}

func basicAuth(name, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
}

// A question is a request, and an answer what came of it.
type question struct {
	Method        string `json:"method"`
	Path          string `json:"path"`
	Authorization string `json:"authorization"`
}

type answer struct {
	Status    int    `json:"status"`
	Challenge string `json:"challenge"`
	Body      string `json:"body"` // of a refusal
}

// questions are asked of Django and of Caddy alike.
func (p *project) questions() []question {
	var all []question
	ask := func(method, path, authorization string) {
		all = append(all, question{method, path, authorization})
	}
	for name, login := range p.Users {
		ask("GET", "/basic/", basicAuth(login, "password of "+name))
		ask("GET", "/token/", "Token "+p.Tokens[name])
	}
	for _, path := range []string{"/basic/", "/token/", "/both/", "/admin/", "/books/", "/public/"} {
		ask("GET", path, "")
		ask("GET", path, "Token 0123456789012345678901234567890123456789")
		ask("GET", path, "Token "+p.Tokens["gone"])
	}
	ask("GET", "/both/", basicAuth(p.Users["editor"], "another password"))
	ask("GET", "/both/", basicAuth("stranger", "password"))
	for _, name := range []string{"staff", "root", "editor", "gone"} {
		ask("GET", "/admin/", "Token "+p.Tokens[name])
	}
	for _, name := range []string{"editor", "deleter", "staff", "root", "nobody"} {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"} {
			ask(method, "/books/", "Token "+p.Tokens[name])
		}
		ask("DELETE", "/public/", "Token "+p.Tokens[name])
	}
	for _, method := range []string{"POST", "HEAD", "OPTIONS"} {
		ask(method, "/public/", "")
	}
	return all
}

// asDjango answers the questions as the project does.
func (p *project) asDjango(questions []question) []answer {
	p.t.Helper()
	var answers []answer
	p.do(map[string]any{"do": "ask", "requests": questions}, &answers)
	return answers
}

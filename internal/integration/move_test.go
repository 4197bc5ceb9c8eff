// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A move is a Django project on its way behind Caddy.
type move struct {
	*shell
	url      string
	socket   string
	gunicorn *exec.Cmd
	asked    []asked
	answers  []answer // of the project alone
}

// asked is a question of a program, or of a browser that is logged in.
type asked struct {
	question
	cookie, csrf string
}

// TestMove takes the ten steps of docs/from-django.md as they are written: it
// loads each Caddyfile, writes each file and runs each command. Whatever the step,
// clients are answered as by the project alone.
func TestMove(t *testing.T) {
	page := readText(t, filepath.Join(repository, "docs/from-django.md"))
	_, section, found := strings.Cut(page, "## Moving a project in ten steps\n")
	if !found {
		t.Fatal("the section is gone")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	intro, rest, _ := strings.Cut(section, "\n**1. ")
	steps := regexp.MustCompile(`(?m)^\*\*\d+\. `).Split("\n"+rest, -1)
	if len(steps) != 10 {
		t.Fatalf("%d steps", len(steps))
	}
	m := newMove(t)
	for _, fence := range fences(intro, "python") {
		_, settings, _ := strings.Cut(fence, "settings.py\n")
		settings, _, _ = strings.Cut(settings, "# In views.py")
		if !strings.Contains(readText(t, filepath.Join(m.dir, "bookshop/settings.py")), settings) {
			t.Errorf("the project's settings are not what the page says: %s", settings)
		}
	}
	for i, step := range steps {
		m.take(step)
		if number := i + 1; slices.Contains([]int{1, 4, 6, 8, 10}, number) {
			m.compare(number)
		}
		if i+1 == 8 {
			m.login("dave")
		}
		if t.Failed() {
			t.Fatalf("after step %d", i+1)
		}
	}
}

func newMove(t *testing.T) *move {
	m := newBookshop(t, nil)
	m.ask()
	m.writeCaddyfile("")
	m.start()
	return m
}

// newBookshop is the bookshop behind gunicorn, its files continued.
func newBookshop(t *testing.T, more map[string]string) *move {
	t.Helper()
	needPython(t, "django", "rest_framework", "gunicorn")
	debian(t, "/usr/bin/curl", "curl")
	m := &move{shell: newShell(t, ""), url: "http://" + freeAddress(t)}
	m.socket = filepath.Join(m.dir, "gunicorn.sock")
	if err := os.CopyFS(m.dir, os.DirFS("testdata/bookshop")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(python, filepath.Join(m.dir, "python")); err != nil {
		t.Fatal(err)
	}
	for file, text := range more {
		m.write(file, readText(t, filepath.Join(m.dir, file))+text)
	}
	m.bash("python seed.py")
	m.serveProject()
	return m
}

// serveProject starts gunicorn, or starts it anew.
func (m *move) serveProject() {
	m.t.Helper()
	if m.gunicorn != nil {
		_ = m.gunicorn.Process.Signal(os.Interrupt)
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			conn, err := net.Dial("unix", m.socket)
			if err != nil {
				break
			}
			_ = conn.Close()
			if time.Now().After(deadline) {
				m.t.Fatal("gunicorn does not end")
			}
		}
	}
	m.gunicorn = exec.CommandContext(m.t.Context(), python, "-B", "-m", "gunicorn.app.wsgiapp",
		"--bind", "unix:"+m.socket, "--workers", "1", "--worker-tmp-dir", m.dir, "--preload", "--log-level", "warning", "bookshop.wsgi")
	m.gunicorn.Dir = m.dir
	background(m.t, m.socket, m.gunicorn)
}

var block = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

// take does what a step says, from top to bottom.
func (m *move) take(step string) {
	m.t.Helper()
	for _, found := range block.FindAllStringSubmatch(step, -1) {
		switch language, text := found[1], found[2]; language {
		case "caddyfile":
			m.writeCaddyfile(text)
		case "python":
			m.writePython(text)
		case "console":
			m.console(text)
		default:
			m.t.Fatalf("nobody knows what to do with %s", language)
		}
	}
}

// writeCaddyfile writes the Caddyfile with this machine's addresses, and with
// global options that keep the test to itself.
func (m *move) writeCaddyfile(text string) {
	m.t.Helper()
	options := "admin " + m.admin + "\ndefault_bind 127.0.0.1\npersist_config off\nauto_https off\ngrace_period 1s\n"
	if rest, ok := strings.CutPrefix(text, "{\n"); ok {
		text = "{\n" + options + rest
	} else {
		text = "{\n" + options + "}\n" + text
	}
	text = strings.NewReplacer("api.example.com", m.url, "unix//run/bookshop/gunicorn.sock", "unix/"+m.socket).Replace(text)
	m.write("Caddyfile", text)
}

// writePython writes the file that the first line names; settings.py is
// continued.
func (m *move) writePython(text string) {
	m.t.Helper()
	name := regexp.MustCompile(`\A# (\w+\.py)`).FindStringSubmatch(text)
	if name == nil {
		m.t.Fatalf("the first line names no file: %s", text)
	}
	file := filepath.Join("bookshop", name[1])
	if name[1] == "settings.py" {
		text = readText(m.t, filepath.Join(m.dir, file)) + text
	}
	m.write(file, text)
}

func (m *move) console(text string) {
	m.t.Helper()
	var script []string
	for line := range strings.Lines(text) {
		command, ok := strings.CutPrefix(strings.TrimSpace(line), "$ ")
		if !ok {
			continue
		}
		if command == "systemctl restart bookshop" {
			m.bash(strings.Join(script, "\n"))
			script = nil
			m.serveProject()
			continue
		}
		if strings.HasPrefix(command, "caddy rest-auth ") && !strings.Contains(command, "--config") {
			command += " --config Caddyfile"
		}
		script = append(script, strings.ReplaceAll(command, "https://api.example.com", m.url))
	}
	m.bash(strings.Join(script, "\n"))
}

func (m *move) bash(script string) {
	m.t.Helper()
	cmd := m.command("")
	cmd.Path, cmd.Args = "/bin/bash", []string{"bash", "-e", "-c", script}
	cmd.Env = append(cmd.Env, "PATH="+m.dir+":"+os.Getenv("PATH"), "PYTHONDONTWRITEBYTECODE=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		m.t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// ask keeps what the project alone answers.
func (m *move) ask() {
	put := func(method, path, authorization string) {
		m.asked = append(m.asked, asked{question: question{method, path, authorization}})
	}
	csrf := strings.Repeat("a", 32)
	paths := []string{"/api/books/", "/api/reports/", "/api/me/"}
	for _, path := range paths {
		for _, name := range []string{"alice", "bob", "dave", "gone", "root"} {
			put("GET", path, "Token "+strings.Repeat(name[:1], 40))
			put("POST", path, "Token "+strings.Repeat(name[:1], 40))
			put("DELETE", path, basicAuth(name, "password of "+name))
			cookie := "sessionid=" + strings.Repeat(name[:1], 32)
			m.asked = append(m.asked,
				asked{question{"GET", path, ""}, cookie, ""},
				asked{question{"POST", path, ""}, cookie, ""},
				asked{question{"POST", path, ""}, cookie + "; csrftoken=" + csrf, csrf},
				asked{question{"GET", path, "Token unknown"}, cookie, ""},
			)
		}
		put("GET", path, "")
		put("POST", path, "")
		put("GET", path, "Token unknown")
		put("GET", path, "Token")
		put("GET", path, basicAuth("alice", "a guess"))
		m.asked = append(m.asked, asked{question{"GET", path, ""}, "sessionid=" + strings.Repeat("x", 32), ""})
	}
	through := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", m.socket)
	}}}
	defer through.CloseIdleConnections()
	for _, q := range m.asked {
		m.answers = append(m.answers, m.answer(through, "http://api.example.com", q))
	}
}

func (m *move) answer(client *http.Client, url string, q asked) answer {
	m.t.Helper()
	r, err := http.NewRequestWithContext(m.t.Context(), q.Method, url+q.Path, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	if q.Authorization != "" {
		r.Header.Set("Authorization", q.Authorization)
	}
	if q.cookie != "" {
		r.Header.Set("Cookie", q.cookie)
	}
	if q.csrf != "" {
		r.Header.Set("X-CSRFToken", q.csrf)
	}
	response, err := client.Do(r)
	if err != nil {
		m.t.Fatal(err)
	}
	got := readReply(m.t, response)
	return answer{got.Status, got.Header.Get("WWW-Authenticate"), got.Body}
}

// login logs a browser in at Caddy, and has Django say who it is.
func (m *move) login(name string) {
	m.t.Helper()
	browser := client(m.t)
	browser.Jar, _ = cookiejar.New(nil) // it never fails
	send := func(method, path, body, csrf string) reply {
		m.t.Helper()
		r, err := http.NewRequestWithContext(m.t.Context(), method, m.url+path, strings.NewReader(body))
		if err != nil {
			m.t.Fatal(err)
		}
		r.Header.Set("Accept", "application/json")
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-CSRFToken", csrf)
		response, err := browser.Do(r)
		if err != nil {
			m.t.Fatal(err)
		}
		return readReply(m.t, response)
	}
	csrf := send("GET", "/accounts/login/", "", "").state(m.t).CSRF
	state := send("POST", "/accounts/login/", `{"username": "`+name+`", "password": "password of `+name+`"}`, csrf).state(m.t)
	if !state.Authenticated {
		m.t.Error("nobody is logged in")
	}
	if got := send("GET", "/api/me/", "", ""); got.Body != `{"user":"`+name+`"}` {
		m.t.Errorf("after the login: %d %s", got.Status, got.Body)
	}
}

func (m *move) compare(step int) {
	m.t.Helper()
	if step >= 6 {
		m.bash("caddy rest-auth lockout clear --all --config Caddyfile") // the project has no patience to lose
	}
	plain := client(m.t)
	for i, q := range m.asked {
		if got := m.answer(plain, m.url, q); got != m.answers[i] {
			m.t.Errorf("after step %d, %s %s with %q, cookie %q, is answered %+v, want %+v", step, q.Method, q.Path, q.Authorization, q.cookie, got, m.answers[i])
		}
	}
}

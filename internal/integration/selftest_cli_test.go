// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/selftest"
)

// The command runs beside a Caddy that has the configuration's ports, and its
// exit code says what it found.
func TestSelfTestCommand(t *testing.T) {
	address := freeAddress(t)
	site := "{\nadmin {{admin}}\npersist_config off\nauto_https off\n}\nhttp://" + address + " {\nrest_auth {\nauthenticate token\nrequire allow_any\nheader_up Remote-User {http.auth.user.id}\n}\n" +
		"handle /there {\nrespond there\n}\nhandle {\nreverse_proxy localhost:1\n}\n}\n"
	sh := newShell(t, site)
	sh.start()
	sh.write("hole", strings.Replace(site, "reverse_proxy localhost:1\n", "reverse_proxy localhost:1 {\nheader_up Remote-User {header.X-User}\n}\n", 1))
	sh.write("unreached", strings.Replace(site, "handle {", "@never vars never true\nhandle @never {", 1))
	sh.write("broken", strings.Replace(site, "allow_any", "nothing_known", 1))
	sh.write("none.json", "{}")
	tests := map[string]struct {
		args string
		exit int
		out  string
		err  string
	}{
		"correct":          {"--config Caddyfile", 0, "1 proxy, 1 identity header", ""},
		"a hole":           {"--config hole --adapter caddyfile", 1, "LEAK      proxy 1", "the self-test failed"},
		"unreached":        {"--config unreached --adapter caddyfile", 1, "UNREACHED proxy 1", "the self-test failed"},
		"allowed":          {"--config unreached --adapter caddyfile --allow-unreached", 0, "UNREACHED proxy 1", ""},
		"listed":           {"--config hole --adapter caddyfile --list", 0, "way      GET http://", ""},
		"another header":   {"--config Caddyfile --header X-User", 1, "header    X-User", "the self-test failed"},
		"a broken file":    {"--config broken --adapter caddyfile", 2, "^$", "unknown permission 'nothing_known'"},
		"no file":          {"--config missing", 2, "^$", "no such file"},
		"no server":        {"--config none.json", 2, "^$", "the configuration has no HTTP server"},
		"a running Caddy":  {"--address localhost:2019", 2, "^$", "it asks no running Caddy"},
		"no URL":           {"--config Caddyfile --url example.com", 2, "^$", "'example.com' is not a URL"},
		"no header name":   {"--config Caddyfile --header a@b", 2, "^$", "'a b' is not a header name"},
		"surplus argument": {"--config Caddyfile surplus", 1, "^$", "surplus"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cmd := sh.command("rest-auth self-test " + test.args)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			err := cmd.Run()
			if exit := cmd.ProcessState.ExitCode(); exit != test.exit {
				t.Errorf("exit code %d (%v), want %d\n%s", exit, err, test.exit, stderr.String())
			}
			if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
				t.Fatal(err)
			}
			if test.out == "^$" && stdout.Len() > 0 || test.out != "^$" && !strings.Contains(stdout.String(), test.out) {
				t.Errorf("stdout = %q, want %q", stdout.String(), test.out)
			}
			if !strings.Contains(stderr.String(), test.err) {
				t.Errorf("stderr = %q, want %q", stderr.String(), test.err)
			}
		})
	}
	answer, err := client(t).Get("http://" + address + "/there")
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("the running Caddy answers %v, %v", answer, err)
	}
	if _, err := os.Stat(filepath.Join(sh.dir, "config", "caddy", "autosave.json")); err == nil {
		t.Error("the copy was saved as the configuration to resume")
	}
}

// What the configuration knows is not written.
func TestSelfTestKeepsSecrets(t *testing.T) {
	t.Setenv("SELF_TEST_SECRET", "canary-env")
	report := runSelfTest(t, `{
	rest_auth {
		store memory
		user canary-user $2a$10$canarycanarycanarycanarycanarycanarycanarycanarycanary
	}
}
http://site.example {
	@key {
		header X-Api-Key canary-key
		query token=canary-token
	}
	handle @key {
		request_header Authorization "Bearer canary-bearer"
		reverse_proxy {{other}} {
			header_up X-Password canary-password
			header_up X-Env {env.SELF_TEST_SECRET}
			header_up X-User "{header.X-User} canary-composed"
		}
	}
	handle {
		rest_auth {
			authenticate basic
			header_up X-User {http.auth.user.id}
		}
		reverse_proxy {{upstream}} {
			header_up X-User "{header.X-Other} canary-composed"
		}
	}
}
`, selftest.Options{Headers: []string{"X-User"}, URLs: []string{"http://site.example/?token=canary-url"}})
	if report.Count(selftest.Leak) < 2 {
		t.Errorf("%d leaks: %+v", report.Count(selftest.Leak), report)
	}
	encoded, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := errors.Join(report.Write(&text), report.WriteList(&text)); err != nil {
		t.Fatal(err)
	}
	for _, written := range []string{string(encoded), text.String()} {
		if strings.Contains(written, "canary") {
			t.Errorf("a secret is in %s", written)
		}
	}
}

// The guests of the copy admit everybody. In a configuration they are unknown
// modules, and in a process that ran a self-test they refuse to be provisioned.
func TestSelfTestGuestsAreNoBackDoor(t *testing.T) {
	guests := map[string]string{
		"authenticator": `{"handler": "rest_auth", "authenticators": [{"authenticator": "self_test", "token": "%s"}]}`,
		"provider":      `{"handler": "authentication", "providers": {"rest_auth_self_test": {"token": "%s"}}}`,
		"waypoint":      `{"handler": "rest_auth_self_test", "token": "%s", "place": "entry"}`,
	}
	config := func(guest, token string) []byte {
		return []byte(`{"apps": {"http": {"servers": {"a": {"listen": [":8080"], "routes": [{"handle": [` + strings.Replace(guest, "%s", token, 1) + `]}]}}}}}`)
	}
	runSelfTest(t, "http://site.example {\nrespond ok\n}", selftest.Options{})
	for name, guest := range guests {
		for _, token := range []string{"", "guess"} {
			err := validate(t, config(guest, token))
			if err == nil || !strings.Contains(err.Error(), "part of 'caddy rest-auth self-test' and of no configuration") {
				t.Errorf("%s with the token %q: %v", name, token, err)
			}
		}
	}
	// Another process has none of them.
	sh := newShell(t, "")
	out, err := sh.command("list-modules").Output()
	if err != nil || !bytes.Contains(out, []byte("http.handlers.rest_auth\n")) {
		t.Fatalf("the modules are %s, %v", out, err)
	}
	if bytes.Contains(out, []byte("self_test")) {
		t.Error("the guests of the self-test are modules of every Caddy")
	}
	for name, guest := range guests {
		sh.write("guest.json", string(config(guest, "")))
		if out, err := sh.command("validate --config guest.json").CombinedOutput(); err == nil || !bytes.Contains(out, []byte("unknown module")) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// A configuration that cannot be loaded leaves nothing behind.
func TestSelfTestOfWhatDoesNotLoad(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	config := `{"apps": {"http": {"servers": {"a": {"routes": [{"handle": [{"handler": "rest_auth", "unknown": 1}]}]}}}}}`
	if _, err := selftest.Run(t.Context(), []byte(config), selftest.Options{}); err == nil || !strings.Contains(err.Error(), `unknown field "unknown"`) {
		t.Errorf("Run = %v", err)
	}
	config = `{"apps": {"third_party": {}, "http": {"servers": {"a": {"routes": [{"handle": [{"handler": "third_party"}]}]}}}}}`
	if _, err := selftest.Run(t.Context(), []byte(config), selftest.Options{}); err != nil {
		t.Errorf("what is left out is missed: %v", err)
	}
	_, err := selftest.Run(t.Context(), []byte(config), selftest.Options{Keep: []string{"third_party"}})
	if err == nil || !strings.Contains(err.Error(), "unknown module") {
		t.Errorf("what is kept is not loaded: %v", err)
	}
	interrupted, interrupt := context.WithCancel(t.Context())
	interrupt()
	if _, err := selftest.Run(interrupted, []byte(`{"apps": {"http": {"servers": {"a": {}}}}}`), selftest.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted run returns %v", err)
	}
	if err := caddy.Stop(); err != nil {
		t.Error(err)
	}
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), "rest-auth-self-test-*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

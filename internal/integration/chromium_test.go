// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
)

// TestMain spares what the passwords of the tests would cost, and ends the
// browser that they share.
func TestMain(m *testing.M) {
	password.MakeCheap()
	code := m.Run()
	if running != nil {
		running.stop()
	}
	os.Exit(code)
}

// running is the one browser of all tests, none before it is first asked for.
var running *driver

// driver is a ChromeDriver with one session of a headless Chromium.
type driver struct {
	process *exec.Cmd
	session string // URL
	dir     string
}

// browser is Chromium as a person in one test uses it. Commands that fail end
// the test.
type browser struct {
	t *testing.T
	*driver
}

// chromium returns a browser without cookies, at a blank page, in a light and
// large window.
func chromium(t *testing.T) *browser {
	t.Helper()
	if running == nil {
		running = startChromium(t)
	}
	b := &browser{t, running}
	b.open("about:blank")
	b.cdp("Network.clearBrowserCookies", nil)
	b.size(1000, 700, 1)
	b.colors("light")
	return b
}

func startChromium(t *testing.T) *driver {
	t.Helper()
	chromium := debian(t, "/usr/bin/chromium", "chromium")
	chromedriver := debian(t, "/usr/bin/chromedriver", "chromium-driver")
	dir, err := os.MkdirTemp("", "chromium") //nolint:usetesting // the browser outlives the test
	if err != nil {
		t.Fatal(err)
	}
	d := &driver{process: exec.Command(chromedriver, "--port=0"), dir: dir}
	d.process.Env = append(os.Environ(), "HOME="+dir)
	// Its own group, so that nothing of it is left behind.
	d.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := d.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.process.Start(); err != nil {
		t.Fatal(err)
	}
	port := ""
	for lines := bufio.NewScanner(out); port == "" && lines.Scan(); {
		if found := regexp.MustCompile(`successfully on port (\d+)`).FindStringSubmatch(lines.Text()); found != nil {
			port = found[1]
		}
	}
	if port == "" {
		d.stop()
		t.Fatal("chromedriver did not start")
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	d.session = "http://127.0.0.1:" + port + "/session"
	answer, err := d.call(http.MethodPost, "", map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{
		"browserName":         "chrome",
		"acceptInsecureCerts": true, // those that a test makes for itself
		"goog:chromeOptions": map[string]any{
			"binary": chromium,
			"args": []string{
				"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
				"--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
				"--user-data-dir=" + filepath.Join(dir, "profile"),
			},
		},
	}}})
	var session struct {
		SessionID    string         `json:"sessionId"`
		Capabilities map[string]any `json:"capabilities"`
	}
	if err == nil {
		err = json.Unmarshal(answer, &session)
	}
	if err != nil {
		d.stop()
		t.Fatalf("starting Chromium: %v", err)
	}
	t.Logf("Chromium %v", session.Capabilities["browserVersion"])
	d.session += "/" + session.SessionID
	return d
}

func (d *driver) stop() {
	if d.session != "" {
		_, _ = d.call(http.MethodDelete, "", nil)
	}
	_ = syscall.Kill(-d.process.Process.Pid, syscall.SIGKILL)
	_ = d.process.Wait()
	_ = os.RemoveAll(d.dir)
}

// call sends a command of https://www.w3.org/TR/webdriver2/.
func (d *driver) call(method, command string, in any) (json.RawMessage, error) {
	var body io.Reader
	if method == http.MethodPost {
		if in == nil {
			in = struct{}{}
		}
		encoded, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(encoded)
	}
	r, err := http.NewRequest(method, d.session+command, body)
	if err != nil {
		return nil, err
	}
	response, err := (&http.Client{Timeout: time.Minute}).Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer struct {
		Value json.RawMessage `json:"value"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s", method, command, answer.Value)
	}
	return answer.Value, nil
}

func (b *browser) do(method, command string, in, out any) {
	b.t.Helper()
	b.steady(func() error {
		value, err := b.call(method, command, in)
		if err == nil && out != nil {
			err = json.Unmarshal(value, out)
		}
		return err
	})
}

// passing are what commands say that came while a page was going away.
var passing = regexp.MustCompile(`stale element|no such execution context|does not belong to the document|aborted by navigation|detached|Cannot find context`)

// steady makes an attempt again that a page which was going away has spoiled.
func (b *browser) steady(attempt func() error) {
	b.t.Helper()
	err := attempt()
	for began := time.Now(); err != nil && passing.MatchString(err.Error()) && time.Since(began) < 20*time.Second; err = attempt() {
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		b.t.Fatalf("Chromium: %v", err)
	}
}

// onElement sends commands to the element that a CSS selector finds.
func (b *browser) onElement(css string, commands ...func(element string) error) {
	b.t.Helper()
	b.steady(func() error {
		value, err := b.call(http.MethodPost, "/element", map[string]any{"using": "css selector", "value": css})
		if err != nil {
			return err
		}
		var found map[string]string
		if err := json.Unmarshal(value, &found); err != nil {
			return err
		}
		for _, command := range commands {
			if err := command("/element/" + found[elementKey]); err != nil {
				return err
			}
		}
		return nil
	})
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// cdp sends a command of the Chrome DevTools Protocol.
func (b *browser) cdp(command string, params map[string]any) {
	b.t.Helper()
	if params == nil {
		params = map[string]any{}
	}
	b.do(http.MethodPost, "/goog/cdp/execute", map[string]any{"cmd": command, "params": params}, nil)
}

// open goes to a page, as by typing its address.
func (b *browser) open(url string) {
	b.t.Helper()
	b.do(http.MethodPost, "/url", map[string]any{"url": url}, nil)
}

func (b *browser) url() (url string) {
	b.t.Helper()
	b.do(http.MethodGet, "/url", nil, &url)
	return url
}

// status returns that of the answer that the page came with.
func (b *browser) status() int {
	b.t.Helper()
	var status int
	b.run(&status, "return performance.getEntriesByType('navigation')[0].responseStatus")
	return status
}

// run runs a script in the page.
func (b *browser) run(out any, script string, args ...any) {
	b.t.Helper()
	if args == nil {
		args = []any{}
	}
	b.do(http.MethodPost, "/execute/sync", map[string]any{"script": script, "args": args}, out)
}

// elementKey is the name under which WebDriver refers to an element.
const elementKey = "element-6066-11e4-a52e-4f735466cecf"

// has reports whether the page has such an element.
func (b *browser) has(css string) bool {
	b.t.Helper()
	var n int
	b.run(&n, "return document.querySelectorAll(arguments[0]).length", css)
	return n > 0
}

// text returns what a person reads there, and nothing if there is no such
// element: the page may be changing just now.
func (b *browser) text(css string) (text string) {
	b.t.Helper()
	b.run(&text, "return document.querySelector(arguments[0])?.innerText ?? ''", css)
	return text
}

// label returns what a screen reader calls the element.
func (b *browser) label(css string) (label string) {
	b.t.Helper()
	b.onElement(css, func(element string) error {
		value, err := b.call(http.MethodGet, element+"/computedlabel", nil)
		if err != nil {
			return err
		}
		return json.Unmarshal(value, &label)
	})
	return label
}

// fill replaces what a field has.
func (b *browser) fill(css, text string) {
	b.t.Helper()
	b.onElement(css, func(field string) error {
		_, err := b.call(http.MethodPost, field+"/clear", nil)
		return err
	}, func(field string) error {
		_, err := b.call(http.MethodPost, field+"/value", map[string]any{"text": text})
		return err
	})
}

func (b *browser) click(css string) {
	b.t.Helper()
	b.onElement(css, func(element string) error {
		_, err := b.call(http.MethodPost, element+"/click", nil)
		return err
	})
}

// leave does what leads to another page, or to this one anew, and waits for it.
func (b *browser) leave(by func()) {
	b.t.Helper()
	b.run(nil, "window.stays = true")
	by()
	b.await("another page", func() bool {
		var there bool
		b.run(&there, "return !window.stays && document.readyState === 'complete'")
		return there
	})
}

// submit clicks on what sends a form, and waits for the answer.
func (b *browser) submit(css string) {
	b.t.Helper()
	b.leave(func() { b.click(css) })
}

// Keys of https://www.w3.org/TR/webdriver2/#keyboard-actions.
const (
	keyTab   = "\ue004"
	keyEnter = "\ue007"
	keySpace = " "
)

// keys types on the keyboard, wherever the focus is.
func (b *browser) keys(text string) {
	b.t.Helper()
	var actions []map[string]any
	for _, key := range text {
		actions = append(actions, map[string]any{"type": "keyDown", "value": string(key)}, map[string]any{"type": "keyUp", "value": string(key)})
	}
	b.do(http.MethodPost, "/actions", map[string]any{"actions": []any{
		map[string]any{"type": "key", "id": "keyboard", "actions": actions},
	}}, nil)
}

// focused returns the name or else the text of the element with the focus.
func (b *browser) focused() (name string) {
	b.t.Helper()
	b.run(&name, "const e = document.activeElement; return e.name || e.innerText")
	return name
}

// await waits until something is so.
func (b *browser) await(what string, is func() bool) {
	b.t.Helper()
	for began := time.Now(); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			b.t.Fatalf("Chromium: waited for %s in vain, at %s", what, b.url())
		}
	}
}

// size sets how large the page is, in CSS pixels, and how much it is zoomed.
func (b *browser) size(width, height int, zoom float64) {
	b.t.Helper()
	b.cdp("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": int(float64(width) / zoom), "height": int(float64(height) / zoom), "deviceScaleFactor": zoom, "mobile": false,
	})
}

// colors sets whether the person likes it "light" or "dark".
func (b *browser) colors(scheme string) {
	b.t.Helper()
	b.cdp("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]string{"name": "prefers-color-scheme", "value": scheme}}})
}

// shot keeps a picture of the page, if REST_AUTH_SHOTS says in which directory.
func (b *browser) shot(name string) {
	b.t.Helper()
	dir := os.Getenv("REST_AUTH_SHOTS")
	if dir == "" {
		return
	}
	var encoded string
	b.do(http.MethodGet, "/screenshot", nil, &encoded)
	picture, err := base64.StdEncoding.DecodeString(encoded)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// fits fails the test if a person has to scroll sideways.
func (b *browser) fits(where string) {
	b.t.Helper()
	var over []string
	b.run(&over, `const wide = document.documentElement.clientWidth;
		return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > wide + 1).map(e => e.outerHTML.slice(0, 80))`)
	if len(over) > 0 {
		b.t.Errorf("%s: these are cut off at the right: %s", where, strings.Join(over, "\n"))
	}
}

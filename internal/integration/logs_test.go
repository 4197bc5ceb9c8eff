// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// logSink is a file that a test's Caddy logs to, as JSON lines.
type logSink struct {
	t      *testing.T
	path   string
	output string // for the Caddyfile
}

func newLogSink(t *testing.T) *logSink {
	path := filepath.Join(t.TempDir(), "caddy.log")
	return &logSink{t: t, path: path, output: "file " + path}
}

// text returns everything that was logged until now.
func (l *logSink) text() string {
	l.t.Helper()
	text, err := os.ReadFile(l.path)
	if err != nil {
		l.t.Fatal(err)
	}
	return string(text)
}

// lines returns the lines with a message.
func (l *logSink) lines(message string) []map[string]any {
	l.t.Helper()
	var found []map[string]any
	for line := range strings.Lines(l.text()) {
		var fields map[string]any
		if json.Unmarshal([]byte(line), &fields) == nil && fields["msg"] == message {
			found = append(found, fields)
		}
	}
	return found
}

// await returns the lines with a message once there are n of them.
func (l *logSink) await(message string, n int) []map[string]any {
	l.t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		found := l.lines(message)
		if len(found) >= n {
			return found
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("%d lines %q were logged, want %d:\n%s", len(found), message, n, l.text())
		}
	}
}

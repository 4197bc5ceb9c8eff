// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func TestParseExpiry(t *testing.T) {
	now := time.Date(2027, 1, 2, 3, 4, 5, 6, time.UTC)
	for text, want := range map[string]string{
		"90d":                       "2027-04-02T03:04:05Z",
		"12h":                       "2027-01-02T15:04:05Z",
		"1d12h":                     "2027-01-03T15:04:05Z",
		"2027-02-01":                "2027-02-01T00:00:00Z",
		"2027-02-01T00:00:00+01:00": "2027-01-31T23:00:00Z",
	} {
		got, err := parseExpiry(text, now)
		if err != nil || when(got) != want {
			t.Errorf("parseExpiry(%q) = %s, %v, want %s", text, when(got), err, want)
		}
	}
	if got, err := parseExpiry("", now); got != nil || err != nil {
		t.Errorf("parseExpiry(\"\") = %v, %v, want neither", got, err)
	}
	for _, text := range []string{"90", "never", "0s", "-1h", "2027-13-01", "d"} {
		if got, err := parseExpiry(text, now); err == nil {
			t.Errorf("parseExpiry(%q) = %s, want an error", text, got)
		}
	}
}

func TestEscape(t *testing.T) {
	for text, want := range map[string]string{
		"alice": "alice", "a/b": "a%2Fb", ".": "%2E", "..": "%2E%2E", "a.b": "a.b", "a b?#%": "a%20b%3F%23%25", "é": "%C3%A9",
	} {
		got := escape(text)
		if got != want {
			t.Errorf("escape(%q) = %q, want %q", text, got, want)
		}
		if back, err := url.PathUnescape(got); err != nil || back != text {
			t.Errorf("escape(%q) reads as %q, %v", text, back, err)
		}
	}
}

func TestCell(t *testing.T) {
	for text, want := range map[string]string{
		"": "-", "laptop": "laptop", "é 日本": "é 日本",
		"a\tb": `"a\tb"`, "\x1b[2J": `"\x1b[2J"`, "a\u202eb": `"a\u202eb"`, "a\xffb": `"a\xffb"`,
	} {
		if got := cell(text); got != want {
			t.Errorf("cell(%q) = %s, want %s", text, got, want)
		}
	}
}

func TestReadPassword(t *testing.T) {
	for text, want := range map[string]string{
		"secret": "secret", "secret\n": "secret", "secret\r\n": "secret", " a b ": " a b ", "": "", "\n": "",
	} {
		got, err := readPassword(strings.NewReader(text))
		if err != nil || *got != want {
			t.Errorf("readPassword(%q) = %v, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"a\nb\n", "a\n\n", "a\rb", "a\xff", strings.Repeat("x", maxPasswordInput+1)} {
		if _, err := readPassword(strings.NewReader(text)); err == nil {
			t.Errorf("readPassword(%.10q…) = nil, want an error", text)
		}
	}
}

// TestPasswordFlags covers where a password may come from; without a terminal
// one of the flags is needed.
func TestPasswordFlags(t *testing.T) {
	for _, c := range []struct {
		args string
		want string
	}{
		{"", "there is no terminal"},
		{"--password-stdin --no-password", "exclude each other"},
		{"--password-file a --password-stdin", "exclude each other"},
		{"--password-file /nonexistent/file", "reading the password"},
	} {
		flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
		passwordFlags(flags)
		if err := flags.Parse(strings.Fields(c.args)); err != nil {
			t.Fatal(err)
		}
		s := &invocation{Flags: caddycmd.Flags{FlagSet: flags}, in: strings.NewReader("x"), err: io.Discard}
		if _, err := s.password("?"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("password(%s) = %v, want %q", c.args, err, c.want)
		}
	}
}

func TestCheckHandles(t *testing.T) {
	if err := checkHandles("x7k2m9qh4t8w1z3c", "imported-1"); err != nil {
		t.Errorf("handles are refused: %v", err)
	}
	secret := "cra_012345678901234567890123456789abcdef"
	for _, text := range []string{secret, strings.Repeat("a", 40), "cra_short"} {
		if err := checkHandles("x", text); err == nil || strings.Contains(err.Error(), text) {
			t.Errorf("checkHandles(%q) = %v, want an error without it", text, err)
		}
	}
}

// TestNoSecretFlags looks at every flag of every command: none may take a
// secret as its value.
func TestNoSecretFlags(t *testing.T) {
	commands := 0
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		commands++
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			for _, word := range []string{"password", "secret", "token"} {
				if strings.Contains(flag.Name, word) && flag.Value.Type() == "string" && !strings.HasSuffix(flag.Name, "-file") {
					t.Errorf("%s --%s takes a secret", cmd.CommandPath(), flag.Name)
				}
			}
		})
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	for _, cmd := range []*cobra.Command{userCommand(), groupCommand(), tokenCommand(), storeCommand()} {
		visit(cmd)
	}
	if commands != 4+8+3+4+3 {
		t.Errorf("%d commands were looked at", commands)
	}
}

func TestInProcess(t *testing.T) {
	do := inProcess(t.Context(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/echo":
			_, _ = io.Copy(w, r.Body)
		case "/cut":
			_, _ = io.WriteString(w, "half")
			panic(http.ErrAbortHandler)
		case "/refused":
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, `{"error":"taken"}`)
		case "/odd":
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	body := strings.Repeat("x", 1<<20)
	answer, err := do(http.MethodPost, "/echo", http.Header{}, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(answer.Body); err != nil || !bytes.Equal(got, []byte(body)) {
		t.Errorf("read %d bytes, %v, want %d", len(got), err, len(body))
	}
	if answer, err = do(http.MethodPost, "/cut", http.Header{}, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(answer.Body); !errors.Is(err, io.ErrUnexpectedEOF) || string(got) != "half" {
		t.Errorf("a body that was cut short reads as %q, %v", got, err)
	}
	for path, want := range map[string]string{"/refused": "taken", "/odd": "status 418"} {
		if _, err := do(http.MethodGet, path, http.Header{}, nil); err == nil || err.Error() != want {
			t.Errorf("GET %s = %v, want %q", path, err, want)
		}
	}
}

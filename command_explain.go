// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/manage"
)

// maxHeaderInput bounds what is read in search of headers; the API takes less.
const maxHeaderInput = 64 << 10

func explainCommand() *cobra.Command {
	return action("explain", "Says what the running Caddy would make of a request, and why, without sending or changing anything", cobra.NoArgs, func(flags *pflag.FlagSet) {
		flags.String("url", "", "The request's URL, as https://api.example.com/orders")
		flags.StringP("method", "X", http.MethodGet, "The request's method")
		flags.StringArrayP("header", "H", nil, "A header as 'Name: value', a @file of such lines, or - for standard input; credentials come from the last two only")
		flags.String("from", "", "The address that the request comes from (default: 127.0.0.1)")
		flags.String("server", "", "The server that gets the request, if its port does not tell")
		jsonFlag(flags)
	}, explainCommandRun)
}

func explainCommandRun(s *invocation) error {
	if s.Bool("offline") {
		return errors.New("--offline opens a store; only a running Caddy has routes to explain")
	}
	if s.String("url") == "" {
		return errors.New("--url is missing")
	}
	in := explainRequest{URL: s.String("url"), Method: s.String("method"), From: s.String("from"), Server: s.String("server")}
	if err := in.check(); err != nil {
		return err
	}
	given, err := s.GetStringArray("header")
	if err != nil {
		return err
	}
	if in.Headers, err = s.headers(given); err != nil {
		return err
	}
	var report explanation
	if err := s.call(http.MethodPost, "explain", &in, &report); err != nil {
		return err
	}
	if s.Bool("json") {
		return s.json(&report)
	}
	if _, err := io.WriteString(s.out, report.String()); err != nil {
		return fmt.Errorf("writing the explanation: %w", err)
	}
	return nil
}

// headers reads the headers that the flags name. No error repeats a line: it
// may hold the secret whose name was misspelt.
func (s *invocation) headers(given []string) (map[string][]string, error) {
	headers := make(map[string][]string)
	for i, one := range given {
		file, isFile := strings.CutPrefix(one, "@")
		switch {
		case one == "-", one == "@-":
			if err := addHeaders(headers, s.in); err != nil {
				return nil, fmt.Errorf("reading headers from standard input: %w", err)
			}
		case isFile:
			if err := addHeaderFile(headers, file); err != nil {
				return nil, err
			}
		default:
			name, value, err := parseHeaderLine(one)
			if err != nil {
				return nil, fmt.Errorf("-H number %d: %w", i+1, err)
			}
			if isCredential(name, value) {
				return nil, fmt.Errorf("-H number %d is a credential, which other users of this machine may have seen now; "+
					"-H @file and -H - read headers from a file and from standard input", i+1)
			}
			headers[name] = append(headers[name], value)
		}
	}
	return headers, nil
}

func addHeaderFile(headers map[string][]string, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("reading headers: %w", err)
	}
	defer file.Close()
	if err := addHeaders(headers, file); err != nil {
		return fmt.Errorf("reading headers from %s: %w", name, err)
	}
	return nil
}

// addHeaders reads one header a line; blank lines are left out.
func addHeaders(headers map[string][]string, from io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(from, maxHeaderInput+1))
	if err != nil {
		return err
	}
	if len(text) > maxHeaderInput {
		return errors.New("there is too much")
	}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" {
			continue
		}
		name, value, err := parseHeaderLine(line)
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		headers[name] = append(headers[name], value)
	}
	return nil
}

func parseHeaderLine(line string) (name, value string, err error) {
	name, value, ok := strings.Cut(line, ":")
	if !ok || name == "" || strings.TrimSpace(name) != name {
		return "", "", errors.New("must be a header as 'Name: value'")
	}
	return http.CanonicalHeaderKey(name), strings.TrimSpace(value), nil
}

// isCredential reports whether a header is no argument for a command. It knows
// those by name that everybody sends credentials in.
func isCredential(name, value string) bool {
	secret := slices.ContainsFunc([]string{"Auth", "Cookie", "Key", "Password", "Secret", "Session", "Signature", "Token"},
		func(part string) bool { return strings.Contains(name, part) })
	if secret {
		return !isShownScheme(value) && value != ""
	}
	return slices.ContainsFunc(strings.Fields(value), func(word string) bool { return strings.HasPrefix(word, "cra_") && manage.LooksSecret(word) })
}

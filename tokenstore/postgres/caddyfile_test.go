// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func TestUnmarshalCaddyfile(t *testing.T) {
	for input, want := range map[string]Driver{
		`postgres`:                {},
		`postgres {env.DB}`:       {DSN: "{env.DB}"},
		`postgres "host=a b=c"`:   {DSN: "host=a b=c"},
		"postgres {\n dsn x\n}":   {DSN: "x"},
		"postgres x {\n}":         {DSN: "x"},
		"postgres {\nschema s\n}": {Schema: "s"},
		"postgres x {\n password_file /f\n schema s\n max_connections 5\n connect_timeout 1s\n statement_timeout 3s\n}": {
			DSN: "x", PasswordFile: "/f", Schema: "s", MaxConnections: 5,
			ConnectTimeout: caddy.Duration(time.Second), StatementTimeout: caddy.Duration(3 * time.Second),
		},
	} {
		var d Driver
		if err := d.UnmarshalCaddyfile(caddyfile.NewTestDispenser(input)); err != nil {
			t.Errorf("%s: %v", input, err)
		} else if d.DSN != want.DSN || d.PasswordFile != want.PasswordFile || d.Schema != want.Schema || d.MaxConnections != want.MaxConnections ||
			d.ConnectTimeout != want.ConnectTimeout || d.StatementTimeout != want.StatementTimeout {
			t.Errorf("%s: %+v, want %+v", input, &d, &want)
		}
	}
}

func TestUnmarshalCaddyfile_errors(t *testing.T) {
	for input, want := range map[string]string{
		"postgres host=a " + secret:                 "quotes",
		"postgres x {\n dsn " + secret + "\n}":      "dsn is given twice",
		"postgres {\n dsn x\n dsn y\n}":             "dsn is given twice",
		"postgres {\n schema a\n schema b\n}":       "schema is given twice",
		"postgres {\n dsn\n}":                       "dsn needs a value",
		"postgres {\n dsn \"\"\n}":                  "dsn needs a value",
		"postgres {\n dsn host=a " + secret + "\n}": "quotes",
		"postgres {\n max_connections many\n}":      "max_connections",
		"postgres {\n max_connections 0\n}":         "max_connections",
		"postgres {\n connect_timeout soon\n}":      "connect_timeout",
		"postgres {\n statement_timeout -1s\n}":     "statement_timeout",
		"postgres {\n statement_timeout 0s\n}":      "statement_timeout",
		"postgres {\n password " + secret + "\n}":   "unrecognized subdirective 'password'",
		"postgres {\n schema s {\n}\n}":             "",
	} {
		var d Driver
		err := d.UnmarshalCaddyfile(caddyfile.NewTestDispenser(input))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v, want %q", input, err, want)
		}
	}
}

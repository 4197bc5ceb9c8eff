// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
)

// configured prepares a driver without a server.
func configured(d *Driver) (*Driver, error) {
	d.logger = zap.NewNop()
	return d, d.prepare()
}

// clean keeps the environment of whoever runs the tests out of them.
func clean(t *testing.T) {
	t.Helper()
	for _, name := range []string{"PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSERVICE", "PGPASSFILE", "PGSSLMODE", "PGTARGETSESSIONATTRS"} {
		if value, set := os.LookupEnv(name); set {
			t.Setenv(name, value) // puts it back
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Setenv("HOME", t.TempDir()) // of .pgpass and certificates
}

const secret = "hunter2hunter2"

func TestIdentifier(t *testing.T) {
	clean(t)
	t.Setenv("PGPASSWORD", secret)
	t.Setenv("STORE_URL", "postgres://caddy:"+secret+"@db.example/auth")
	file := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(file, []byte("host=/run/postgresql user=caddy dbname=auth"), 0o600); err != nil {
		t.Fatal(err)
	}
	for dsn, want := range map[string]string{
		"postgres://caddy:" + secret + "@db.example/auth":             "postgres:caddy@db.example:5432/auth?schema=rest_auth#",
		"postgresql://caddy@a.example:1,b.example:2/auth":             "postgres:caddy@a.example:1,b.example:2/auth?schema=rest_auth#",
		"user=caddy password=" + secret + " host=/run/pg dbname=auth": "postgres:caddy@/run/pg/.s.PGSQL.5432/auth?schema=rest_auth#",
		"user=caddy host=::1 port=6432 dbname=auth":                   "postgres:caddy@[::1]:6432/auth?schema=rest_auth#",
		"{env.STORE_URL}":     "postgres:caddy@db.example:5432/auth?schema=rest_auth#",
		"{file." + file + "}": "postgres:caddy@/run/postgresql/.s.PGSQL.5432/auth?schema=rest_auth#",
		"user=caddy host=db.example dbname=auth keepalives_idle=5 tcp_user_timeout=1000": "postgres:caddy@db.example:5432/auth?schema=rest_auth#",
	} {
		d, err := configured(&Driver{DSN: dsn})
		if err != nil {
			t.Errorf("%s: %v", dsn, err)
			continue
		}
		place, fingerprint, _ := strings.Cut(d.Identifier(), "#")
		if place+"#" != want || len(fingerprint) != 8 || strings.Contains(d.Identifier(), secret) {
			t.Errorf("%s is %s, want %s", dsn, d.Identifier(), want)
		}
		for option := range d.config.ConnConfig.RuntimeParams {
			if option != "application_name" {
				t.Errorf("%s sends the option %s to the server", dsn, option)
			}
		}
	}
}

// Configurations that differ in anything have stores of their own, so that a
// reload puts a change into effect.
func TestIdentifier_differs(t *testing.T) {
	clean(t)
	seen := make(map[string]string)
	for name, d := range map[string]*Driver{
		"":                  {DSN: "user=caddy host=a dbname=auth"},
		"password":          {DSN: "user=caddy host=a dbname=auth password=x"},
		"other password":    {DSN: "user=caddy host=a dbname=auth password=y"},
		"password_file":     {DSN: "user=caddy host=a dbname=auth", PasswordFile: "/x"},
		"schema":            {DSN: "user=caddy host=a dbname=auth", Schema: "other"},
		"max_connections":   {DSN: "user=caddy host=a dbname=auth", MaxConnections: 3},
		"connect_timeout":   {DSN: "user=caddy host=a dbname=auth", ConnectTimeout: caddy.Duration(time.Second)},
		"statement_timeout": {DSN: "user=caddy host=a dbname=auth", StatementTimeout: caddy.Duration(time.Second)},
	} {
		again := *d
		first, err := configured(d)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		second, err := configured(&again)
		if err != nil || first.Identifier() != second.Identifier() {
			t.Errorf("%s: %s and %s for one configuration, %v", name, first.Identifier(), second.Identifier(), err)
		}
		if other, taken := seen[first.Identifier()]; taken {
			t.Errorf("%q and %q have the same identifier %s", name, other, first.Identifier())
		}
		seen[first.Identifier()] = name
	}
}

func TestEnvironment(t *testing.T) {
	clean(t)
	t.Setenv("PGHOST", "/run/pg")
	t.Setenv("PGUSER", "web")
	t.Setenv("PGDATABASE", "django")
	d, err := configured(new(Driver))
	if err != nil || !strings.HasPrefix(d.Identifier(), "postgres:web@/run/pg/.s.PGSQL.5432/django?schema=rest_auth#") {
		t.Errorf("%s, %v", d.Identifier(), err)
	}
	if d.MaxConnections != defaultMaxConnections || d.config.ConnConfig.ConnectTimeout != defaultConnectTimeout {
		t.Errorf("%d connections, connected within %s", d.MaxConnections, d.config.ConnConfig.ConnectTimeout)
	}
	if d, err := configured(&Driver{DSN: "pool_max_conns=3"}); err != nil || d.MaxConnections != 3 {
		t.Errorf("pool_max_conns=3: %d connections, %v", d.MaxConnections, err)
	}
}

// Errors of the options say what is wrong, and nothing that may be secret.
func TestErrors(t *testing.T) {
	clean(t)
	for name, tt := range map[string]struct {
		driver Driver
		want   string
	}{
		"neither":              {Driver{DSN: "db.example:5432 " + secret}, "neither a URL"},
		"broken URL":           {Driver{DSN: "postgres://caddy:" + secret + "%zz@db/auth"}, "neither a URL"},
		"slash in a password":  {Driver{DSN: "postgres://caddy:12/" + secret + "@db/auth"}, "percent-encoded"},
		"port":                 {Driver{DSN: "postgres://caddy:" + secret + "@db:port/auth"}, "invalid port"},
		"sslmode":              {Driver{DSN: "postgres://caddy:" + secret + "@db/auth?sslmode=" + secret}, "TLS"},
		"certificate":          {Driver{DSN: "host=db sslmode=verify-full sslrootcert=/nowhere/ca.pem password=" + secret}, "/nowhere/ca.pem"},
		"session attributes":   {Driver{DSN: "host=db target_session_attrs=writable password=" + secret}, "unknown target_session_attrs"},
		"standby":              {Driver{DSN: "host=db target_session_attrs=standby"}, "standby"},
		"read-only":            {Driver{DSN: "host=db target_session_attrs=read-only"}, "standby"},
		"standby preferred":    {Driver{DSN: "host=db target_session_attrs=prefer-standby"}, "standby"},
		"exec mode":            {Driver{DSN: "host=db default_query_exec_mode=fast"}, "default_query_exec_mode"},
		"no cache":             {Driver{DSN: "host=db statement_cache_capacity=0"}, "default_query_exec_mode"},
		"no descriptions":      {Driver{DSN: "host=db default_query_exec_mode=cache_describe description_cache_capacity=0"}, "default_query_exec_mode"},
		"unknown placeholder":  {Driver{DSN: "{env.STORE_" + "NOT_SET}"}, "{env.STORE_NOT_SET}"},
		"password with braces": {Driver{DSN: "host=db password={" + secret + "}"}, "placeholder"},
		"password file":        {Driver{DSN: "host=db", PasswordFile: "{env.STORE_NOT_SET}"}, "password_file"},
		"schema":               {Driver{Schema: `x"; DROP SCHEMA public; --`}, "schema"},
		"schema of the server": {Driver{Schema: "pg_catalog"}, "schema"},
		"long schema":          {Driver{Schema: strings.Repeat("x", 41)}, "schema"},
		"connections":          {Driver{MaxConnections: -1}, "max_connections"},
		"connect timeout":      {Driver{ConnectTimeout: caddy.Duration(time.Millisecond)}, "connect_timeout"},
		"statement timeout":    {Driver{StatementTimeout: caddy.Duration(2 * time.Hour)}, "statement_timeout"},
	} {
		_, err := configured(&tt.driver)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error tells the secret: %v", name, err)
		}
	}
}

// FuzzDSN looks for connection strings that let a password into an error or a log.
func FuzzDSN(f *testing.F) {
	for _, parts := range [][2]string{
		{"postgres://caddy:", "@db/auth"},
		{"postgres://caddy:1/", "@db/auth"},
		{"postgresql://", ":x@/"},
		{"host=db password=", ""},
		{"host=db password='", "' user=x"},
		{"password = ", " sslmode=y"},
		{"postgres://u:p?password=", "#"},
		{"postgres://u:", "@[::1]:x/"},
	} {
		f.Add(parts[0], parts[1])
	}
	clean := func(s string) bool { return !strings.ContainsAny(s, "{}") && !strings.Contains(s, "service") }
	f.Fuzz(func(t *testing.T, before, after string) {
		if !clean(before) || !clean(after) {
			t.Skip() // what Caddy replaces, and what is read from files
		}
		d, err := configured(&Driver{DSN: before + secret + after})
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error tells the secret: %v", err)
		}
		if err == nil && d.config.ConnConfig.Password == secret && strings.Contains(d.Identifier(), secret) {
			t.Errorf("the identifier %s tells the password", d.Identifier())
		}
	})
}

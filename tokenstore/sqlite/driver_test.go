// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func TestUnmarshalCaddyfile(t *testing.T) {
	for name, tt := range map[string]struct {
		input string
		want  Driver
		err   string
	}{
		"nothing":         {input: `sqlite`},
		"path":            {input: `sqlite /srv/auth.db`, want: Driver{Path: "/srv/auth.db"}},
		"options":         {input: "sqlite {\n\tbusy_timeout 1m\n\tallow_network_filesystem\n}", want: Driver{BusyTimeout: caddy.Duration(time.Minute), AllowNetworkFilesystem: true}},
		"two paths":       {input: `sqlite a b`, err: "wrong argument count"},
		"no duration":     {input: "sqlite {\n\tbusy_timeout\n}", err: "wrong argument count"},
		"bad duration":    {input: "sqlite {\n\tbusy_timeout soon\n}", err: "parsing busy_timeout"},
		"two durations":   {input: "sqlite {\n\tbusy_timeout 1s 2s\n}", err: "wrong argument count"},
		"flag with words": {input: "sqlite {\n\tallow_network_filesystem yes\n}", err: "wrong argument count"},
		"unknown":         {input: "sqlite {\n\tbusy 1s\n}", err: "unrecognized subdirective 'busy'"},
	} {
		t.Run(name, func(t *testing.T) {
			var d Driver
			err := d.UnmarshalCaddyfile(caddyfile.NewTestDispenser(tt.input))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil || d != tt.want {
				t.Errorf("driver %+v, %v, want %+v", d, err, tt.want)
			}
		})
	}
}

func TestProvision(t *testing.T) {
	t.Setenv("STORE_DIR", t.TempDir())
	for name, tt := range map[string]struct{ path, want, err string }{
		"default":     {"", filepath.Join(caddy.AppDataDir(), "rest_auth.db"), ""},
		"placeholder": {"{env.STORE_DIR}/a.db", "STORE_DIR/a.db", ""},
		"unresolved":  {"{env.STORE_NOWHERE}/a.db", "", "env.STORE_NOWHERE"},
		"unknown":     {"{no.such.thing}/a.db", "", "no.such.thing"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, err := caddy.ProvisionContext(new(caddy.Config))
			if err != nil {
				t.Fatal(err)
			}
			d := Driver{Path: tt.path}
			err = d.Provision(ctx)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want it to name %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Replace(tt.want, "STORE_DIR", filepath.Clean(os.Getenv("STORE_DIR")), 1)
			if d.Path != want || d.Identifier() != "sqlite:"+want {
				t.Errorf("path %s, identifier %s, want %s", d.Path, d.Identifier(), want)
			}
			if time.Duration(d.BusyTimeout) != 5*time.Second || d.Validate() != nil {
				t.Errorf("busy_timeout %v, %v, want 5s", d.BusyTimeout, d.Validate())
			}
		})
	}
}

func TestValidate(t *testing.T) {
	for _, timeout := range []time.Duration{-time.Second, time.Microsecond, 2 * time.Hour} {
		if (&Driver{BusyTimeout: caddy.Duration(timeout)}).Validate() == nil {
			t.Errorf("a busy_timeout of %v is valid", timeout)
		}
	}
}

func TestPathsWithOddCharacters(t *testing.T) {
	d := driverAt(filepath.Join(t.TempDir(), "50% of a?b#c&d=e", "ü 'q' \"r\".db"), t.TempDir())
	closed(t, d)
	wantRecord(t, openStore(t, d))
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// block has every line once.
const block = `{
	cookie                  __Host-s
	cookie_age              14d
	cookie_domain           example.com
	cookie_path             /a
	cookie_samesite         Strict
	cookie_secure           on
	expire_at_browser_close on
	save_every_request      off
	idle_timeout            1800
	absolute_timeout        12h
	csrf_cookie             XSRF-TOKEN
	csrf_cookie_age         31449600
	csrf_cookie_domain      .example.com
	csrf_header             X-XSRF-TOKEN
	trusted_origins         https://a.example https://*.b.example
	trusted_origins         http://c.example
	login_url               /login/
}`

func TestSettings_ParseBlock(t *testing.T) {
	var s Settings
	d := caddyfile.NewTestDispenser("session " + block)
	d.Next()
	if err := s.ParseBlock(d); err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(s)
	const want = `{"cookie":"__Host-s","cookie_age":1209600000000000,"cookie_domain":"example.com","cookie_path":"/a","cookie_samesite":"Strict",` +
		`"cookie_secure":"on","expire_at_browser_close":true,"save_every_request":false,"idle_timeout":1800000000000,"absolute_timeout":43200000000000,` +
		`"csrf_cookie":"XSRF-TOKEN","csrf_cookie_age":31449600000000000,"csrf_cookie_domain":".example.com","csrf_header":"X-XSRF-TOKEN",` +
		`"trusted_origins":["https://a.example","https://*.b.example","http://c.example"],"login_url":"/login/"}`
	if string(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
	// What a line fills is what a block inherits.
	var heir Settings
	heir.inherit(&s)
	if !reflect.DeepEqual(heir, s) {
		t.Errorf("inherited %+v, want %+v", heir, s)
	}
	value := reflect.ValueOf(s)
	for i := range value.NumField() {
		if value.Field(i).IsZero() {
			t.Errorf("no line fills %s", value.Type().Field(i).Name)
		}
	}
}

func TestSettings_ParseBlock_errors(t *testing.T) {
	for _, line := range []string{
		"cookie", "cookie a b", "cookie \"\"", "cookie a\ncookie b", "cookie_age", "cookie_age x", "cookie_age 0", "cookie_age -1", "cookie_age 1h\ncookie_age 2h",
		"cookie_age 99999999999999999999", "cookie_age 9223372036854775807", "cookie_samesite lax", "cookie_samesite Lax Strict", "cookie_secure yes",
		"expire_at_browser_close true", "expire_at_browser_close on on", "save_every_request on\nsave_every_request on", "idle_timeout 1h 2h", "trusted_origins", "login_url", "login_url a b", "unknown x",
	} {
		var s Settings
		d := caddyfile.NewTestDispenser("session {\n" + line + "\n}")
		d.Next()
		if err := s.ParseBlock(d); err == nil {
			t.Errorf("%q is no error", line)
		}
	}
	var s Settings
	d := caddyfile.NewTestDispenser("session x")
	d.Next()
	if err := s.ParseBlock(d); err == nil {
		t.Error("an argument is no error")
	}
}

func TestSettings_Check(t *testing.T) {
	good := map[string]Settings{
		"defaults":     {},
		"host prefix":  {Cookie: "__Host-sessionid", CSRFCookie: "__Host-csrftoken"},
		"login":        {LoginURL: "/login/?a=b"},
		"login URL":    {LoginURL: "https://login.example.com/in"},
		"idle":         {IdleTimeout: duration(5 * time.Minute)},
		"none, secure": {CookieSameSite: "None"},
	}
	for name, s := range good {
		before := s
		if err := s.Check(); err != nil || !reflect.DeepEqual(s, before) {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := map[string]Settings{
		"one name":            {Cookie: "x", CSRFCookie: "x"},
		"name":                {Cookie: "a b"},
		"CSRF name":           {CSRFCookie: "a;b"},
		"CSRF header":         {CSRFHeader: "a b"},
		"host, domain":        {Cookie: "__Host-sessionid", CookieDomain: "example.com"},
		"CSRF host, domain":   {CSRFCookie: "__Host-csrftoken", CSRFCookieDomain: "example.com"},
		"none, not secure":    {CookieSameSite: "None", CookieSecure: "off"},
		"samesite":            {CookieSameSite: "lax"},
		"secure":              {CookieSecure: "true"},
		"short idle":          {IdleTimeout: duration(time.Minute)},
		"negative age":        {CookieAge: -1},
		"no age":              {CookieAge: 1},
		"trusted":             {TrustedOrigins: []string{"example.com"}},
		"unknown placeholder": {Cookie: "{nothing.of.the.kind}"},
		"empty placeholder":   {TrustedOrigins: []string{"{env.NOT_SET_ANYWHERE}"}},
		"relative login":      {LoginURL: "login/"},
		"login of another":    {LoginURL: "//login.example.com/"},
		"login by script":     {LoginURL: "javascript:alert(1)"},
		"login with a user":   {LoginURL: "https://a@login.example.com/"},
		"login, fragment":     {LoginURL: "/login/#x"},
		"login, backslash":    {LoginURL: "/\\login.example.com/"},
		"login, two lines":    {LoginURL: "/login\r\nX: y"},
	}
	for name, s := range bad {
		if err := s.Check(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestSettings_complete takes from the app what is not said, and leaves the
// app's as it is.
func TestSettings_complete(t *testing.T) {
	t.Setenv("SESSION_TEST_ORIGIN", "https://env.example")
	app := Settings{Cookie: "appid", IdleTimeout: duration(time.Hour), TrustedOrigins: []string{"{env.SESSION_TEST_ORIGIN}"}, SaveEveryRequest: yes()}
	s := Settings{Cookie: "own"}
	if err := s.complete(&app); err != nil {
		t.Fatal(err)
	}
	if s.Cookie != "own" || s.IdleTimeout != app.IdleTimeout || s.CSRFCookie != "csrftoken" || !*s.SaveEveryRequest || s.TrustedOrigins[0] != "https://env.example" {
		t.Errorf("%+v", s)
	}
	if app.TrustedOrigins[0] != "{env.SESSION_TEST_ORIGIN}" || app.CSRFCookie != "" {
		t.Errorf("the app's settings were changed: %+v", app)
	}
}

// TestSettings_inherit has no setting that the app could say in vain.
func TestSettings_inherit(t *testing.T) {
	var app, s Settings
	all := reflect.ValueOf(&app).Elem()
	for i := range all.NumField() {
		switch field := all.Field(i); field.Kind() {
		case reflect.String:
			field.SetString("x")
		case reflect.Int64:
			field.SetInt(1)
		case reflect.Pointer:
			field.Set(reflect.New(field.Type().Elem()))
		case reflect.Slice:
			field.Set(reflect.MakeSlice(field.Type(), 1, 1))
		default:
			t.Fatalf("%s is of an unknown kind", all.Type().Field(i).Name)
		}
	}
	if s.inherit(&app); !reflect.DeepEqual(s, app) {
		t.Errorf("inherited %+v of %+v", s, app)
	}
}

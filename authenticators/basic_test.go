// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"context"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/auth/authtest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Hashes of Django with one iteration, so that the tests are not slow.
const (
	hashOfSecret = "pbkdf2_sha256$1$saltsalt$7q77FNs/69qVkPyRNSqXo6plaOX9a1Kyv7l1dRFK7ZE="
	hashOfCafe   = "pbkdf2_sha256$1$saltsalt$BNP65hI6jZ78K++4kYdnsvFbnqxZ8neYvXvPv9svNp4="
)

func basicOf(credentials string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))
}

func TestBasic(t *testing.T) {
	ctx, app := newApp(t,
		users.User{Name: "alice", Password: hashOfSecret, Groups: []string{"editors"}, Staff: true},
		users.User{Name: "frozen", Password: hashOfSecret, Inactive: true},
		users.User{Name: "rené", Password: hashOfCafe},
	)
	stored := addUser(t, app.store, tokenstore.User{Name: "bob", PasswordHash: hashOfSecret, Active: true, Permissions: []string{"shop.add_order"}})

	const (
		empty   = "Invalid basic header. No credentials provided."
		spaces  = "Invalid basic header. Credentials string should not contain spaces."
		base64d = "Invalid basic header. Credentials not correctly base64 encoded."
		invalid = "Invalid username/password."
	)
	alice := &auth.Identity{ID: "alice", Key: "config:alice", Source: "config", Method: "basic", Staff: true, Groups: []string{"editors"}}
	rene := &auth.Identity{ID: "rené", Key: "config:rené"}
	authtest.Run(t, mustLoad[*Basic](t, ctx, "basic", `{}`), []authtest.Case{
		{Name: "good", Request: with(basicOf("alice:secret")), Identity: alice},
		{Name: "good, of the store", Request: with(basicOf("bob:secret")), Identity: &auth.Identity{ID: "bob", Key: stored.Key, Source: "store", Permissions: []string{"shop.add_order"}}},
		{Name: "lower case", Request: with("b" + basicOf("alice:secret")[1:]), Identity: alice},
		{Name: "upper case", Request: with("BASIC" + basicOf("alice:secret")[5:]), Identity: alice},
		{Name: "blanks", Request: with(" \tBasic \t YWxpY2U6c2VjcmV0 "), Identity: alice},
		{Name: "bytes that are skipped", Request: with("Basic YWxp!Y2U6c-2Vj_cmV0"), Identity: alice},
		{Name: "surplus padding", Request: with("Basic YWxpY2U6c2VjcmV0===="), Identity: alice},
		{Name: "UTF-8", Request: with(basicOf("rené:café")), Identity: rene},
		{Name: "Latin-1", Request: with(basicOf("ren\xe9:caf\xe9")), Identity: rene},
		{Name: "decomposed name", Request: with(basicOf("rene\u0301:café")), Identity: rene},
		{Name: "nothing", Request: with("Basic"), Err: failure(empty)},
		{Name: "blank", Request: with("Basic "), Err: failure(empty)},
		{Name: "two words", Request: with("Basic a b"), Err: failure(spaces)},
		{Name: "bad length", Request: with("Basic foo"), Err: failure(base64d)},
		{Name: "no alphabet", Request: with("Basic !!!!"), Err: failure(base64d)},
		{Name: "no colon", Request: with(basicOf("alicesecret")), Err: failure(base64d)},
		{Name: "no padding", Request: with("Basic YWxpY2U6cHc"), Err: failure(base64d)},
		{Name: "raw bytes", Request: with("Basic \xff\xfe"), Err: failure(base64d)},
		{Name: "one byte in padding", Request: with("Basic =a="), Err: failure(base64d)},
		{Name: "wrong password", Request: with(basicOf("alice:x")), Err: &auth.Failure{Detail: invalid, Candidate: &auth.Identity{ID: "alice", Key: "config:alice", Staff: true, Groups: []string{"editors"}}}},
		{Name: "unknown user", Request: with(basicOf("nobody:secret")), Err: failure(invalid)},
		{Name: "empty user", Request: with(basicOf(":secret")), Err: failure(invalid)},
		{Name: "empty password", Request: with(basicOf("alice:")), Err: failure(invalid)},
		{Name: "wrong case", Request: with(basicOf("Alice:secret")), Err: failure(invalid)},
		{Name: "NUL", Request: with(basicOf("alice\x00:secret")), Err: failure(invalid)},
		{Name: "second colon", Request: with(basicOf("alice:secret:")), Err: failure(invalid)},
		{Name: "inactive", Request: with(basicOf("frozen:secret")), Err: failure(invalid)},
		{Name: "placeholder", Request: with(basicOf("{env.HOME}:secret")), Err: failure(invalid)},
		{Name: "absent", Request: with(), Err: auth.ErrNoCredentials},
		{Name: "empty", Request: with(""), Err: auth.ErrNoCredentials},
		{Name: "blanks only", Request: with(" \t"), Err: auth.ErrNoCredentials},
		{Name: "other scheme", Request: with("Token x"), Err: auth.ErrNoCredentials},
		{Name: "two lines", Request: with(basicOf("alice:secret"), basicOf("alice:secret")), Err: &auth.Failure{Detail: auth.Ambiguous().Detail, Err: auth.ErrAmbiguous}},
	})
}

func TestBasic_storeDown(t *testing.T) {
	ctx, app := newApp(t)
	b := mustLoad[*Basic](t, ctx, "basic", `{}`)
	app.store.err = tokenstore.ErrUnavailable
	_, err := b.Authenticate(with(basicOf("alice:secret")))
	if _, ok := errors.AsType[*auth.Unavailable](err); !ok {
		t.Errorf("Authenticate: %v, want Unavailable", err)
	}
}

func TestBasic_Recheck(t *testing.T) {
	ctx, app := newApp(t)
	user := addUser(t, app.store, tokenstore.User{Name: "bob", PasswordHash: hashOfSecret, Active: true})
	b := mustLoad[*Basic](t, ctx, "basic", `{}`)
	r := with(basicOf("bob:secret"))
	id, err := b.Authenticate(r)
	if err != nil {
		t.Fatal(err)
	}
	// The login renews the hash in the background, which is no new password.
	for user.PasswordHash == hashOfSecret {
		time.Sleep(time.Millisecond)
		if user, err = app.store.User(t.Context(), user.Key); err != nil {
			t.Fatal(err)
		}
	}
	if now, err := b.Recheck(r, id); err != nil || now.Method != "basic" {
		t.Errorf("Recheck = %v, %v", now, err)
	}
	user.PasswordHash = hashOfCafe
	addUser(t, app.store, user)
	if _, err := b.Recheck(r, id); !errors.Is(err, auth.ErrChanged) {
		t.Errorf("Recheck after a change of the password: %v", err)
	}
}

func TestBasic_Challenge(t *testing.T) {
	t.Setenv("REALM", "shop")
	tests := map[string]struct{ config, realm, want string }{
		"default":              {`{}`, "", `Basic realm="api"`},
		"handler's":            {`{}`, "site", `Basic realm="site"`},
		"own":                  {`{"realm": "own"}`, "site", `Basic realm="own"`},
		"placeholder":          {`{"realm": "{env.REALM}"}`, "site", `Basic realm="shop"`},
		"quoted":               {`{"realm": "a \"b\" \\ c"}`, "", `Basic realm="a \"b\" \\ c"`},
		"handler's, quoted":    {`{}`, `"`, `Basic realm="\""`},
		"handler's, dangerous": {`{}`, "a\r\nX: y", `Basic realm="api"`},
		"not ASCII":            {`{"realm": "café"}`, "", `Basic realm="café"`},
	}
	ctx, _ := newApp(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := mustLoad[*Basic](t, ctx, "basic", test.config)
			if test.realm != "" {
				b.SetRealm(test.realm)
			}
			if got := b.Challenge(with(), nil); got != test.want {
				t.Errorf("Challenge = %s, want %s", got, test.want)
			}
		})
	}
}

func TestBasic_Provision_errors(t *testing.T) {
	ctx, _ := newApp(t)
	for config, want := range map[string]string{
		`{"realm": "a\nb"}`:                   "control characters",
		`{"realm": "a\u007fb"}`:               "control characters",
		`{"realm": "{env.REST_AUTH_ABSENT}"}`: "resolving the realm",
		`{"relm": "a"}`:                       "unknown field",
	} {
		if _, err := load(ctx, "basic", config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", config, err, want)
		}
	}
}

func TestBasic_CacheKey(t *testing.T) {
	b := &Basic{users: new(users.Directory)}
	long := "Basic " + strings.Repeat("A", maxBasic+1)
	for line, want := range map[string]string{
		"Basic YWxpY2U6cHc=": "YWxpY2U6cHc=", "basic\tYWxpY2U6cHc=": "YWxpY2U6cHc=", "Basic": "", "Bearer x": "", "": "", long: "",
	} {
		got, ok := b.CacheKey(with(line))
		if ok != (want != "") || ok && string(got) != "\x00\x00"+want {
			t.Errorf("CacheKey(%.20q) = %.20q, %v, want %q", line, got, ok, want)
		}
	}
	// What is remembered is good where it was verified.
	keys := make(map[string]string)
	for _, address := range []string{"192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"} {
		r := with("Basic YWxpY2U6cHc=")
		r = r.WithContext(context.WithValue(r.Context(), caddyhttp.VarsCtxKey, map[string]any{caddyhttp.ClientIPVarKey: address}))
		key, _ := b.CacheKey(r)
		keys[string(key)] += address + " "
	}
	if len(keys) != 4 {
		t.Errorf("the keys are those of %q, want one for each network", slices.Collect(maps.Values(keys)))
	}
}

// FuzzBasic looks for an identity that was not earned: whatever is accepted
// must contain the name and the password.
func FuzzBasic(f *testing.F) {
	for _, line := range []string{"Basic", "Basic YWxpY2U6c2VjcmV0", "basic =a=", "Basic YWxpY2U6c2VjcmV0====x", "Basic w6k66Q==", "Basic Og==", "Basic \xff\x00"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		credentials, err := auth.Credentials(with(line), "Basic")
		if err != nil {
			return
		}
		name, password, ok := parseBasic(credentials)
		if !ok {
			if name != "" || password != "" {
				t.Errorf("parseBasic(%q) refuses and returns %q, %q", credentials, name, password)
			}
			return
		}
		// What was read, written again, is read alike.
		name2, password2, ok := parseBasic(base64.StdEncoding.EncodeToString([]byte(name + ":" + password)))
		if strings.Contains(name, ":") || !ok || name2 != name || password2 != password {
			t.Errorf("parseBasic(%q) = %q, %q; again %q, %q, %v", credentials, name, password, name2, password2, ok)
		}
	})
}

// BenchmarkBasic_CacheKey is what a client pays on each request once its
// password is remembered, before the cache hashes the key.
func BenchmarkBasic_CacheKey(b *testing.B) {
	basic, r := &Basic{users: new(users.Directory)}, with(basicOf("alice:secret"))
	r = r.WithContext(context.WithValue(r.Context(), caddyhttp.VarsCtxKey, map[string]any{caddyhttp.ClientIPVarKey: "2001:db8::1"}))
	b.ReportAllocs()
	for b.Loop() {
		basic.CacheKey(r)
	}
}

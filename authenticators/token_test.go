// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/auth/authtest"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

var tokenNow = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// addToken stores a record of the token, with an ID that its tests know.
func addToken(t testing.TB, s tokenstore.Store, token string, c tokenstore.Credential) {
	t.Helper()
	digest := sha256.Sum256([]byte(token))
	c.Digest = digest[:]
	if c.ID == "" {
		c.ID = "id-" + token
	}
	if c.Kind == "" {
		c.Kind = tokenstore.KindAuthtoken
	}
	c.Created = tokenNow.Add(-time.Hour)
	if err := s.Create(t.Context(), c, 0, false); err != nil {
		t.Fatal(err)
	}
}

func TestToken(t *testing.T) {
	ctx, app := newApp(t)
	alice := addUser(t, app.store, tokenstore.User{Name: "alice", FullName: "Alice A.", Active: true, Staff: true, Groups: []string{"editors"}})
	gone := addUser(t, app.store, tokenstore.User{Name: "gone", Active: true})
	addToken(t, app.store, "good", tokenstore.Credential{
		UserKey: alice.Key, ClientID: "app", Family: "f", Scopes: []string{"read"}, Expires: tokenNow.Add(time.Hour),
	})
	addToken(t, app.store, "machine", tokenstore.Credential{ClientID: "cron", Kind: tokenstore.KindToken})
	addToken(t, app.store, "expired", tokenstore.Credential{UserKey: alice.Key, Expires: tokenNow})
	addToken(t, app.store, "session", tokenstore.Credential{UserKey: alice.Key, Kind: "session"})
	addToken(t, app.store, "gone", tokenstore.Credential{UserKey: gone.Key})
	addToken(t, app.store, "gonesession", tokenstore.Credential{UserKey: gone.Key, Kind: "session"})
	addToken(t, app.store, "ключ", tokenstore.Credential{UserKey: alice.Key})
	addToken(t, app.store, strings.Repeat("x", 512), tokenstore.Credential{UserKey: alice.Key})
	addToken(t, app.store, strings.Repeat("x", 513), tokenstore.Credential{UserKey: alice.Key})
	gone.Active = false
	addUser(t, app.store, gone)

	const (
		empty   = "Invalid token header. No credentials provided."
		spaces  = "Invalid token header. Token string should not contain spaces."
		bytes   = "Invalid token header. Token string should not contain invalid characters."
		invalid = "Invalid token."
	)
	good := &auth.Identity{
		ID: "alice", Key: alice.Key, Source: "store", Name: "Alice A.", Staff: true, Groups: []string{"editors"}, Scopes: []string{"read"},
		Method: "token", Credential: "id-good", Client: "app", Family: "f", Expires: tokenNow.Add(time.Hour),
	}
	anyOfAlice := &auth.Identity{ID: "alice", Key: alice.Key, Staff: true, Groups: []string{"editors"}}
	token := mustLoad[*Token](t, ctx, "token", `{}`)
	token.now = func() time.Time { return tokenNow }
	authtest.Run(t, token, []authtest.Case{
		{Name: "good", Request: with("Token good"), Identity: good},
		{Name: "lower case", Request: with("token good"), Identity: good},
		{Name: "upper case", Request: with("TOKEN good"), Identity: good},
		{Name: "mixed case", Request: with("tOkEn good"), Identity: good},
		{Name: "double space", Request: with("Token  good"), Identity: good},
		{Name: "tab", Request: with("Token\tgood"), Identity: good},
		{Name: "vertical tab", Request: with("Token\vgood"), Identity: good},
		{Name: "form feed", Request: with("Token\fgood"), Identity: good},
		{Name: "blanks around", Request: with(" Token good\t"), Identity: good},
		{Name: "not ASCII", Request: with("Token ключ"), Identity: anyOfAlice},
		{Name: "longest", Request: with("Token " + strings.Repeat("x", 512)), Identity: anyOfAlice},
		{Name: "no user", Request: with("Token machine"), Identity: &auth.Identity{Method: "token", Credential: "id-machine", Client: "cron"}},
		{Name: "nothing", Request: with("Token"), Err: failure(empty)},
		{Name: "blank", Request: with("Token "), Err: failure(empty)},
		{Name: "two words", Request: with("Token a b"), Err: failure(spaces)},
		{Name: "three words", Request: with("Token good b c"), Err: failure(spaces)},
		{Name: "not UTF-8", Request: with("Token \xff\xfe"), Err: failure(bytes)},
		{Name: "not UTF-8, two words", Request: with("Token \xff \xfe"), Err: failure(spaces)},
		{Name: "unknown", Request: with("Token x"), Err: failure(invalid)},
		{Name: "unknown, not ASCII", Request: with("Token é"), Err: failure(invalid)},
		{Name: "other letter case", Request: with("Token Good"), Err: failure(invalid)},
		{Name: "comma", Request: with("Token good,"), Err: failure(invalid)},
		{Name: "NUL", Request: with("Token good\x00"), Err: failure(invalid)},
		{Name: "truncated", Request: with("Token goo"), Err: failure(invalid)},
		{Name: "too long", Request: with("Token " + strings.Repeat("x", 513)), Err: failure(invalid)},
		{Name: "5000 bytes", Request: with("Token " + strings.Repeat("x", 5000)), Err: failure(invalid)},
		{Name: "expired", Request: with("Token expired"), Err: failure(invalid)},
		{Name: "not a request kind", Request: with("Token session"), Err: failure(invalid)},
		{Name: "inactive", Request: with("Token gone"), Err: &auth.Failure{Detail: "User inactive or deleted.", Err: tokenstore.ErrInactive, Candidate: &auth.Identity{ID: "gone", Key: gone.Key}}},
		{Name: "inactive, other kind", Request: with("Token gonesession"), Err: failure(invalid)},
		{Name: "colon", Request: with("Token: good"), Err: auth.ErrNoCredentials},
		{Name: "equals sign", Request: with("Token=good"), Err: auth.ErrNoCredentials},
		{Name: "longer word", Request: with("Tokenx good"), Err: auth.ErrNoCredentials},
		{Name: "no-break space", Request: with("Token\u00a0good"), Err: auth.ErrNoCredentials},
		{Name: "kelvin sign", Request: with("To\u212aen good"), Err: auth.ErrNoCredentials},
		{Name: "other scheme", Request: with("Bearer good"), Err: auth.ErrNoCredentials},
		{Name: "empty", Request: with(""), Err: auth.ErrNoCredentials},
		{Name: "blanks only", Request: with(" \t"), Err: auth.ErrNoCredentials},
		{Name: "two lines", Request: with("Token good", "Token good"), Err: &auth.Failure{Detail: auth.Ambiguous().Detail, Err: auth.ErrAmbiguous}},
	})
}

func TestToken_keyword(t *testing.T) {
	ctx, app := newApp(t)
	addToken(t, app.store, "good", tokenstore.Credential{ClientID: "cron"})
	token := mustLoad[*Token](t, ctx, "token", `{"keyword": "Bearer"}`)
	token.now = func() time.Time { return tokenNow }
	authtest.Run(t, token, []authtest.Case{
		{Name: "good", Request: with("bearer good"), Identity: &auth.Identity{Client: "cron"}},
		{Name: "default keyword", Request: with("Token good"), Err: auth.ErrNoCredentials},
		{Name: "nothing", Request: with("Bearer"), Err: failure("Invalid token header. No credentials provided.")},
		{Name: "two words", Request: with("Bearer a b"), Err: failure("Invalid token header. Token string should not contain spaces.")},
	})
	if got := token.Challenge(with(), nil); got != "Bearer" {
		t.Errorf("Challenge = %q", got)
	}
}

func TestToken_kinds(t *testing.T) {
	ctx, app := newApp(t)
	for _, kind := range tokenstore.RequestKinds() {
		addToken(t, app.store, kind, tokenstore.Credential{Kind: kind})
	}
	tests := map[string][]string{
		`{}`:                            tokenstore.RequestKinds(),
		`{"kinds": ["knox"]}`:           {"knox"},
		`{"kinds": ["token", "durin"]}`: {"token", "durin"},
	}
	for config, want := range tests {
		token := mustLoad[*Token](t, ctx, "token", config)
		var got []string
		for _, kind := range tokenstore.RequestKinds() {
			if _, err := token.Authenticate(with("Token " + kind)); err == nil {
				got = append(got, kind)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s accepts (-want +got):\n%s", config, diff)
		}
	}
}

func TestToken_store(t *testing.T) {
	ctx, app := newApp(t)
	token := mustLoad[*Token](t, ctx, "token", `{}`)
	for _, line := range []string{"", "Bearer x", "Token", "Token a b", "Token \xff", "Token " + strings.Repeat("x", 513)} {
		if _, err := token.Authenticate(with(line)); err == nil || app.store.lookups > 0 {
			t.Errorf("%.20q: %v, after %d lookups", line, err, app.store.lookups)
		}
	}
	for _, down := range []error{tokenstore.ErrUnavailable, errors.New("disk full"), fmt.Errorf("opening: %w", tokenstore.ErrNewerSchema)} {
		app.store.err = down
		_, err := token.Authenticate(with("Token x"))
		if _, ok := errors.AsType[*auth.Unavailable](err); !ok || !errors.Is(err, down) {
			t.Errorf("%v: Authenticate: %v, want Unavailable", down, err)
		}
	}
}

// orphan is a store whose records have lost their user, as no driver may
// return them.
type orphan struct{ tokenstore.Store }

func (orphan) Lookup(_ context.Context, digest []byte, _ time.Time) (tokenstore.Credential, tokenstore.User, error) {
	return tokenstore.Credential{ID: "x", Kind: tokenstore.KindToken, Digest: digest, UserKey: "store:1"}, tokenstore.User{}, nil
}

func TestToken_userMissing(t *testing.T) {
	ctx, _ := newApp(t)
	token := mustLoad[*Token](t, ctx, "token", `{}`)
	token.store = orphan{}
	id, err := token.Authenticate(with("Token x"))
	if failure, ok := errors.AsType[*auth.Failure](err); !ok || failure.Detail != "Invalid token." {
		t.Errorf("Authenticate = %v, %v, want a Failure", id, err)
	}
}

func TestToken_touch(t *testing.T) {
	ctx, app := newApp(t)
	addToken(t, app.store, "good", tokenstore.Credential{})
	token := mustLoad[*Token](t, ctx, "token", `{}`)
	var want []time.Time
	for _, step := range []struct {
		after   time.Duration
		touched bool
	}{{0, true}, {0, false}, {59 * time.Second, false}, {time.Minute, true}, {time.Minute + 59*time.Second, false}, {time.Hour, true}} {
		now := tokenNow.Add(step.after)
		token.now = func() time.Time { return now }
		if _, err := token.Authenticate(with("Token good")); err != nil {
			t.Fatal(err)
		}
		if step.touched {
			want = append(want, now)
		}
		if diff := cmp.Diff(want, app.store.touches); diff != "" {
			t.Fatalf("after %v: touched (-want +got):\n%s", step.after, diff)
		}
	}
	if _, err := token.Authenticate(with("Token bad")); err == nil || len(app.store.touches) != len(want) {
		t.Error("a refused token is touched")
	}
}

// readOnlyStore finds records, and cannot write.
type readOnlyStore struct{ tokenstore.Store }

func (readOnlyStore) Touch(context.Context, []byte, time.Time, time.Time) error {
	return tokenstore.ErrUnavailable
}

func TestToken_touchFails(t *testing.T) {
	ctx, app := newApp(t)
	addToken(t, app.store, "good", tokenstore.Credential{ClientID: "cron"})
	token := mustLoad[*Token](t, ctx, "token", `{}`)
	token.store = readOnlyStore{app.store}
	if id, err := token.Authenticate(with("Token good")); err != nil || id.Client != "cron" {
		t.Errorf("Authenticate = %v, %v", id, err)
	}
}

func TestToken_Provision_errors(t *testing.T) {
	ctx, _ := newApp(t)
	for config, want := range map[string]string{
		`{"keyword": "To ken"}`:                 "keyword",
		`{"keyword": "To\"ken"}`:                "keyword",
		`{"keyword": "Tokén"}`:                  "keyword",
		`{"keyword": "a,b"}`:                    "keyword",
		`{"keyword": "{env.REST_AUTH_ABSENT}"}`: "resolving the keyword",
		`{"kinds": ["session"]}`:                `kind "session"`,
		`{"kinds": ["token", "refresh"]}`:       `kind "refresh"`,
		`{"kinds": [""]}`:                       `kind ""`,
		`{"header": "X-Token"}`:                 "unknown field",
	} {
		if _, err := load(ctx, "token", config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", config, err, want)
		}
	}
}

// TestToken_resolved looks at what the handler takes for the configuration
// when it keeps credentials of one authenticator apart from another's.
func TestToken_resolved(t *testing.T) {
	t.Setenv("KEYWORD", "Key")
	ctx, _ := newApp(t)
	token := mustLoad[*Token](t, ctx, "token", `{"keyword": "{env.KEYWORD}"}`)
	got, err := json.Marshal(token)
	if err != nil || string(got) != `{"keyword":"Key","kinds":["token","authtoken","knox","durin"]}` {
		t.Errorf("after Provision: %s, %v", got, err)
	}
}

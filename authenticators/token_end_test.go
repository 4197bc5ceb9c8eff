// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"context"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/knox"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// durin alone tells an expired token from one that never was.
func TestToken_ended(t *testing.T) {
	ctx, app := newApp(t)
	alice := addUser(t, app.store, tokenstore.User{Name: "alice", Active: true})
	gone := addUser(t, app.store, tokenstore.User{Name: "gone", Active: true})
	for _, kind := range append(tokenstore.RequestKinds(), tokenstore.KindSession) {
		addToken(t, app.store, kind, tokenstore.Credential{Kind: kind, UserKey: alice.Key, Expires: tokenNow})
	}
	addToken(t, app.store, "inactive", tokenstore.Credential{Kind: tokenstore.KindDurin, UserKey: gone.Key, Expires: tokenNow})
	gone.Active = false
	addUser(t, app.store, gone)
	for _, test := range []struct{ config, token, want string }{
		{`{}`, "token", invalidToken},
		{`{}`, "authtoken", invalidToken},
		{`{}`, "knox", invalidToken},
		{`{}`, "session", invalidToken},
		{`{}`, "durin", "The given token has expired."},
		{`{}`, "inactive", "The given token has expired."},
		{`{"kinds": ["durin"]}`, "durin", "The given token has expired."},
		{`{"kinds": ["knox"]}`, "durin", invalidToken},
	} {
		token := mustLoad[*Token](t, ctx, "token", test.config)
		token.now = func() time.Time { return tokenNow }
		_, err := token.Authenticate(with("Token " + test.token))
		if failure, ok := errors.AsType[*auth.Failure](err); !ok || failure.Detail != test.want || failure.Candidate != nil {
			t.Errorf("%s accepts %s: %v, want %q", test.config, test.token, err, test.want)
		}
	}
}

// A use puts the end of a token of knox off as AUTO_REFRESH does.
func TestToken_refresh(t *testing.T) {
	ctx, app := newApp(t)
	alice := addUser(t, app.store, tokenstore.User{Name: "alice", Active: true})
	token := mustLoad[*Token](t, ctx, "token", `{}`)
	began := tokenNow.Add(-time.Hour) // when addToken says that its tokens were made
	ttl := 10 * time.Hour
	refresh := knox.Encode(knox.Refresh{TTL: ttl, MaxTTL: 12 * time.Hour, MinInterval: time.Minute})
	addToken(t, app.store, "refreshed", tokenstore.Credential{Kind: tokenstore.KindKnox, UserKey: alice.Key, Expires: began.Add(ttl), Data: refresh})
	addToken(t, app.store, "plain", tokenstore.Credential{Kind: tokenstore.KindKnox, UserKey: alice.Key, Expires: began.Add(ttl)})
	addToken(t, app.store, "endless", tokenstore.Credential{Kind: tokenstore.KindKnox, UserKey: alice.Key, Data: refresh})
	addToken(t, app.store, "other", tokenstore.Credential{Kind: tokenstore.KindToken, UserKey: alice.Key, Expires: began.Add(ttl), Data: refresh})
	for _, test := range []struct {
		token string
		at    time.Duration // of the use, after the token was made
		want  time.Duration // until the token ends, after it was made; 0: never
	}{
		{"refreshed", time.Minute, ttl},
		{"refreshed", 61 * time.Second, ttl + 61*time.Second},
		{"refreshed", 90 * time.Second, ttl + 61*time.Second},
		{"refreshed", 9 * time.Hour, 12 * time.Hour},
		{"refreshed", 11 * time.Hour, 12 * time.Hour},
		{"plain", 9 * time.Hour, ttl},
		{"endless", 9 * time.Hour, 0},
		{"other", 9 * time.Hour, ttl},
	} {
		token.now = func() time.Time { return began.Add(test.at) }
		id, err := token.Authenticate(with("Token " + test.token))
		if err != nil {
			t.Fatalf("%s at %s: %v", test.token, test.at, err)
		}
		want := time.Time{}
		if test.want > 0 {
			want = began.Add(test.want)
		}
		digest := sha256.Sum256([]byte(test.token))
		record, _, err := app.store.Lookup(ctx, digest[:], token.now())
		if err != nil || !record.Expires.Equal(want) || !id.Expires.Equal(want) {
			t.Errorf("%s at %s ends at %s, as the request has it %s, want %s; %v", test.token, test.at, record.Expires, id.Expires, want, err)
		}
	}
	token.now = func() time.Time { return began.Add(12 * time.Hour) }
	if _, err := token.Authenticate(with("Token refreshed")); err == nil {
		t.Error("a token outlived auto_refresh_max_ttl")
	}
}

// A store that cannot be written to lets tokens live as long as it says.
func TestToken_refreshFails(t *testing.T) {
	ctx, app := newApp(t)
	alice := addUser(t, app.store, tokenstore.User{Name: "alice", Active: true})
	ends := tokenNow.Add(time.Hour)
	addToken(t, app.store, "t", tokenstore.Credential{
		Kind: tokenstore.KindKnox, UserKey: alice.Key, Expires: ends, Data: knox.Encode(knox.Refresh{TTL: 10 * time.Hour}),
	})
	token := mustLoad[*Token](t, ctx, "token", `{}`)
	token.now = func() time.Time { return tokenNow }
	token.store = readOnlyStore{app.store}
	id, err := token.Authenticate(with("Token t"))
	if err != nil || !id.Expires.Equal(ends) {
		t.Errorf("Authenticate = %+v, %v; want it to end at %s", id, err, ends)
	}
}

// batching is a store that has yet to write what it was told by Touch.
type batching struct{ tokenstore.Store }

func (batching) Touch(context.Context, []byte, time.Time, time.Time) error { return nil }

func (b batching) Extend(ctx context.Context, digest []byte, used, expires time.Time) error {
	return b.Store.Touch(ctx, digest, used, expires)
}

// A token that is used just before its end is put off before that comes.
func TestToken_refreshInTime(t *testing.T) {
	ctx, app := newApp(t)
	alice := addUser(t, app.store, tokenstore.User{Name: "alice", Active: true})
	addToken(t, app.store, "t", tokenstore.Credential{
		Kind: tokenstore.KindKnox, UserKey: alice.Key, Expires: tokenNow.Add(2 * time.Second), Data: knox.Encode(knox.Refresh{TTL: time.Hour}),
	})
	token := mustLoad[*Token](t, ctx, "token", `{}`)
	token.store = batching{app.store}
	for _, at := range []time.Duration{0, 3 * time.Second} {
		token.now = func() time.Time { return tokenNow.Add(at) }
		if _, err := token.Authenticate(with("Token t")); err != nil {
			t.Errorf("after %s: %v", at, err)
		}
	}
}

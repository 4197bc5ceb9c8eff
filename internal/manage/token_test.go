// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func TestTokenLife(t *testing.T) {
	f := newFixture(t)
	user := must[User](f, "POST", "users", `{"name":"alice"}`)
	issued := must[IssuedToken](f, "POST", "tokens",
		`{"user":"alice","label":"laptop","scopes":["b","a","a"],"client":"app","expires":"2027-01-03T03:04:05+01:00"}`)
	expires := time.Date(2027, 1, 3, 2, 4, 5, 0, time.UTC)
	want := Token{
		Handle: issued.Handle, Kind: "token", User: "alice", UserKey: user.Key, Label: "laptop", Scopes: []string{"a", "b"},
		Client: "app", Created: f.now, Expires: &expires, Status: StatusLive,
	}
	if diff := cmp.Diff(want, issued.Token); diff != "" {
		t.Errorf("POST tokens (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, must[Token](f, "GET", "tokens/"+issued.Handle, "")); diff != "" {
		t.Errorf("GET tokens/<handle> (-want +got):\n%s", diff)
	}
	if !f.accepts(issued.Secret) {
		t.Error("the token is not accepted")
	}
	f.now = expires
	if got := must[Token](f, "GET", "tokens/"+issued.Handle, ""); got.Status != StatusExpired || f.accepts(issued.Secret) {
		t.Errorf("at its end the token is %s, accepted: %v", got.Status, f.accepts(issued.Secret))
	}
	f.now = want.Created
	must[User](f, "PATCH", "users/alice", `{"active":false}`)
	if got := must[Token](f, "GET", "tokens/"+issued.Handle, ""); got.Status != StatusUserInactive {
		t.Errorf("status of a disabled user's token = %s", got.Status)
	}
	f.fail(409, "disabled", "POST", "tokens/"+issued.Handle+"/rotate", "{}")
	must[User](f, "PATCH", "users/alice", `{"active":true}`)
	must[any](f, "DELETE", "tokens/"+issued.Handle, "")
	if f.accepts(issued.Secret) {
		t.Error("a revoked token is accepted")
	}
	f.fail(404, "no token", "DELETE", "tokens/"+issued.Handle, "")
}

func TestListAndRevokeByFilter(t *testing.T) {
	f := newFixture(t)
	for _, name := range []string{"alice", "bob"} {
		must[User](f, "POST", "users", `{"name":"`+name+`"}`)
		for _, kind := range []string{"token", "token", "knox", "authtoken"} {
			f.now = f.now.Add(time.Second)
			must[IssuedToken](f, "POST", "tokens", `{"user":"`+name+`","kind":"`+kind+`"}`)
		}
	}
	type answer struct {
		Tokens []Token
		Next   string
	}
	count := func(query string) int {
		t.Helper()
		return len(must[answer](f, "GET", "tokens"+query, "").Tokens)
	}
	for query, want := range map[string]int{
		"": 8, "?user=alice": 4, "?kind=token": 4, "?user=bob&kind=knox": 1, "?client=none": 0, "?limit=3": 3,
	} {
		if got := count(query); got != want {
			t.Errorf("GET tokens%s lists %d, want %d", query, got, want)
		}
	}
	if next := must[answer](f, "GET", "tokens?limit=3", "").Next; next == "" {
		t.Error("a page that is not the last has no next")
	}
	type gone struct{ Revoked int }
	if got := must[gone](f, "DELETE", "tokens?user=alice&kind=token", ""); got.Revoked != 2 || count("?user=alice") != 2 || count("?user=bob") != 4 {
		t.Errorf("revoked %d; %d of alice and %d of bob are left", got.Revoked, count("?user=alice"), count("?user=bob"))
	}
	if got := must[gone](f, "DELETE", "tokens?user=bob", ""); got.Revoked != 4 || count("") != 2 {
		t.Errorf("revoked %d, %d are left", got.Revoked, count(""))
	}
}

// Sessions are in the same store, and in no list of tokens.
func TestListTokens_sessions(t *testing.T) {
	f := newFixture(t)
	user := must[User](f, "POST", "users", `{"name":"alice"}`)
	for n := range 30 {
		f.now = f.now.Add(time.Second)
		if n%10 == 9 {
			must[IssuedToken](f, "POST", "tokens", `{"user":"alice"}`)
			continue
		}
		id := fmt.Sprintf("session%d", n)
		c := tokenstore.Credential{ID: id, Kind: tokenstore.KindSession, UserKey: user.Key, Digest: issue.Digest(id), Created: f.now}
		if err := f.store.Create(t.Context(), c, 0, false); err != nil {
			t.Fatal(err)
		}
	}
	type answer struct {
		Tokens []Token
		Next   string
	}
	for _, query := range []string{"", "?user=alice", "?limit=3"} {
		got := must[answer](f, "GET", "tokens"+query, "")
		if len(got.Tokens) != 3 || got.Tokens[0].Kind != "token" || got.Next != "" {
			t.Errorf("GET tokens%s: %d tokens, next %q", query, len(got.Tokens), got.Next)
		}
	}
	if first := must[answer](f, "GET", "tokens?limit=1", ""); len(first.Tokens) != 1 || first.Next == "" {
		t.Errorf("the first page has %d tokens, next %q", len(first.Tokens), first.Next)
	}
	f.fail(409, "not rotated by hand", "POST", "tokens/session0/rotate", "{}")
}

// Users of the configuration have tokens as others do.
func TestTokens_configured(t *testing.T) {
	f := newFixture(t)
	first := must[IssuedToken](f, "POST", "tokens", `{"user":"configured","scopes":["a"]}`)
	if first.User != "configured" || first.UserKey != "config:configured" || !f.accepts(first.Secret) {
		t.Errorf("created %+v", first.Token)
	}
	second := must[IssuedToken](f, "POST", "tokens/"+first.Handle+"/rotate", `{"grace":"1h"}`)
	if second.User != "configured" || second.Status != StatusLive || !f.accepts(first.Secret) || !f.accepts(second.Secret) {
		t.Errorf("rotated to %+v", second.Token)
	}
	f.m.Directory = names{"inactive"}
	f.fail(409, "inactive in the configuration", "POST", "tokens", `{"user":"inactive"}`)
	f.fail(409, "is gone", "POST", "tokens/"+second.Handle+"/rotate", "{}")
}

// JSON has no form for a time after the year 9999, which an import may bring.
func TestListTokens_farEnd(t *testing.T) {
	f := newFixture(t)
	user := must[User](f, "POST", "users", `{"name":"alice"}`)
	c := tokenstore.Credential{ID: "far", Kind: tokenstore.KindKnox, UserKey: user.Key, Digest: issue.Digest("far"), Created: f.now, Expires: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}
	if err := f.store.Create(t.Context(), c, 0, false); err != nil {
		t.Fatal(err)
	}
	if got := must[Token](f, "GET", "tokens/far", ""); !got.Expires.Equal(lastMoment) || got.Status != StatusLive {
		t.Errorf("a token that ends in the year 10000: %+v", got)
	}
}

func TestRotate(t *testing.T) {
	f := newFixture(t)
	must[User](f, "POST", "users", `{"name":"alice"}`)
	must[Client](f, "POST", "clients", `{"name":"app"}`)
	first := must[IssuedToken](f, "POST", "tokens", `{"user":"alice","kind":"durin","label":"ci","scopes":["a"],"client":"app","expires":"2027-02-01T00:00:00Z"}`)
	f.now = f.now.Add(time.Hour)
	second := must[IssuedToken](f, "POST", "tokens/"+first.Handle+"/rotate", `{"grace":"1h"}`)

	want := first.Token
	want.Handle, want.Created = second.Handle, f.now
	if diff := cmp.Diff(want, second.Token); diff != "" {
		t.Errorf("the successor differs (-want +got):\n%s", diff)
	}
	if second.Secret == first.Secret || second.Handle == first.Handle {
		t.Error("the successor is the same token")
	}
	end := f.now.Add(time.Hour)
	if second.Previous == nil || second.Previous.Handle != first.Handle || !second.Previous.Expires.Equal(end) {
		t.Errorf("previous = %+v, want %s until %s", second.Previous, first.Handle, end)
	}
	if !f.accepts(first.Secret) || !f.accepts(second.Secret) {
		t.Error("within the grace both must be accepted")
	}
	f.now = end
	if f.accepts(first.Secret) || !f.accepts(second.Secret) {
		t.Error("after the grace only the successor must be accepted")
	}
	f.fail(409, "expired", "POST", "tokens/"+first.Handle+"/rotate", "{}")

	third := must[IssuedToken](f, "POST", "tokens/"+second.Handle+"/rotate", "{}")
	if third.Previous != nil || f.accepts(second.Secret) || !f.accepts(third.Secret) {
		t.Error("without a grace the old token must end at once")
	}
}

// A token that is shown again follows from its record, whatever its kind.
func TestRotate_derived(t *testing.T) {
	f := newFixture(t)
	alice := must[User](f, "POST", "users", `{"name":"alice"}`)
	issuer := issue.New(f.store, f.m.Keys)
	for kind, want := range map[string]string{
		tokenstore.KindDurin:     "revoke it, and the next answer to its user is another",
		tokenstore.KindAuthtoken: "'token create --kind authtoken --reset' makes another",
	} {
		_, record, _, err := issuer.Derived(t.Context(), tokenstore.Credential{Kind: kind, UserKey: alice.Key, ClientID: "durin:app"}, "", 40)
		if err != nil {
			t.Fatal(err)
		}
		f.fail(409, want, "POST", "tokens/"+record.ID+"/rotate", "{}")
	}
}

// Users of the configuration have tokens of an API, which can be rotated.
func TestRotate_configured(t *testing.T) {
	f := newFixture(t)
	c := tokenstore.Credential{ID: "knox", Kind: tokenstore.KindKnox, UserKey: "config:configured", Digest: make([]byte, 32), Created: f.now}
	if err := f.store.Create(t.Context(), c, 0, false); err != nil {
		t.Fatal(err)
	}
	next := must[IssuedToken](f, "POST", "tokens/knox/rotate", "{}")
	if next.User != "configured" || next.Status != StatusLive || !f.accepts(next.Secret) {
		t.Errorf("rotated %+v", next.Token)
	}
	f.m.Directory = names{}
	f.fail(409, "the user of token '"+next.Handle+"' is gone", "POST", "tokens/"+next.Handle+"/rotate", "{}")
}

// TestRotateNearExpiry does not lend a token a longer life.
func TestRotateNearExpiry(t *testing.T) {
	f := newFixture(t)
	must[User](f, "POST", "users", `{"name":"alice"}`)
	old := must[IssuedToken](f, "POST", "tokens", `{"user":"alice","expires":"2027-01-02T03:14:05Z"}`)
	next := must[IssuedToken](f, "POST", "tokens/"+old.Handle+"/rotate", `{"grace":"7d"}`)
	if !next.Previous.Expires.Equal(*old.Expires) || !next.Expires.Equal(*old.Expires) {
		t.Errorf("expiries are %s and %s, want %s", next.Previous.Expires, next.Expires, old.Expires)
	}
}

func TestRotateImported(t *testing.T) {
	f := newFixture(t)
	user := must[User](f, "POST", "users", `{"name":"alice"}`)
	c := tokenstore.Credential{ID: "imported", Kind: "token", UserKey: user.Key, Digest: make([]byte, 32), Created: f.now, Origin: "django"}
	if err := f.store.Create(t.Context(), c, 0, false); err != nil {
		t.Fatal(err)
	}
	f.fail(400, "grace", "POST", "tokens/imported/rotate", `{"grace":"1h"}`)
	if next := must[IssuedToken](f, "POST", "tokens/imported/rotate", "{}"); next.Origin != "" || !f.accepts(next.Secret) {
		t.Errorf("successor = %+v", next.Token)
	}
}

// brokenStore fails the last step of a rotation with a grace.
type brokenStore struct{ tokenstore.Store }

func (s brokenStore) InTx(ctx context.Context, f func(tokenstore.Store) error) error {
	return s.Store.(tokenstore.Transactor).InTx(ctx, func(tx tokenstore.Store) error {
		return f(&failSecondCreate{Store: tx})
	})
}

type failSecondCreate struct {
	tokenstore.Store
	n int
}

func (s *failSecondCreate) Create(ctx context.Context, c tokenstore.Credential, most int, evict bool) error {
	if s.n++; s.n == 2 {
		return errors.Join(tokenstore.ErrUnavailable, errors.New("disk full"))
	}
	return s.Store.Create(ctx, c, most, evict)
}

func TestRotateIsAllOrNothing(t *testing.T) {
	f := newFixture(t)
	must[User](f, "POST", "users", `{"name":"alice"}`)
	old := must[IssuedToken](f, "POST", "tokens", `{"user":"alice"}`)
	f.m.Store = brokenStore{f.store}
	f.fail(503, "", "POST", "tokens/"+old.Handle+"/rotate", `{"grace":"1h"}`)
	type answer struct{ Tokens []Token }
	if left := must[answer](f, "GET", "tokens", "").Tokens; len(left) != 1 || left[0].Handle != old.Handle || !f.accepts(old.Secret) {
		t.Errorf("after a failed rotation there are %+v", left)
	}
}

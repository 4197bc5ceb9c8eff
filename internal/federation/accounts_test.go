// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package federation

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/memory"
)

const testIssuer = "https://login.example.com"

// flaky is a store that can be told to fail.
type flaky struct {
	tokenstore.Store
	err   error
	raced bool // whoever creates a user comes too late, and the store is down afterwards
}

func (s *flaky) PutUser(ctx context.Context, user tokenstore.User) (tokenstore.User, error) {
	if s.raced {
		s.err = tokenstore.ErrUnavailable
		return tokenstore.User{}, tokenstore.ErrExists
	}
	return s.Store.PutUser(ctx, user)
}

func (s *flaky) UserByOrigin(ctx context.Context, origin, id string) (tokenstore.User, error) {
	if s.err != nil {
		return tokenstore.User{}, s.err
	}
	return s.Store.UserByOrigin(ctx, origin, id)
}

func (s *flaky) UserByName(ctx context.Context, name string) (tokenstore.User, error) {
	if s.err != nil {
		return tokenstore.User{}, s.err
	}
	return s.Store.UserByName(ctx, name)
}

func newAccounts(t *testing.T, link string, create bool) (*Accounts, *flaky) {
	t.Helper()
	store := &flaky{Store: memory.New()}
	hash := "pbkdf2_sha256$1$saltsalt$7q77FNs/69qVkPyRNSqXo6plaOX9a1Kyv7l1dRFK7ZE="
	directory, err := users.New([]users.User{{Name: "ops", Password: hash, Groups: []string{"ops"}}}, store, password.New(password.Config{}), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(directory.Close(), store.Close()) })
	for _, u := range []tokenstore.User{
		{Name: "alice", FullName: "Alice", Email: "alice@example.com", Origin: testIssuer, OriginID: "u1", Active: true, Staff: true, Groups: []string{"editors"}},
		{Name: "gone", Origin: testIssuer, OriginID: "u2"},
		{Name: "alice@example.com", Active: true},
		{Name: "root", Active: true, Superuser: true},
	} {
		if _, err := store.PutUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	return &Accounts{Link: link, Create: &create, store: store, users: directory, logger: zap.NewNop()}, store
}

func TestAccounts_Identity(t *testing.T) {
	tests := map[string]struct {
		link    string
		create  bool
		claims  string
		subject string
		want    string // name at the source
		err     error
	}{
		"stateless":                     {"", false, `{"sub":"u1"}`, "u1", "u1@" + testIssuer, nil},
		"by subject":                    {"subject", false, `{"sub":"u1"}`, "u1", "alice@store", nil},
		"inactive by subject":           {"subject", false, `{"sub":"u2"}`, "u2", "", ErrInactiveUser},
		"inactive is not created":       {"subject", true, `{"sub":"u2"}`, "u2", "", ErrInactiveUser},
		"unknown by subject":            {"subject", false, `{"sub":"u3"}`, "u3", "", ErrUnknownUser},
		"created by subject":            {"subject", true, `{"sub":"u3"}`, "u3", "u3@store", nil},
		"a name is no subject":          {"subject", false, `{"sub":"root"}`, "root", "", ErrUnknownUser},
		"a taken name is not taken":     {"subject", true, `{"sub":"root"}`, "root", "", ErrNameTaken},
		"a name of the configuration":   {"subject", true, `{"sub":"ops"}`, "ops", "", ErrNameTaken},
		"by a claim":                    {"login", false, `{"sub":"x","login":"alice"}`, "x", "alice@store", nil},
		"by a claim, of the config":     {"login", false, `{"sub":"x","login":"ops"}`, "x", "ops@config", nil},
		"by a claim that looks like it": {"login", true, `{"sub":"x","login":"ａlice"}`, "x", "", ErrLookalike},
		"by a claim with a ligature":    {"login", true, `{"sub":"x","login":"ﬁ"}`, "x", "", ErrLookalike},
		"by a claim in parts":           {"login", true, `{"sub":"x","login":"émile"}`, "x", "émile@store", nil},
		"by a claim in another case":    {"login", false, `{"sub":"x","login":"Alice"}`, "x", "", ErrUnknownUser},
		"by a claim, created":           {"login", true, `{"sub":"x","login":"new"}`, "x", "new@store", nil},
		"by a claim, inactive":          {"login", true, `{"sub":"x","login":"gone"}`, "x", "", ErrInactiveUser},
		"by a claim that is absent":     {"login", true, `{"sub":"x"}`, "x", "", errAny},
		"by a claim of another type":    {"login", true, `{"sub":"x","login":["root"]}`, "x", "", errAny},
		"by a claim that is no login":   {"login", true, `{"sub":"x","login":"a:b"}`, "x", "", errAny},
		"by an address":                 {"email", false, `{"sub":"x","email":"alice@example.com","email_verified":true}`, "x", "alice@example.com@store", nil},
		"by an address, not verified":   {"email", true, `{"sub":"x","email":"alice@example.com","email_verified":false}`, "x", "", ErrUnverified},
		"by an address, nothing said":   {"email", true, `{"sub":"x","email":"alice@example.com"}`, "x", "", ErrUnverified},
		"by an address, verified as 1":  {"email", true, `{"sub":"x","email":"alice@example.com","email_verified":1}`, "x", "", ErrUnverified},
		"a client is linked to nobody":  {"subject", true, `{"sub":"app","client_id":"app"}`, "app", "@" + testIssuer, nil},
		"a client may be called a user": {"login", true, `{"sub":"app","client_id":"app","login":"root"}`, "app", "@" + testIssuer, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a, _ := newAccounts(t, test.link, test.create)
			external, err := new(Mapping).Identity(json.RawMessage(test.claims))
			if err != nil {
				t.Fatal(err)
			}
			id, err := a.Identity(t.Context(), external, testIssuer, test.subject)
			if test.err != nil {
				failure, ok := errors.AsType[*auth.Failure](err)
				if !ok || test.err != errAny && !errors.Is(failure, test.err) {
					t.Fatalf("Identity = %+v, %v, want a failure for %v", id, err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := id.ID + "@" + id.Source; got != test.want {
				t.Errorf("Identity is %s, want %s", got, test.want)
			}
			if id.Key == "" || id.Source == testIssuer && id.Key != testIssuer+"|"+test.subject {
				t.Errorf("key %q", id.Key)
			}
			again, err := a.Identity(t.Context(), external, testIssuer, test.subject)
			if err != nil || again.Key != id.Key {
				t.Errorf("the second time: %+v, %v, want the key %s", again, err, id.Key)
			}
		})
	}
}

// errAny is any cause.
var errAny = errors.New("any")

func TestAccounts_Identity_merged(t *testing.T) {
	a, _ := newAccounts(t, "subject", false)
	external := &auth.Identity{
		ID: "u1", Name: "Mallory", Email: "m@example.com", Groups: []string{"idp", "editors"}, Scopes: []string{"read"},
		Superuser: true, Client: "app", Credential: "j", Family: "f", Proof: "p",
	}
	id, err := a.Identity(t.Context(), external, testIssuer, "u1")
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case id.ID != "alice", id.Name != "Alice", id.Email != "alice@example.com":
		t.Errorf("%+v: the store's own names do not count", id)
	case !id.Staff, !id.Superuser:
		t.Errorf("%+v: a flag is lost", id)
	case !slices.Equal(id.Groups, []string{"editors", "idp"}), !slices.Equal(id.Scopes, []string{"read"}):
		t.Errorf("%+v: a list is lost", id)
	case id.Client != "app", id.Credential != "j", id.Family != "f", id.Proof != "p":
		t.Errorf("%+v: what belongs to the credential is lost", id)
	case external.ID != "u1" || len(external.Groups) != 2 || external.Groups[0] != "idp":
		t.Errorf("%+v was changed", external)
	}
}

func TestAccounts_Identity_unavailable(t *testing.T) {
	for _, link := range []string{"subject", "sub"} {
		a, store := newAccounts(t, link, true)
		store.err = tokenstore.ErrUnavailable
		external := &auth.Identity{ID: "u1", Claims: json.RawMessage(`{"sub":"u1"}`)}
		_, err := a.Identity(t.Context(), external, testIssuer, "u1")
		if _, ok := errors.AsType[*auth.Unavailable](err); !ok {
			t.Errorf("link %s: %v, want Unavailable", link, err)
		}
	}
}

// TestAccounts_Identity_race has many requests of a new user at once: one account
// is made, and all get it.
func TestAccounts_Identity_race(t *testing.T) {
	for _, link := range []string{"subject", "sub"} {
		a, _ := newAccounts(t, link, true)
		keys := make([]string, 20)
		var group sync.WaitGroup
		for i := range keys {
			group.Go(func() {
				external := &auth.Identity{ID: "new", Claims: json.RawMessage(`{"sub":"new"}`)}
				id, err := a.Identity(t.Context(), external, testIssuer, "new")
				if err != nil {
					t.Errorf("link %s: %v", link, err)
					return
				}
				keys[i] = id.Key
			})
		}
		group.Wait()
		if keys = slices.Compact(keys); len(keys) != 1 {
			t.Errorf("link %s: %d accounts were made", link, len(keys))
		}
	}
}

func TestAccounts_Identity_dryRun(t *testing.T) {
	a, store := newAccounts(t, "subject", true)
	id, err := a.Identity(auth.WithDryRun(t.Context()), &auth.Identity{ID: "new"}, testIssuer, "new")
	if err != nil || id.ID != "new" {
		t.Fatalf("Identity = %+v, %v", id, err)
	}
	if _, err := store.UserByName(t.Context(), "new"); !errors.Is(err, tokenstore.ErrNotFound) {
		t.Errorf("a dry run created the user: %v", err)
	}
}

// TestAccounts_Inherit has an issuer that says otherwise than all.
func TestAccounts_Inherit(t *testing.T) {
	yes, no := true, false
	for name, test := range map[string]struct {
		own, all *bool
		want     bool
	}{
		"nothing":        {nil, nil, false},
		"all":            {nil, &yes, true},
		"one":            {&yes, nil, true},
		"one against":    {&no, &yes, false},
		"one, not all":   {&yes, &no, true},
		"none, said all": {nil, &no, false},
	} {
		a := Accounts{Create: test.own}
		a.Inherit(&Accounts{Link: "subject", Create: test.all})
		if a.creates() != test.want || a.Link != "subject" {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// TestAccounts_Identity_raceUnavailable has a store that fails after somebody else
// has created the user: that is the store's fault.
func TestAccounts_Identity_raceUnavailable(t *testing.T) {
	a, store := newAccounts(t, "sub", true)
	store.raced = true
	_, err := a.Identity(t.Context(), &auth.Identity{ID: "new", Claims: json.RawMessage(`{"sub":"new"}`)}, testIssuer, "new")
	if _, ok := errors.AsType[*auth.Unavailable](err); !ok {
		t.Errorf("%v, want Unavailable", err)
	}
}

func TestAccounts_Check(t *testing.T) {
	yes := true
	for name, test := range map[string]struct {
		accounts Accounts
		ok       bool
	}{
		"none":             {Accounts{}, true},
		"prefix":           {Accounts{UserPrefix: auth.UserPrefix{UserPrefix: "a:"}}, true},
		"link":             {Accounts{Link: "subject", Create: &yes}, true},
		"create alone":     {Accounts{Create: &yes}, false},
		"link with prefix": {Accounts{Link: "subject", UserPrefix: auth.UserPrefix{UserPrefix: "a:"}}, false},
	} {
		if err := test.accounts.Check(); (err == nil) != test.ok {
			t.Errorf("%s: Check = %v", name, err)
		}
	}
	linked, stateless := Accounts{Link: "subject"}, Accounts{UserPrefix: auth.UserPrefix{UserPrefix: "a:"}}
	if linked.Source(testIssuer) != auth.Local {
		t.Errorf("linked users are of %+v", linked.Source(testIssuer))
	}
	if want := (auth.Source{Name: testIssuer, Prefix: "a:", Told: true}); stateless.Source(testIssuer) != want {
		t.Errorf("users are of %+v, want %+v", stateless.Source(testIssuer), want)
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package accesstoken

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/bearer"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/federation"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/possession"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const testSecret = "the secret of a test, which nobody would guess"

// sign returns a token of these claims.
func sign(claims string) string {
	segment := base64.RawURLEncoding.EncodeToString
	signed := segment([]byte(`{"alg":"HS256"}`)) + "." + segment([]byte(claims))
	mac := hmac.New(sha256.New, []byte(testSecret))
	mac.Write([]byte(signed))
	return signed + "." + segment(mac.Sum(nil))
}

// finder has one key, or an error.
type finder struct {
	err   error
	asked int
}

func (f *finder) Find(context.Context, string, string) ([]*keyset.Key, error) {
	f.asked++
	return []*keyset.Key{{Type: "oct", Algorithms: []string{"HS256"}, Public: []byte(testSecret)}}, f.err
}

// revoked are families, or an error.
type revoked struct {
	families map[string]bool
	err      error
}

func (r *revoked) Revoked(_ context.Context, families ...string) (bool, error) {
	return r.families[families[0]], r.err
}

func newIssuers(names ...string) (*Issuers, *finder, *revoked) {
	keys, gone := new(finder), &revoked{families: make(map[string]bool)}
	s := &Issuers{named: make(map[string]*issuer), byName: make(map[string]*issuer), now: time.Now}
	for _, name := range names {
		options := &Issuer{Issuer: name, Audience: []string{"api"}}
		i := &issuer{options: options, name: name, Verifier: Verifier{
			Keys: keys, Revoked: gone, Accounts: new(federation.Accounts),
			Rules: jose.Rules{Audiences: options.Audience, Leeway: options.leeway()},
		}}
		s.all = append(s.all, i)
		if err := s.add(i); err != nil {
			panic(err)
		}
	}
	return s, keys, gone
}

// TestIssuers_clock has the wall clock step while a token is used: it counts what
// the clock says now, and nothing is remembered of what it said before.
func TestIssuers_clock(t *testing.T) {
	s, _, _ := newIssuers("i")
	start := time.Unix(1_800_000_000, 0)
	token := sign(fmt.Sprintf(`{"iss":"i","aud":"api","sub":"u","iat":%d,"nbf":%d,"exp":%d}`, start.Unix(), start.Unix(), start.Unix()+600))
	for _, step := range []struct {
		by   time.Duration
		want error
	}{
		{0, nil},
		{-30 * time.Second, nil},
		{-31 * time.Second, jose.ErrNotYet},
		{-24 * time.Hour, jose.ErrNotYet},
		{-time.Duration(1_800_000_000+86_400) * time.Second, jose.ErrNotYet},
		{629 * time.Second, nil},
		{630 * time.Second, jose.ErrExpired},
		{100 * 365 * 24 * time.Hour, jose.ErrExpired},
		{0, nil},
	} {
		s.now = func() time.Time { return start.Add(step.by) }
		id, err := s.Identity(t.Context(), token)
		if !errors.Is(err, step.want) || step.want == nil && err != nil {
			t.Errorf("the clock is off by %v: %v, want %v", step.by, err, step.want)
		}
		if err == nil && !id.Expires.Equal(start.Add(630*time.Second)) {
			t.Errorf("the identity ends at %v, and the token at %v", id.Expires, start.Add(600*time.Second))
		}
	}
}

// TestIssuers_faults has keys and a store that cannot be asked: 503, and only for
// tokens that nothing else is wrong with.
func TestIssuers_faults(t *testing.T) {
	s, keys, gone := newIssuers("i", "j")
	const good = `{"iss":"i","aud":"api","sub":"u","exp":4102444800,"jti":"t"}`
	for name, test := range map[string]struct {
		claims    string
		keys      error
		store     error
		refused   bool
		down      bool
		foreign   bool
		askedKeys bool
	}{
		"good":                      {claims: good, askedKeys: true},
		"keys not known":            {claims: good, keys: keyset.ErrUnavailable, down: true, askedKeys: true},
		"any error of the keys":     {claims: good, keys: errors.New("x"), down: true, askedKeys: true},
		"no such key":               {claims: good, keys: keyset.ErrUnknownKey, refused: true, askedKeys: true},
		"store down":                {claims: good, store: tokenstore.ErrUnavailable, down: true, askedKeys: true},
		"store down, no jti":        {claims: strings.Replace(good, `,"jti":"t"`, "", 1), store: tokenstore.ErrUnavailable, askedKeys: true},
		"expired while keys fail":   {claims: `{"iss":"i","aud":"api","sub":"u","exp":1}`, keys: keyset.ErrUnavailable, refused: true},
		"audience while keys fail":  {claims: `{"iss":"i","aud":"x","sub":"u","exp":4102444800}`, keys: keyset.ErrUnavailable, refused: true},
		"stranger while keys fail":  {claims: `{"iss":"x","aud":"api","sub":"u","exp":4102444800}`, keys: keyset.ErrUnavailable, foreign: true},
		"no issuer":                 {claims: `{"aud":"api","sub":"u","exp":4102444800}`, foreign: true},
		"an ID token":               {claims: `{"iss":"i","aud":"api","sub":"u","exp":4102444800,"at_hash":"x"}`, refused: true},
		"jti too long":              {claims: `{"iss":"i","aud":"api","sub":"u","exp":4102444800,"jti":"` + strings.Repeat("j", 513) + `"}`, refused: true, askedKeys: true},
		"sub too long":              {claims: `{"iss":"i","aud":"api","sub":"` + strings.Repeat("j", 513) + `","exp":4102444800}`, refused: true, askedKeys: true},
		"sub that is no other's":    {claims: `{"iss":"i","aud":"api","sub":"|u","exp":4102444800}`, refused: true, askedKeys: true},
		"cnf that is no object":     {claims: `{"iss":"i","aud":"api","sub":"u","exp":4102444800,"cnf":[]}`, refused: true, askedKeys: true},
		"a whole number as subject": {claims: `{"iss":"i","aud":"api","sub":42,"exp":4102444800}`, askedKeys: true},
	} {
		t.Run(name, func(t *testing.T) {
			keys.err, keys.asked, gone.err = test.keys, 0, test.store
			id, err := s.Identity(t.Context(), sign(test.claims))
			_, refused := errors.AsType[*auth.Failure](err)
			_, down := errors.AsType[*auth.Unavailable](err)
			foreign := errors.Is(err, auth.ErrNoCredentials)
			if refused != test.refused || down != test.down || foreign != test.foreign || (err == nil) != (id != nil) {
				t.Errorf("Identity = %+v, %v", id, err)
			}
			if (keys.asked > 0) != test.askedKeys {
				t.Errorf("the keys were asked for %d times", keys.asked)
			}
		})
	}
}

// TestIssuers_identity looks at what belongs to the credential.
func TestIssuers_identity(t *testing.T) {
	s, _, gone := newIssuers("i", "j")
	s.all[0].options.UserPrefix.UserPrefix = "a:"
	token := sign(`{"iss":"i","aud":["x","api"],"sub":"u","exp":4102444800,"jti":"t","cnf":{"jkt":"x"},"azp":"app"}`)
	id, err := s.Identity(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if id.ID != "a:u" || id.Key != "i|u" || id.Source != "i" || id.Client != "app" || id.Credential != "t" ||
		id.Family != revocation.JWT("i", "t") || id.Proof != "i"+possession.Marker {
		t.Errorf("%+v", id)
	}
	again, err := s.Recheck(t.Context(), id)
	if err != nil || again.ID != id.ID || again.Key != id.Key || again.Proof != id.Proof || !again.Expires.Equal(id.Expires) {
		t.Errorf("Recheck = %+v, %v", again, err)
	}
	gone.families[id.Family] = true
	_, err = s.Recheck(t.Context(), id)
	if failure, ok := errors.AsType[*auth.Failure](err); !ok || failure.Code != bearer.CodeInvalidToken {
		t.Errorf("Recheck of a revoked token: %v", err)
	}
	// A user of the other issuer cannot have that name, though it has no prefix.
	if id, err := s.Identity(t.Context(), sign(`{"iss":"j","aud":"api","sub":"a:u","exp":4102444800}`)); err == nil {
		t.Errorf("two people are called %s", id.ID)
	}
}

// TestBind has keys that belong to tenants, as those of Entra ID do.
func TestBind(t *testing.T) {
	token, err := jose.Parse(sign(`{"iss":"https://x/t1/v2.0","tid":"t1"}`))
	if err != nil {
		t.Fatal(err)
	}
	all := []*keyset.Key{
		{ID: "any"},
		{ID: "mine", Issuer: "https://x/t1/v2.0"},
		{ID: "template", Issuer: "https://x/{tenantid}/v2.0"},
		{ID: "other", Issuer: "https://x/t2/v2.0"},
		{ID: "any too"},
	}
	var got []string
	for _, key := range bind(token, all) {
		got = append(got, key.ID)
	}
	if strings.Join(got, ",") != "any,mine,template,any too" {
		t.Errorf("bound to %v", got)
	}
	if len(bind(token, all[:1])) != 1 || len(all) != 5 {
		t.Error("keys that are not bound are left out, or the list was changed")
	}
}

// FuzzIssuers looks for tokens that are let in without a signature, or are the
// server's fault.
func FuzzIssuers(f *testing.F) {
	s, _, _ := newIssuers("i")
	for _, seed := range []string{"", "..", "a.b.c", "a.b.c.d.e", sign(`{"iss":"i"}`), sign(`{"iss":"i","exp":1e99}`), sign(`{}`)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		id, err := s.Identity(t.Context(), token)
		_, refused := errors.AsType[*auth.Failure](err)
		if id != nil || !refused && !errors.Is(err, auth.ErrNoCredentials) {
			t.Fatalf("Identity(%q) = %+v, %v", token, id, err)
		}
	})
}

// FuzzClaims signs whatever claims, as an issuer might: they are good or bad, and
// never the server's fault.
func FuzzClaims(f *testing.F) {
	s, _, _ := newIssuers("i")
	for _, seed := range []string{
		`{"iss":"i","aud":"api","exp":4102444800,"sub":"u"}`, `{"iss":"i","aud":["api",7],"exp":1.5,"sub":7,"scope":[1]}`,
		`{"iss":"i","aud":"api","exp":4102444800,"client_id":"c","cnf":{}}`, `{"iss":"i","aud":"api","exp":4102444800,"sub":"u","scp":"a  b","email":1}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, claims string) {
		id, err := s.Identity(t.Context(), sign(claims))
		if err != nil {
			if _, refused := errors.AsType[*auth.Failure](err); !refused && !errors.Is(err, auth.ErrNoCredentials) {
				t.Fatalf("Identity(%q): %v", claims, err)
			}
			return
		}
		if id.Key == "" || !strings.HasPrefix(id.Key, "i|") || id.HasUser() && strings.ContainsAny(id.ID, "\r\n\x00") {
			t.Fatalf("Identity(%q) = %+v", claims, id)
		}
	})
}

// BenchmarkIssuers_firstSight is a token that was not seen before, but for its
// signature, which costs what its algorithm does.
func BenchmarkIssuers_firstSight(b *testing.B) {
	s, _, _ := newIssuers("i")
	token := sign(`{"iss":"i","aud":"api","exp":4102444800,"iat":1700000000,"sub":"248289761001","jti":"0e2d6a10-8a4d-4e11-9a33","scope":"orders.read orders.write","azp":"app","name":"Alice Liddell","email":"alice@example.com","email_verified":true}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Identity(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package signing

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

// clock is a time that a test sets.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newClock() *clock { return &clock{at: time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)} }

// node is a process with a storage.
func node(storage certmagic.Storage, c *clock) *Keys {
	keys := New(storage, zap.NewNop())
	keys.now = c.now
	return keys
}

func sign(t *testing.T, r *Ring) *jose.Token {
	t.Helper()
	key, err := r.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	compact, err := jose.Sign(key, jose.Header{Type: "JWT"}, []byte(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	token, err := jose.Parse(compact)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func verifies(t *testing.T, r *Ring, token *jose.Token) bool {
	t.Helper()
	keys, err := r.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token.Verify(keys) == nil
}

// await waits for what happens in the background.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for began := time.Now(); !done(); time.Sleep(time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			t.Fatal(what)
		}
	}
}

// TestRing signs with each algorithm, and verifies on another node.
func TestRing(t *testing.T) {
	for _, algorithm := range []string{"HS256", "HS384", "HS512", "RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"} {
		t.Run(algorithm, func(t *testing.T) {
			storage, c := &certmagic.FileStorage{Path: t.TempDir()}, newClock()
			a, b := node(storage, c).Ring("x", algorithm), node(storage, c).Ring("x", algorithm)
			token := sign(t, a)
			if token.Alg != algorithm || !verifies(t, a, token) || !verifies(t, b, token) {
				t.Errorf("a token of %s is not verified", token.Alg)
			}
			if named := token.KeyID != ""; named == symmetric(algorithm) {
				t.Errorf("kid %q", token.KeyID)
			}
			set, err := a.JWKS(t.Context())
			if symmetric(algorithm) {
				if err == nil {
					t.Errorf("a secret is published: %s", set)
				}
				return
			}
			// What is published verifies, for those who read RFC 7517.
			public, parsing := keyset.ParseJWKS(set)
			if err != nil || parsing != nil || len(public) != 1 || token.Verify(public) != nil || public[0].ID != token.KeyID || public[0].Thumbprint != token.KeyID {
				t.Errorf("%s: %v, %v", set, err, parsing)
			}
			if strings.Contains(string(set), `"d"`) {
				t.Errorf("a private key is published: %s", set)
			}
			if info, err := os.Stat(filepath.Join(storage.Path, directory, "x", algorithm)); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the file: %v, %v", info, err)
			}
		})
	}
}

// TestRing_Rotate has a new key sign after the lead, and the old one go when what
// it signed is over.
func TestRing_Rotate(t *testing.T) {
	storage, c := &certmagic.FileStorage{Path: t.TempDir()}, newClock()
	a, b := node(storage, c).Ring("x", "ES256"), node(storage, c).Ring("x", "ES256")
	a.Keep(time.Hour)
	first := sign(t, a)
	generation := a.Generation()
	verifies(t, b, first) // b has read the ring
	if err := a.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.pass(fresh)
	await(t, "the other node does not hear of the new key", func() bool {
		keys, err := b.Keys(t.Context())
		return err == nil && len(keys) == 2
	})
	if sign(t, a).KeyID != first.KeyID {
		t.Error("the new key signs before the others know it")
	}
	c.pass(Lead)
	second := sign(t, a)
	if second.KeyID == first.KeyID {
		t.Error("the old key signs")
	}
	if !verifies(t, b, second) || !verifies(t, b, first) {
		t.Error("the other node refuses one of them")
	}
	c.pass(time.Hour - fresh - time.Second)
	if !verifies(t, a, first) {
		t.Error("the old key went before its time")
	}
	if a.Generation() != generation {
		t.Error("what is remembered was thrown away")
	}
	c.pass(time.Minute)
	if verifies(t, a, first) || !verifies(t, a, second) {
		t.Error("the old key stays")
	}
	if err := a.RotateNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	third := sign(t, a)
	if third.KeyID == second.KeyID {
		t.Error("the new key does not sign at once")
	}
	// The other node meets its token before it reads the ring again.
	if !verifies(t, b, third) && !b.Missed(t.Context()) || !verifies(t, b, third) {
		t.Error("the other node does not look for a key that it does not know")
	}
	if list, err := a.Describe(t.Context()); err != nil || len(list) != 2 || list[0].State != "verifies" || list[1].State != "signs" || list[1].ID != third.KeyID {
		t.Errorf("%+v, %v", list, err)
	}
	if b.Missed(t.Context()) {
		t.Error("the storage is read for each bad token")
	}
}

// TestRing_Replace takes a stolen key away, on other nodes within seconds.
func TestRing_Replace(t *testing.T) {
	storage, c := &certmagic.FileStorage{Path: t.TempDir()}, newClock()
	a, b := node(storage, c).Ring("x", "HS256"), node(storage, c).Ring("x", "HS256")
	first := sign(t, a)
	verifies(t, b, first)
	ours, theirs := a.Generation(), b.Generation()
	if err := a.Replace(t.Context()); err != nil {
		t.Fatal(err)
	}
	if verifies(t, a, first) || a.Generation() <= ours {
		t.Error("the stolen key is accepted")
	}
	c.pass(fresh)
	await(t, "the other node accepts the stolen key", func() bool { return b.Generation() > theirs && !verifies(t, b, first) })
	second := sign(t, b)
	if !verifies(t, a, second) {
		t.Error("the nodes have different keys")
	}
	// After a pause not even the first request passes.
	theirs = b.Generation()
	if err := a.Replace(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.pass(old)
	if verifies(t, b, second) || b.Generation() <= theirs {
		t.Error("after a pause the stolen key is accepted once more")
	}
	// A new configuration has rings of its own, and the memory of the old one.
	for _, before := range []uint64{ours, a.Generation()} {
		if after := node(storage, c).Ring("x", "HS256").Generation(); after <= before {
			t.Errorf("generation %d of a ring after a reload, which another had: %d", after, before)
		}
	}
}

// TestRing_TurnEvery replaces a key that has signed for long enough, once.
func TestRing_TurnEvery(t *testing.T) {
	storage, c := &certmagic.FileStorage{Path: t.TempDir()}, newClock()
	rings := []*Ring{node(storage, c).Ring("x", "EdDSA"), node(storage, c).Ring("x", "EdDSA")}
	for _, r := range rings {
		r.Keep(time.Hour)
		r.TurnEvery(48 * time.Hour)
		r.TurnEvery(24 * time.Hour)
	}
	first := sign(t, rings[0])
	c.pass(24 * time.Hour)
	for _, r := range rings {
		await(t, "the key is not replaced", func() bool {
			sign(t, r)
			keys, err := r.Keys(t.Context())
			return err == nil && len(keys) == 2
		})
	}
	c.pass(Lead)
	for _, r := range rings {
		if sign(t, r).KeyID == first.KeyID || !verifies(t, r, first) {
			t.Error("the old key signs, or does not verify")
		}
	}
	if list, err := rings[0].Describe(t.Context()); err != nil || len(list) != 2 {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestRing_race has nodes that start together agree on one key.
func TestRing_race(t *testing.T) {
	storage, c := &certmagic.FileStorage{Path: t.TempDir()}, newClock()
	var group sync.WaitGroup
	tokens := make([]*jose.Token, 3)
	for i := range tokens {
		group.Go(func() { tokens[i] = sign(t, node(storage, c).Ring("x", "ES256")) })
	}
	group.Wait()
	for _, token := range tokens {
		if token.KeyID != tokens[0].KeyID {
			t.Fatal("two nodes have different keys")
		}
	}
}

// TestRing_damaged never replaces what is damaged, and goes on with what it knows.
func TestRing_damaged(t *testing.T) {
	storage, c := &certmagic.FileStorage{Path: t.TempDir()}, newClock()
	good := node(storage, c).Ring("x", "ES256")
	token := sign(t, good)
	for _, text := range []string{``, `{}`, `[]`, `{"algorithm":"ES256"}`, `{"algorithm":"ES256","keys":[null]}`, `{"algorithm":"ES256","keys":[{"secret":"AAAA"}]}`, `{"algorithm":"RS256","keys":[]}`} {
		if err := storage.Store(t.Context(), good.path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		r := node(storage, c).Ring("x", "ES256")
		for name, call := range map[string]func(context.Context) error{
			"Current": func(ctx context.Context) error { _, err := r.Current(ctx); return err },
			"Keys":    func(ctx context.Context) error { _, err := r.Keys(ctx); return err },
			"JWKS":    func(ctx context.Context) error { _, err := r.JWKS(ctx); return err },
			"Rotate":  r.Rotate,
		} {
			if err := call(t.Context()); !errors.Is(err, ErrUnavailable) {
				t.Errorf("%s with %q: %v", name, text, err)
			}
		}
		if stored, _ := storage.Load(t.Context(), good.path); string(stored) != text {
			t.Errorf("%q was replaced", text)
		}
	}
	c.pass(fresh)
	for range 3 {
		if !verifies(t, good, token) || sign(t, good) == nil {
			t.Error("the keys that were read are forgotten")
		}
	}
}

// TestRing_secret keeps the key out of what is shown and out of errors.
func TestRing_secret(t *testing.T) {
	storage, c := &certmagic.FileStorage{Path: t.TempDir()}, newClock()
	keys := node(storage, c)
	sign(t, keys.Ring("x", "HS256"))
	sign(t, keys.Ring("y", "ES256"))
	found, err := node(storage, c).Find(t.Context())
	if err != nil || len(found) != 2 || found[0].Name() != "x" || found[1].Algorithm() != "ES256" {
		t.Fatalf("%v, %v", found, err)
	}
	for _, r := range found {
		raw, err := storage.Load(t.Context(), r.path)
		if err != nil {
			t.Fatal(err)
		}
		var ring struct{ Keys []struct{ Secret string } }
		if err := json.Unmarshal(raw, &ring); err != nil || ring.Keys[0].Secret == "" {
			t.Fatalf("%s: %v", raw, err)
		}
		list, err := r.Describe(t.Context())
		shown, encoding := json.Marshal(list)
		if err != nil || encoding != nil || len(list) != 1 || strings.Contains(string(shown), ring.Keys[0].Secret[:16]) {
			t.Errorf("%s: %v, %v", shown, err, encoding)
		}
	}
}

func TestCheckAlgorithm(t *testing.T) {
	for _, name := range []string{"", "none", "HS128", "ES256K", "es256", "ED25519", "RSA"} {
		if CheckAlgorithm(name) == nil {
			t.Errorf("%q is accepted", name)
		}
	}
}

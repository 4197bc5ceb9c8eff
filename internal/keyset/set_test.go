// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package keyset_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/discovery"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// local is how a provider of a test is asked.
var local = outbound.Settings{AllowInternal: []string{"loopback"}, AllowHTTP: true}

func acquire(t *testing.T, cfg keyset.Config) *keyset.Set {
	t.Helper()
	set, err := keyset.Acquire(cfg, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = set.Release() })
	return set
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain for " + what)
		}
	}
}

func TestFind(t *testing.T) {
	idp := idptest.New(t)
	rsa, ec := idp.KeyIDs()[0], idp.KeyIDs()[1]
	for _, cfg := range []keyset.Config{
		{Issuer: idp.Issuer(), Outbound: local},
		{Discovery: &discovery.Config{Issuer: "https://other.example", URL: idp.URL + idptest.MetadataPath, AcceptIssuer: func(got string) bool { return got == idp.URL }, Outbound: local}, Outbound: local},
		{JWKSURL: idp.JWKSURL(), Outbound: local},
	} {
		set := acquire(t, cfg)
		for _, row := range []struct{ alg, kid, typ string }{
			{"RS256", rsa, "RSA"},
			{"PS512", rsa, "RSA"},
			{"ES256", ec, "EC"},
			{"EdDSA", idp.KeyIDs()[2], "OKP"},
			{"RS256", "", "RSA"},
			{"ES256", "", "EC"},
			{"EdDSA", "", "OKP"},
			{"Ed25519", "", "OKP"},
			{"RS256", ec, ""},
			{"ES256", rsa, ""},
			{"ES384", ec, ""},
			{"ES384", "", ""},
			{"HS256", rsa, ""},
			{"HS256", "", ""},
			{"none", rsa, ""},
			{"", rsa, ""},
			{"", "", ""},
			{"RS256", "unknown", ""},
			{"rs256", rsa, ""},
		} {
			found, err := set.Find(t.Context(), row.alg, row.kid)
			switch {
			case row.typ == "" && !errors.Is(err, keyset.ErrUnknownKey):
				t.Error(row, found, err)
			case row.typ != "" && (err != nil || len(found) != 1 || found[0].Type != row.typ || !found[0].Verifies(row.alg)):
				t.Error(row, found, err)
			}
		}
	}
}

func TestAllowedAlgorithms(t *testing.T) {
	idp := idptest.New(t)
	set := acquire(t, keyset.Config{JWKSURL: idp.JWKSURL(), Algorithms: []string{"PS256", "EdDSA"}, Outbound: local})
	for alg, good := range map[string]bool{"PS256": true, "EdDSA": true, "RS256": false, "ES256": false, "Ed25519": false} {
		if _, err := set.Find(t.Context(), alg, ""); (err == nil) != good {
			t.Error(alg, err)
		}
	}
	// They are the user's of the set: the issuer is asked once for all of them.
	all := acquire(t, keyset.Config{JWKSURL: idp.JWKSURL(), Outbound: local})
	if _, err := all.Find(t.Context(), "RS256", ""); err != nil {
		t.Error(err)
	}
	for range 3 {
		_, _ = set.Find(t.Context(), "PS256", "unknown")
		_, _ = set.Find(t.Context(), "HS256", "unknown")
		_, _ = all.Find(t.Context(), "RS256", "unknown")
	}
	if _, fetched := idp.Fetches(); fetched != 1 {
		t.Errorf("the keys were fetched %d times", fetched)
	}
	secret := []byte("kZ8v-Qe3_Xr7bTn5LwYc1GhJ9dMf2PsA")
	acquire(t, keyset.Config{Secret: secret})
	if _, err := keyset.Acquire(keyset.Config{Secret: secret, Algorithms: []string{"HS512"}}, zap.NewNop()); err == nil {
		t.Error("a secret that another uses by HS256 verifies HS512")
	}
}

// Tokens without kid are tried against ten keys at most, and a kid that two keys
// share against both.
func TestManyCandidates(t *testing.T) {
	idp := idptest.New(t)
	for i := range 30 {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		idp.AddKey(fmt.Sprint("key-", i/2), private, nil)
	}
	set := acquire(t, keyset.Config{JWKSURL: idp.JWKSURL(), Outbound: local})
	for kid, want := range map[string]int{"": 10, "key-3": 2} {
		if found, err := set.Find(t.Context(), "ES256", kid); err != nil || len(found) != want {
			t.Error(kid, len(found), err)
		}
	}
}

func TestAnotherIssuer(t *testing.T) {
	idp := idptest.New(t)
	idp.SetMetadata("issuer", idp.URL+"/")
	set := acquire(t, keyset.Config{Issuer: idp.Issuer(), Outbound: local})
	if _, err := set.Find(t.Context(), "RS256", ""); !errors.Is(err, keyset.ErrUnavailable) {
		t.Error(err)
	}
	if _, fetched := idp.Fetches(); fetched != 0 {
		t.Error("the keys of another issuer were fetched")
	}
	// Who may be the issuer is judged for each user of a set.
	accepting := func(issuer string) *keyset.Set {
		return acquire(t, keyset.Config{Outbound: local, Discovery: &discovery.Config{
			Issuer: idp.Issuer(), Outbound: local, AcceptIssuer: func(got string) bool { return got == issuer },
		}})
	}
	one, other := accepting(idp.URL), accepting(idp.URL+"/")
	if _, err := one.Find(t.Context(), "RS256", ""); !errors.Is(err, keyset.ErrUnavailable) {
		t.Error(err)
	}
	if _, err := other.Find(t.Context(), "RS256", ""); err != nil {
		t.Error(err)
	}
}

// Ten thousand tokens of unknown keys have one fetch made, and tokens of known
// keys do not notice.
func TestUnknownKeys(t *testing.T) {
	idp := idptest.New(t)
	set := acquire(t, keyset.Config{Issuer: idp.Issuer(), Outbound: local})
	set.Start()
	eventually(t, "keys", func() bool { return len(set.Describe().Keys) == 3 })
	_, before := idp.Fetches()
	began := time.Now()

	stop, known := make(chan struct{}), sync.WaitGroup{}
	var took []time.Duration
	known.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			began := time.Now()
			if _, err := set.Find(t.Context(), "RS256", idp.KeyIDs()[0]); err != nil {
				t.Error(err)
			}
			took = append(took, time.Since(began))
		}
	})
	var unknown sync.WaitGroup
	for worker := range 8 {
		unknown.Go(func() {
			for i := range 1250 {
				if _, err := set.Find(t.Context(), "RS256", fmt.Sprintf("%d-%d", worker, i)); !errors.Is(err, keyset.ErrUnknownKey) {
					t.Error(err)
				}
			}
		})
	}
	unknown.Wait()
	close(stop)
	known.Wait()
	// One in half a minute, on however slow a machine.
	if _, after := idp.Fetches(); after-before < 1 || after-before > 1+int(time.Since(began)/(30*time.Second)) {
		t.Errorf("%d fetches", after-before)
	}
	slices.Sort(took)
	t.Logf("finding a known key among them: median %v, p99 %v of %d", took[len(took)/2], took[len(took)*99/100], len(took))
}

func TestRotation(t *testing.T) {
	idp := idptest.New(t)
	set := acquire(t, keyset.Config{Issuer: idp.Issuer(), MinInterval: 1, Outbound: local})
	old := idp.KeyIDs()[0]
	find := func(kid string) error {
		_, err := set.Find(t.Context(), "RS256", kid)
		return err
	}
	if err := find(old); err != nil {
		t.Fatal(err)
	}
	first := set.Generation()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	idp.AddKey("added", private, nil)
	if _, err := set.Find(t.Context(), "ES256", "added"); err != nil || set.Generation() != first {
		t.Error("a key that was added changes nothing for the others:", err, set.Generation()-first)
	}
	idp.Rotate()
	if err := find(idp.KeyIDs()[0]); err != nil {
		t.Error(err)
	}
	if err := find(old); !errors.Is(err, keyset.ErrUnknownKey) {
		t.Error(err)
	}
	if set.Generation() <= first {
		t.Error("the generation has not grown")
	}
}

// What is shared is fetched once, and a set that ended and came back does not
// have a number that it had.
func TestSharing(t *testing.T) {
	ignored := goleak.IgnoreCurrent()
	idp := idptest.New(t)
	cfg := keyset.Config{Issuer: idp.Issuer(), Outbound: local}
	var last uint64
	for range 5 {
		one, err := keyset.Acquire(cfg, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		other, err := keyset.Acquire(cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, set := range []*keyset.Set{one, other} {
			set.Start()
			if _, err := set.Find(t.Context(), "RS256", ""); err != nil {
				t.Error(err)
			}
		}
		if one.Generation() <= last || one.Generation() != other.Generation() {
			t.Error(last, one.Generation(), other.Generation())
		}
		last = one.Generation()
		if err := errors.Join(one.Release(), other.Release()); err != nil {
			t.Error(err)
		}
	}
	if metadata, keys := idp.Fetches(); metadata != 5 || keys != 5 {
		t.Error(metadata, keys)
	}
	idp.Close()
	goleak.VerifyNone(t, ignored)
}

func TestAcquireErrors(t *testing.T) {
	for name, cfg := range map[string]keyset.Config{
		"no source":      {},
		"two sources":    {Issuer: "https://a.example", JWKSURL: "https://a.example/jwks"},
		"algorithm":      {JWKSURL: "https://a.example/jwks", Algorithms: []string{"none"}},
		"http":           {JWKSURL: "http://a.example/jwks"},
		"http issuer":    {Issuer: "http://a.example"},
		"no URL":         {Issuer: "a.example"},
		"interval":       {JWKSURL: "https://a.example/jwks", RefreshInterval: -1},
		"weak secret":    {Secret: []byte("secret")},
		"PEM":            {PEM: "hello"},
		"nothing left":   {Secret: []byte("kZ8v-Qe3_Xr7bTn5LwYc1GhJ9dMf2PsA"), Algorithms: []string{"RS256"}},
		"too short":      {Secret: []byte("kZ8v-Qe3_Xr7bTn5LwYc1GhJ9dMf2PsA"), Algorithms: []string{"HS512"}},
		"no range":       {JWKSURL: "https://a.example/jwks", Outbound: outbound.Settings{AllowInternal: []string{"x"}}},
		"broken ca_file": {JWKSURL: "https://a.example/jwks", Outbound: outbound.Settings{CAFile: "set_test.go"}},
	} {
		if set, err := keyset.Acquire(cfg, zap.NewNop()); err == nil {
			t.Error(name)
			_ = set.Release()
		}
	}
}

func TestSecretSet(t *testing.T) {
	secret := []byte("kZ8v-Qe3_Xr7bTn5LwYc1GhJ9dMf2PsA0uVtRiOyEqWzXxCc")
	set := acquire(t, keyset.Config{Secret: secret})
	for alg, good := range map[string]bool{"HS256": true, "HS384": true, "HS512": false, "RS256": false} {
		for _, kid := range []string{"", "whatever"} {
			if _, err := set.Find(t.Context(), alg, kid); good != (err == nil) || !good && !errors.Is(err, keyset.ErrUnknownKey) {
				t.Error(alg, err)
			}
		}
	}
	if status := set.Describe(); status.Kind != "secret" || len(status.Keys) != 1 || status.Keys[0].Type != "oct" {
		t.Errorf("%+v", status)
	}
}

func BenchmarkFind(b *testing.B) {
	idp := idptest.New(b)
	set, err := keyset.Acquire(keyset.Config{Issuer: idp.Issuer(), Outbound: local}, zap.NewNop())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = set.Release() }()
	for name, kid := range map[string]string{"known": idp.KeyIDs()[0], "unknown": "unknown"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = set.Find(b.Context(), "RS256", kid)
			}
		})
	}
}

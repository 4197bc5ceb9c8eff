// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package keyset_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

func block(typ string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}))
}

func publicPEM(t testing.TB, public any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return block("PUBLIC KEY", der)
}

// somePEM has one of each kind.
func somePEM(t testing.TB) map[string]string {
	t.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(-time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, e.Public(), e)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"RS256":             publicPEM(t, r.Public()),
		"PS256":             block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&r.PublicKey)),
		"ES384":             publicPEM(t, e.Public()),
		"ES384 certificate": block("CERTIFICATE", certificate),
		"EdDSA":             publicPEM(t, o),
		"private":           block("PRIVATE KEY", pkcs8),
	}
}

func TestParsePEM(t *testing.T) {
	some := somePEM(t)
	for name, text := range some {
		keys, err := keyset.ParsePEM([]byte("a comment\n" + text + "\n"))
		alg, _, _ := strings.Cut(name, " ")
		switch {
		case name == "private" && (err == nil || !strings.Contains(err.Error(), "private")):
			t.Error(err)
		case name != "private" && (err != nil || len(keys) != 1 || !keys[0].Verifies(alg) || keys[0].ID != ""):
			t.Error(name, keys, err)
		}
	}
	if keys, err := keyset.ParsePEM([]byte(some["RS256"] + some["ES384"] + some["PS256"] + some["ES384 certificate"])); err != nil || len(keys) != 2 {
		t.Error("keys that are there twice:", keys, err)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty": "", "text": "hello", "weak": publicPEM(t, small.Public()), "curve": publicPEM(t, p224.Public()),
		"other block": block("CERTIFICATE REQUEST", []byte("x")), "broken": block("PUBLIC KEY", []byte("x")),
		"good and weak": some["RS256"] + publicPEM(t, small.Public()), "good and private": some["RS256"] + some["private"],
		"too many": strings.Repeat(some["EdDSA"], 101),
	} {
		if keys, err := keyset.ParsePEM([]byte(text)); err == nil {
			t.Error(name, keys)
		}
	}
}

func FuzzParsePEM(f *testing.F) {
	for _, text := range somePEM(f) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if keys, err := keyset.ParsePEM(text); (err == nil) != (len(keys) > 0) {
			t.Error(keys, err)
		}
	})
}

func TestFile(t *testing.T) {
	t.Parallel()
	some := somePEM(t)
	path := filepath.Join(t.TempDir(), "keys")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	// It may come later.
	set := acquire(t, keyset.Config{File: path})
	if _, err := set.Find(t.Context(), "RS256", ""); !errors.Is(err, keyset.ErrUnavailable) {
		t.Error(err)
	}
	write(some["RS256"])
	finds := func(alg string) func() bool {
		return func() bool {
			_, err := set.Find(t.Context(), alg, "any")
			return err == nil
		}
	}
	eventually(t, "the file", finds("RS256"))
	first := set.Generation()

	// What is broken, or gone, leaves the last good keys.
	write("hello")
	eventually(t, "the broken file to be seen", func() bool { return set.Describe().Error != "" })
	if !finds("RS256")() {
		t.Error("the last good keys are gone")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the missing file to be seen", func() bool { return strings.Contains(set.Describe().Error, "no such file") })
	if !finds("RS256")() || set.Generation() != first {
		t.Error("the last good keys are gone")
	}
	write(`{"keys":[` + edKey + `,{"kty":"oct","kid":"s","k":"a1o4di1RZTNfWHI3YlRuNUx3WWMxR2hKOWRNZjJQc0E"}]}`)
	eventually(t, "the new file", finds("EdDSA"))
	if finds("RS256")() || set.Generation() <= first {
		t.Error("the old keys are there")
	}
	if found, err := set.Find(t.Context(), "HS256", "s"); err != nil || len(found) != 1 {
		t.Error("a secret in a file of the operator:", err)
	}
}

// Kubernetes replaces a secret by having a link of its directory lead to another.
func TestFile_link(t *testing.T) {
	t.Parallel()
	some := somePEM(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "keys.pem")
	if err := os.Symlink(filepath.Join("..data", "keys.pem"), path); err != nil {
		t.Skip(err) // not everywhere
	}
	for _, alg := range []string{"RS256", "ES384", "EdDSA"} {
		version := filepath.Join(dir, "..version-"+alg)
		if err := os.Mkdir(version, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(version, "keys.pem"), []byte(some[alg]), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Base(version), filepath.Join(dir, "..new")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "..new"), filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
		set := acquire(t, keyset.Config{File: path})
		eventually(t, "the keys for "+alg, func() bool {
			found, err := set.Find(t.Context(), alg, "")
			return err == nil && len(found) == 1
		})
	}
}

func TestFilesThatAreBroken(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys")
	for _, text := range []string{"", "hello", "{}", `{"keys":[]}`, somePEM(t)["private"], `{"kty":"oct","k":"AAAA"}`, strings.Repeat("x", 600<<10)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if set, err := keyset.Acquire(keyset.Config{File: path}, zap.NewNop()); err == nil {
			t.Errorf("%.50q is accepted", text)
			_ = set.Release()
		} else if !strings.Contains(err.Error(), path) {
			t.Error(err)
		}
	}
	if _, err := keyset.Acquire(keyset.Config{File: t.TempDir()}, zap.NewNop()); err == nil {
		t.Error("a directory is accepted")
	}
	if _, err := keyset.Acquire(keyset.Config{File: os.DevNull}, zap.NewNop()); err == nil || !strings.Contains(err.Error(), "expected a file") {
		t.Error("a device is read:", err)
	}
}

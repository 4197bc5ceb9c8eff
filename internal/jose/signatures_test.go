// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
	"testing"
)

// TestVerifyBadSignatures is a table in the manner of Wycheproof's: signatures
// that are wrong in ways that verifiers have accepted.
func TestVerifyBadSignatures(t *testing.T) {
	made := pairs(t)
	for _, alg := range []string{"ES256", "ES384", "ES512"} {
		key := made[alg].private.Private.(*ecdsa.PrivateKey)
		size := (key.Params().BitSize + 7) / 8
		n := key.Params().N
		number := func(v *big.Int) []byte { return v.FillBytes(make([]byte, size)) }
		zero, one := new(big.Int), big.NewInt(1)
		for name, sign := range map[string]func(r, s *big.Int, raw []byte) []byte{
			"r and s zero":       func(_, _ *big.Int, _ []byte) []byte { return make([]byte, 2*size) },
			"r zero":             func(_, s *big.Int, _ []byte) []byte { return slices.Concat(number(zero), number(s)) },
			"s zero":             func(r, _ *big.Int, _ []byte) []byte { return slices.Concat(number(r), number(zero)) },
			"r and s one":        func(_, _ *big.Int, _ []byte) []byte { return slices.Concat(number(one), number(one)) },
			"r is n":             func(_, s *big.Int, _ []byte) []byte { return slices.Concat(number(n), number(s)) },
			"s is n":             func(r, _ *big.Int, _ []byte) []byte { return slices.Concat(number(r), number(n)) },
			"r and s exchanged":  func(r, s *big.Int, _ []byte) []byte { return slices.Concat(number(s), number(r)) },
			"all bits":           func(_, _ *big.Int, _ []byte) []byte { return bytes.Repeat([]byte{0xff}, 2*size) },
			"DER":                func(r, s *big.Int, _ []byte) []byte { return der(t, r, s) },
			"DER of zeros":       func(_, _ *big.Int, _ []byte) []byte { return der(t, zero, zero) },
			"a byte short":       func(_, _ *big.Int, raw []byte) []byte { return raw[:len(raw)-1] },
			"a byte long":        func(_, _ *big.Int, raw []byte) []byte { return append(raw, 0) },
			"a zero before":      func(_, _ *big.Int, raw []byte) []byte { return append([]byte{0}, raw...) },
			"zeros before both":  func(r, s *big.Int, _ []byte) []byte { return slices.Concat([]byte{0}, number(r), []byte{0}, number(s)) },
			"r alone":            func(r, _ *big.Int, _ []byte) []byte { return number(r) },
			"twice":              func(_, _ *big.Int, raw []byte) []byte { return slices.Concat(raw, raw) },
			"one byte":           func(_, _ *big.Int, _ []byte) []byte { return []byte{0} },
			"a bit of the first": func(_, _ *big.Int, raw []byte) []byte { raw[0] ^= 0x01; return raw },
			"a bit of the last":  func(_, _ *big.Int, raw []byte) []byte { raw[len(raw)-1] ^= 0x01; return raw },
			"r plus n, if it fits": func(r, s *big.Int, _ []byte) []byte {
				return slices.Concat(fit(new(big.Int).Add(r, n), size), number(s))
			},
		} {
			token := resigned(`{"alg":"`+alg+`"}`, `{"sub":"alice"}`, func(signed string) []byte {
				raw, err := algorithms[alg].method.Sign(signed, key)
				if err != nil {
					t.Fatal(err)
				}
				return sign(new(big.Int).SetBytes(raw[:size]), new(big.Int).SetBytes(raw[size:]), raw)
			})
			if err := verifies(t, token, made[alg].public); !errors.Is(err, ErrSignature) {
				t.Errorf("%s, %s: %v", alg, name, err)
			}
		}
	}

	rsaKey := made["RS256"].private.Private.(*rsa.PrivateKey)
	for name, sign := range map[string]func(digest [32]byte, signed string) []byte{
		"of no hash":      func(digest [32]byte, _ string) []byte { return pkcs1(t, rsaKey, 0, digest[:]) },
		"of another hash": func(digest [32]byte, _ string) []byte { return pkcs1(t, rsaKey, crypto.SHA224, digest[:28]) },
		"PSS":             func(digest [32]byte, _ string) []byte { return pss(t, rsaKey, digest[:], 32) },
		"a byte short":    func(digest [32]byte, _ string) []byte { return pkcs1(t, rsaKey, crypto.SHA256, digest[:])[1:] },
		"a zero before": func(digest [32]byte, _ string) []byte {
			return append([]byte{0}, pkcs1(t, rsaKey, crypto.SHA256, digest[:])...)
		},
		"plus the modulus": func(digest [32]byte, _ string) []byte {
			s := new(big.Int).SetBytes(pkcs1(t, rsaKey, crypto.SHA256, digest[:]))
			return s.Add(s, rsaKey.N).Bytes()
		},
		"zero":        func([32]byte, string) []byte { return make([]byte, 256) },
		"one":         func([32]byte, string) []byte { return append(make([]byte, 255), 1) },
		"the modulus": func([32]byte, string) []byte { return rsaKey.N.Bytes() },
		"the digest":  func(digest [32]byte, _ string) []byte { return digest[:] },
		"of another text": func(_ [32]byte, signed string) []byte {
			digest := sha256.Sum256([]byte(signed + "x"))
			return pkcs1(t, rsaKey, crypto.SHA256, digest[:])
		},
	} {
		token := resigned(`{"alg":"RS256"}`, `{}`, func(signed string) []byte { return sign(sha256.Sum256([]byte(signed)), signed) })
		if err := verifies(t, token, made["RS256"].public); !errors.Is(err, ErrSignature) {
			t.Errorf("RS256, %s: %v", name, err)
		}
	}
	for name, sign := range map[string]func(digest []byte) []byte{
		"a salt of nothing":  func(digest []byte) []byte { return pss(t, rsaKey, digest, 0) },
		"a short salt":       func(digest []byte) []byte { return pss(t, rsaKey, digest, 20) },
		"the longest salt":   func(digest []byte) []byte { return pss(t, rsaKey, digest, rsa.PSSSaltLengthAuto) },
		"PKCS #1":            func(digest []byte) []byte { return pkcs1(t, rsaKey, crypto.SHA256, digest) },
		"a bit of the first": func(digest []byte) []byte { s := pss(t, rsaKey, digest, 32); s[0] ^= 1; return s },
	} {
		token := resigned(`{"alg":"PS256"}`, `{}`, func(signed string) []byte {
			digest := sha256.Sum256([]byte(signed))
			return sign(digest[:])
		})
		if err := verifies(t, token, made["PS256"].public); !errors.Is(err, ErrSignature) {
			t.Errorf("PS256, %s: %v", name, err)
		}
	}
	edKey := made["EdDSA"].private.Private.(ed25519.PrivateKey)
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	for name, sign := range map[string]func(raw []byte) []byte{
		"zeros":       func([]byte) []byte { return make([]byte, 64) },
		"a byte long": func(raw []byte) []byte { return append(raw, 0) },
		"short":       func(raw []byte) []byte { return raw[:63] },
		"half":        func(raw []byte) []byte { return raw[:32] },
		"s plus the order": func(raw []byte) []byte {
			s := slices.Clone(raw[32:])
			slices.Reverse(s)
			sum := new(big.Int).SetBytes(s)
			out := sum.Add(sum, order).FillBytes(make([]byte, 32))
			slices.Reverse(out)
			return slices.Concat(raw[:32], out)
		},
	} {
		token := resigned(`{"alg":"EdDSA"}`, `{}`, func(signed string) []byte { return sign(ed25519.Sign(edKey, []byte(signed))) })
		if err := verifies(t, token, made["EdDSA"].public); !errors.Is(err, ErrSignature) {
			t.Errorf("EdDSA, %s: %v", name, err)
		}
	}
	secret := made["HS256"].private.Private.([]byte)
	for name, cut := range map[string]func(mac []byte) []byte{
		"truncated to half":     func(mac []byte) []byte { return mac[:16] },
		"truncated by one byte": func(mac []byte) []byte { return mac[:31] },
		"one byte":              func(mac []byte) []byte { return mac[:1] },
		"longer":                func(mac []byte) []byte { return append(mac, 0) },
		"zeros":                 func(mac []byte) []byte { return make([]byte, len(mac)) },
	} {
		token := resigned(`{"alg":"HS256"}`, `{}`, func(signed string) []byte {
			mac := hmac.New(sha256.New, secret)
			mac.Write([]byte(signed))
			return cut(mac.Sum(nil))
		})
		if err := verifies(t, token, made["HS256"].public); !errors.Is(err, ErrSignature) {
			t.Errorf("HS256, %s: %v", name, err)
		}
	}
}

func der(t *testing.T, r, s *big.Int) []byte {
	t.Helper()
	raw, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// fit is the number's last bytes, as many as there is room for.
func fit(v *big.Int, size int) []byte {
	raw := v.FillBytes(make([]byte, size+8))
	return raw[len(raw)-size:]
}

func pkcs1(t *testing.T, key *rsa.PrivateKey, hash crypto.Hash, digest []byte) []byte {
	t.Helper()
	raw, err := rsa.SignPKCS1v15(nil, key, hash, digest)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func pss(t *testing.T, key *rsa.PrivateKey, digest []byte, salt int) []byte {
	t.Helper()
	raw, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest, &rsa.PSSOptions{SaltLength: salt})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

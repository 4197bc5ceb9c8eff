// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package password

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
)

type vector struct {
	password, encoded string
	ok                bool
}

// loadVectors reads one list of the vectors; testdata/README.md says where they
// are from.
func loadVectors(t *testing.T, list string, into any) {
	t.Helper()
	raw, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var lists map[string]json.RawMessage
	if err := json.Unmarshal(raw, &lists); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(lists[list], into); err != nil {
		t.Fatalf("reading %s: %v", list, err)
	}
}

// shortMemory is the memory of the largest hash that -short still computes.
const shortMemory = 32 << 20

// verifyAll checks the vectors against the formats themselves, without the
// waiting that a Hasher adds to each failure.
func verifyAll(t *testing.T, vectors []vector) {
	t.Helper()
	if len(vectors) == 0 {
		t.Fatal("no vectors")
	}
	for _, v := range vectors {
		s, err := parse(v.encoded, WeakFormats())
		if err != nil {
			if v.ok {
				t.Errorf("%s: %v", v.encoded, err)
			}
			continue
		}
		if s.memory > shortMemory && testing.Short() {
			continue
		}
		if got, err := s.match(v.password); got != v.ok || err != nil {
			t.Errorf("%s with %q = %v, %v, want %v", v.encoded, v.password, got, err, v.ok)
		}
		if other := v.password + "?"; v.ok && len(other) <= 72 {
			if got, _ := s.match(other); got {
				t.Errorf("%s with %q matched", v.encoded, other)
			}
		}
	}
}

func TestVectors_djangoPublished(t *testing.T) {
	var published []struct {
		Password, Encoded string
		OK                any
	}
	loadVectors(t, "django_published", &published)
	var vectors []vector
	for _, v := range published {
		ok, strong := v.OK.(bool)
		if !strong {
			if err := Check(v.Encoded, nil); !errors.Is(err, ErrWeak) {
				t.Errorf("Check(%s) = %v, want ErrWeak", v.Encoded, err)
			}
			ok = true
		}
		vectors = append(vectors, vector{v.Password, v.Encoded, ok})
	}
	verifyAll(t, vectors)
}

func TestVectors_djangoGenerated(t *testing.T) {
	var generated []struct {
		Password, Encoded string
		OK                bool
	}
	loadVectors(t, "django_generated", &generated)
	var vectors []vector
	for _, v := range generated {
		vectors = append(vectors, vector{v.Password, v.Encoded, v.OK})
	}
	verifyAll(t, vectors)
}

func TestVectors_argon2Reference(t *testing.T) {
	var reference []struct {
		Password, Encoded string
		OK                bool
		MLog2             int `json:"m_log2"`
	}
	loadVectors(t, "argon2_reference", &reference)
	var vectors []vector
	for _, v := range reference {
		switch {
		case v.MLog2 > 18: // 1 GiB
			if err := Check(v.Encoded, nil); !errors.Is(err, ErrTooCostly) {
				t.Errorf("Check(%s) = %v, want ErrTooCostly", v.Encoded, err)
			}
		default:
			vectors = append(vectors, vector{v.Password, v.Encoded, v.OK})
		}
	}
	verifyAll(t, vectors)
}

func TestVectors_bcrypt(t *testing.T) {
	var pyca []struct {
		PasswordB64 string `json:"password_b64"`
		Hash        string
		OK          bool
	}
	loadVectors(t, "bcrypt_pyca", &pyca)
	var vectors []vector
	for _, v := range pyca {
		vectors = append(vectors, vector{unbase64(t, v.PasswordB64), v.Hash, v.OK})
	}
	verifyAll(t, vectors)
}

func TestVectors_passlib(t *testing.T) {
	schemes := map[string]struct {
		Correct []struct {
			PasswordB64 string `json:"password_b64"`
			Hash        string
		}
		Malformed []string
	}{}
	loadVectors(t, "passlib_known", &schemes)
	for _, name := range []string{
		"argon2", "bcrypt", "scrypt", "pbkdf2_sha1", "pbkdf2_sha256", "pbkdf2_sha512",
		"django_pbkdf2_sha256", "django_pbkdf2_sha1", "django_bcrypt", "django_bcrypt_sha256",
		"django_argon2", "django_salted_md5", "django_salted_sha1",
	} {
		t.Run(name, func(t *testing.T) {
			var vectors []vector
			seen := map[string]bool{}
			for _, v := range schemes[name].Correct {
				if seen[v.PasswordB64+v.Hash] {
					continue
				}
				seen[v.PasswordB64+v.Hash] = true
				if strings.Contains(v.Hash, "$2x$") || strings.HasPrefix(v.Hash, "$2$") {
					if err := Check(v.Hash, nil); !errors.Is(err, ErrMalformed) {
						t.Errorf("Check(%s) = %v, want ErrMalformed", v.Hash, err)
					}
					continue
				}
				vectors = append(vectors, vector{unbase64(t, v.PasswordB64), v.Hash, true})
			}
			verifyAll(t, vectors)
			for _, encoded := range schemes[name].Malformed {
				if err := Check(encoded, WeakFormats()); err == nil {
					t.Errorf("Check(%s) = nil, want an error", encoded)
				}
			}
		})
	}
	for _, v := range schemes["django_disabled"].Correct {
		if err := Check(v.Hash, nil); !errors.Is(err, ErrUnusable) {
			t.Errorf("Check(%s) = %v, want ErrUnusable", v.Hash, err)
		}
	}
	for _, v := range schemes["django_des_crypt"].Correct {
		if err := Check(v.Hash, WeakFormats()); !errors.Is(err, ErrMalformed) {
			t.Errorf("Check(%s) = %v, want ErrMalformed", v.Hash, err)
		}
	}
}

// maxHostileMemory is what verifying a hostile hash may allocate. That it is
// never long follows from the parameters, which Check bounds.
const maxHostileMemory = 64 << 20

func TestVectors_hostile(t *testing.T) {
	var hostile []struct{ Encoded, Why string }
	loadVectors(t, "hostile_encodings", &hostile)
	for _, v := range hostile {
		t.Run(v.Why, func(t *testing.T) {
			// Argon2d is not hostile to us, who can compute it.
			if Check(v.Encoded, WeakFormats()) == nil && !strings.Contains(v.Encoded, "argon2d") {
				t.Errorf("Check(%s) = nil, want an error", v.Encoded)
			}
			// Failures are held back; in a bubble that costs no time.
			synctest.Test(t, func(t *testing.T) {
				h := New(Config{Weak: WeakFormats()})
				var before, after runtime.MemStats
				for _, password := range []string{"", v.Encoded} {
					runtime.ReadMemStats(&before)
					if ok, _ := h.Verify(t.Context(), v.Encoded, password); ok {
						t.Errorf("%s with %q matched", v.Encoded, password)
					}
					runtime.ReadMemStats(&after)
					if spent := after.TotalAlloc - before.TotalAlloc; spent > maxHostileMemory {
						t.Errorf("%s allocates %d bytes, want at most %d", v.Encoded, spent, maxHostileMemory)
					}
				}
			})
		})
	}
}

func unbase64(t *testing.T, s string) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

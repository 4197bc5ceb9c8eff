// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"hash"
	"os"
	"strings"
	"testing"
	"time"
)

// djangoVectors are what Django itself signed; testdata/vectors.json.
type djangoVectors struct {
	SecretKey string `json:"secret_key"`
	Signing   []struct {
		Kind, Salt string
		Value      string
		Object     any `json:"obj"`
		Time       int64
		Signed     string
	}
	Sessions []struct {
		Backend string
		Data    string `json:"session_data"`
		Cookie  string
		Decoded map[string]any
		Time    int64
	}
	AuthHash struct {
		Password string `json:"password_field"`
		Hash     string
	} `json:"session_auth_hash"`
	SaltedHMAC []struct {
		Salt           string `json:"key_salt"`
		Value          string
		Algorithm, Hex string
	} `json:"salted_hmac"`
}

func loadVectors(t *testing.T) (v djangoVectors) {
	t.Helper()
	raw, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Signing) == 0 || len(v.Sessions) == 0 || len(v.SaltedHMAC) == 0 || v.AuthHash.Hash == "" {
		t.Fatal("the file has no vectors")
	}
	return v
}

func TestSaltedHMAC_vectors(t *testing.T) {
	v := loadVectors(t)
	for _, c := range v.SaltedHMAC {
		newHash := map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New}[c.Algorithm]
		if got := hex.EncodeToString(saltedHMAC(newHash, c.Salt, v.SecretKey, c.Value)); got != c.Hex {
			t.Errorf("%s of %q with %q = %s, want %s", c.Algorithm, c.Value, c.Salt, got, c.Hex)
		}
	}
	s := sessionReader{keys: []string{v.SecretKey}}
	if !s.provedBy(v.AuthHash.Hash, v.AuthHash.Password) || s.provedBy(v.AuthHash.Hash, v.AuthHash.Password+"x") {
		t.Error("the hash of a session is not that of the password alone")
	}
}

// TestSigning_vectors takes Django's signatures apart as those of sessions are.
func TestSigning_vectors(t *testing.T) {
	v := loadVectors(t)
	s := sessionReader{keys: []string{v.SecretKey}}
	other := sessionReader{keys: []string{v.SecretKey + "x"}}
	for _, c := range v.Signing {
		value, signature, ok := cutLast(c.Signed)
		given, err := base64.RawURLEncoding.DecodeString(signature)
		if !ok || err != nil || !s.signedBy(given, c.Salt+"signer", value) {
			t.Errorf("%s is not signed", c.Signed)
		}
		if other.signedBy(given, c.Salt+"signer", value) || s.signedBy(given, c.Salt, value) || s.signedBy(given, c.Salt+"signer", value+"x") {
			t.Errorf("%s is signed by another key, with another salt, or with another value", c.Signed)
		}
		if c.Kind == "Signer" {
			if value != c.Value {
				t.Errorf("%s is of %q, want %q", c.Signed, value, c.Value)
			}
			continue
		}
		value, stamp, _ := cutLast(value)
		if at, ok := parseStamp(stamp); !ok || c.Time != 0 && !at.Equal(time.Unix(c.Time, 0)) {
			t.Errorf("%s was signed at %s, want %d", c.Signed, at, c.Time)
		}
		if c.Kind == "TimestampSigner" && value != c.Value {
			t.Errorf("%s is of %q, want %q", c.Signed, value, c.Value)
		}
		if c.Kind == "dumps" {
			payload, reason := s.unpack(value)
			var got any
			if reason != "" || json.Unmarshal(payload, &got) != nil {
				t.Errorf("%s is %s", c.Signed, reason)
			}
			if want, err := json.Marshal(c.Object); err != nil || !sameJSON(got, want) {
				t.Errorf("%s is of %s, want %s", c.Signed, payload, want)
			}
		}
	}
}

func sameJSON(got any, want []byte) bool {
	encoded, err := json.Marshal(got)
	return err == nil && string(encoded) == string(want)
}

// TestSessionReader_vectors reads what Django stored, and takes nothing that it
// signed for another place: a cookie is no row of the database.
func TestSessionReader_vectors(t *testing.T) {
	v := loadVectors(t)
	s := sessionReader{keys: []string{v.SecretKey}}
	rows := 0
	for _, c := range v.Sessions {
		if c.Backend != "db" {
			if l, reason := s.read(c.Cookie, false); reason != leftUnsigned {
				t.Errorf("a session in a cookie is read: %+v, %q", l, reason)
			}
			continue
		}
		rows++
		l, reason := s.read(c.Data, false)
		user, known := c.Decoded["_auth_user_id"].(string)
		switch {
		case !known:
			if reason != leftAnonymous {
				t.Errorf("%v: %+v, %q, want %q", c.Decoded, l, reason, leftAnonymous)
			}
		case reason != "" || l.user != user || l.authHash != c.Decoded["_auth_user_hash"] || !l.signed.Equal(time.Unix(c.Time, 0)):
			t.Errorf("%v: %+v, %q", c.Decoded, l, reason)
		}
		for _, bad := range []string{c.Data + "x", "x" + c.Data, strings.Replace(c.Data, ":", "", 1)} {
			if l, reason := s.read(bad, false); reason == "" || reason == leftAnonymous {
				t.Errorf("%s was read: %+v", bad, l)
			}
		}
	}
	if rows == 0 {
		t.Error("no vector is a row of the database")
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

// What Django 3.2 has made with this key at the Unix time 1700000000, the password
// hash being this one.
const (
	vectorKey      = "django-insecure-test-key-0123456789abcdefghijklmnopqrstuvwxyz"
	vectorPassword = "pbkdf2_sha256$1$s$h"
	vectorHash     = "114d617b4638f291fc34ab9d707c6cec068cb8e2648547e80bdd7cdd2b7ca3ca"
	vectorSHA1     = "2a4ead0342a003238fc33fd03aa3b08f3c7812ef"

	vectorOther      = ".eJyrVopPLC3JiC8tTi2Kz0xRslIyVNJBFktKTM5OzQNJpGQl5qXn6yXn55UUZSbpgZToQWWL9XzzU1JznKBqUQzISCzOAOpOTKIMKtUCAM3lPq0:1r31eq:a5JxDlJQ1YcQnAvrKDTL9EbTtOJfNfyHKEgOjpHOi0o"
	vectorSession    = ".eJxVjL0OgjAYAN-lM2kolLYwussLGNN8fwhqSkJhMr67kjDoene5l4qwrWPcsixxYtUpo4pfhkAPSbvgO6TbrGlO6zKh3hN92KzPM8vzdLR_gxHyuG-NZWc8WleHoWrNQLUFbNmXnhwJlS4QBqmcDY31Ekpk9sRcoSeoCb5TgmVV3cXopuihv74_vm89LA:1r31eq:tw3SnOCfPlxkXSXu4jMiyKRSKpA9E8eob5okgyvX13M" // with NaN in it
	vectorSigned1    = ".eJxVjL0OgjAYAN-lM2kolLYwussLGNN8fwhqSkJhMr67kjDoene5l4qwrWPcsixxYtUpo4pfhkAPSbvgO6TbrGlO6zKh3hN92KzPM8vzdLR_gxHyuG-NZWc8WleHoWrNQLUFbNmXnhwJlS4QBqmcDY31Ekpk9sRcoSeoCb5TgmVV3cXopuihv74_vm89LA:1r31eq:4lXWUrJ3ZyVhTuRCPRbvOh8nKlQ"
	vectorLegacy     = "YWIyNzU5Mjc4Njg5MTc1OWU0ZDVlNGVlMWY1NmY1ODEzYzI1MDgwYjp7Il9hdXRoX3VzZXJfaWQiOiIxIiwiX2F1dGhfdXNlcl9iYWNrZW5kIjoiZGphbmdvLmNvbnRyaWIuYXV0aC5iYWNrZW5kcy5Nb2RlbEJhY2tlbmQiLCJfYXV0aF91c2VyX2hhc2giOiIxMTRkNjE3YjQ2MzhmMjkxZmMzNGFiOWQ3MDdjNmNlYzA2OGNiOGUyNjQ4NTQ3ZTgwYmRkN2NkZDJiN2NhM2NhIiwiY2FydCI6WzEuNSxOYU5dfQ=="
	vectorUnpacked   = "eyJfYXV0aF91c2VyX2lkIjoiMSJ9:1r31eq:IrTgDDYjpoJ9e2eexuAzmbdTicfCEbnbvdJUcyB2Mno"
	vectorAnonymous  = "e30:1r31eq:G2wSYV3D0w0nMMKW1hnDPdowNNqJ4XBsY8ccAKGYYlE"
	vectorPickle     = ".eJxNjk0KwjAUhBV0KYKn0E1o2pikK8VNVx5Byst70Valhf4sRQ-QZbyVB3Kp0gqd1TDfMMxj-nyNOt380s1SaJssbWtbpTl5N-beLQaZAbzY4gtWdIbiVDIsi6bKDftVWE9rti_JXnf_7nwwkEGdebflXJDkyggZ6WMY8yNGAkxMKlAo0WIgNRptQyn0WiirA0OkkCg0CiFC8G6CUDX-4JfJ5t39T-69sS37AMRBR28:1r31eq:AM0RsfmL3gNuN9QCRMxFoFJqx-g8eg9dRU_vBU5uNio"
	vectorWithinPack = "1r31eq"
)

var vectorTime = time.Unix(1700000000, 0).UTC()

// packer is used again, since a new one costs more than what is tested.
var packer = zlib.NewWriter(nil)

// signed signs a payload as Django 4 does.
func signed(payload []byte, compress bool) string {
	value := base64.RawURLEncoding.EncodeToString(payload)
	if compress {
		var b bytes.Buffer
		packer.Reset(&b)
		_, _ = packer.Write(payload)
		_ = packer.Close()
		value = "." + base64.RawURLEncoding.EncodeToString(b.Bytes())
	}
	return resigned(value + ":" + vectorWithinPack)
}

func resigned(value string) string {
	return value + ":" + base64.RawURLEncoding.EncodeToString(saltedHMAC(sha256.New, saltSession, vectorKey, value))
}

func TestSessionReader(t *testing.T) {
	huge := strings.Repeat(`{"a": "`+strings.Repeat("a", 1000)+`"}`, 2000)
	user := `{"_auth_user_id": "1", "_auth_user_hash": "` + vectorHash + `"}`
	for name, test := range map[string]struct {
		data, want string
		more       bool
		login      login
	}{
		"packed":        {data: vectorSession, login: login{"1", vectorHash, vectorTime}},
		"another":       {data: vectorOther, login: login{"1", strings.Repeat("ab", 32), vectorTime}},
		"with SHA-1":    {data: vectorSigned1, login: login{"1", vectorHash, vectorTime}},
		"legacy":        {data: vectorLegacy, login: login{user: "1", authHash: vectorHash}},
		"not packed":    {data: vectorUnpacked, login: login{"1", "", vectorTime}},
		"anonymous":     {data: vectorAnonymous, want: leftAnonymous},
		"pickled":       {data: vectorPickle, want: leftPickled},
		"a number":      {data: signed([]byte(`{"_auth_user_id": 42}`), false), login: login{"42", "", vectorTime}},
		"null":          {data: signed([]byte(`{"_auth_user_id": null}`), false), want: leftAnonymous},
		"nested":        {data: signed([]byte(`{"a": {"_auth_user_id": "1"}}`), true), want: leftAnonymous},
		"capitals":      {data: signed([]byte(`{"_AUTH_USER_ID": "1"}`), true), want: leftAnonymous},
		"a list":        {data: signed([]byte(`[1]`), true), want: leftUnreadable},
		"nothing":       {data: signed(nil, false), want: leftUnreadable},
		"something too": {data: signed([]byte(user+user), false), want: leftUnreadable},
		"twice":         {data: signed([]byte(`{"_auth_user_id": "1", "_auth_user_id": "2"}`), false), want: leftUnreadable},
		"an object":     {data: signed([]byte(`{"_auth_user_id": {}}`), false), want: leftUnreadable},
		"deep":          {data: signed([]byte(strings.Repeat("[", 10_000)), true), want: leftUnreadable},
		"a long id":     {data: signed([]byte(`{"_auth_user_id": "`+strings.Repeat("1", 1000)+`"}`), true), want: leftUnreadable},
		"a bomb":        {data: signed([]byte(huge), true), want: leftLarge},
		"cut":           {data: vectorSession, more: true, want: leftLarge},

		"empty":            {want: leftUnreadable},
		"no base64":        {data: "%%", want: leftUnreadable},
		"legacy, no colon": {data: "e30=", want: leftUnreadable},
		"legacy, forged":   {data: base64.StdEncoding.EncodeToString([]byte(strings.Repeat("ab", 20) + ":" + user)), want: leftUnsigned},
		"legacy, no hex":   {data: base64.StdEncoding.EncodeToString([]byte(strings.Repeat("xy", 20) + ":" + user)), want: leftUnreadable},
		"forged":           {data: strings.Replace(vectorSession, ".eJx", ".eJy", 1), want: leftUnsigned},
		"another time":     {data: strings.Replace(vectorSession, "1r31eq", "1r31er", 1), want: leftUnsigned},
		"another salt":     {data: strings.Replace(vectorSession, ":tw3S", ":tw3T", 1), want: leftUnsigned},
		"no time":          {data: resigned("e30"), want: leftUnreadable},
		"a bad time":       {data: resigned("e30:1r31e-"), want: leftUnreadable},
		"a long time":      {data: resigned("e30:zzzzzzzz"), want: leftUnreadable},
		"no signature":     {data: "e30:1r31eq:", want: leftUnsigned},
		"bad packing":      {data: resigned(".e30:1r31eq"), want: leftUnreadable},
		"torn packing":     {data: resigned(vectorSession[:40] + ":1r31eq"), want: leftUnreadable},
	} {
		t.Run(name, func(t *testing.T) {
			// Twice, since it keeps its buffers.
			s := sessionReader{keys: []string{"another key", vectorKey}}
			for range 2 {
				if got, reason := s.read(test.data, test.more); got != test.login || reason != test.want {
					t.Errorf("read = %+v, %q; want %+v, %q", got, reason, test.login, test.want)
				}
			}
			if _, reason := new(sessionReader).read(test.data, test.more); reason != leftNoKey {
				t.Errorf("without a key: %q", reason)
			}
			other := sessionReader{keys: []string{"another key"}}
			if _, reason := other.read(vectorSession, false); reason != leftUnsigned {
				t.Errorf("with another key: %q", reason)
			}
		})
	}
}

func TestSessionReader_provedBy(t *testing.T) {
	s := sessionReader{keys: []string{"another key", vectorKey}}
	for hash, want := range map[string]bool{
		vectorHash: true, vectorSHA1: true, "": false, "xy": false, vectorHash[:40]: false, strings.Repeat("ab", 32): false,
	} {
		if got := s.provedBy(hash, vectorPassword); got != want {
			t.Errorf("provedBy(%s) = %v", hash, got)
		}
	}
	if s.provedBy(vectorHash, vectorPassword+"x") || new(sessionReader).provedBy(vectorHash, vectorPassword) {
		t.Error("another password, or no key, proves it")
	}
}

// FuzzSessionReader looks for panics, for what is read without a signature, and for
// what is unpacked beyond its bound.
func FuzzSessionReader(f *testing.F) {
	for _, data := range []string{vectorSession, vectorLegacy, vectorPickle, vectorAnonymous, "a:b:c", "."} {
		f.Add(data, []byte(data))
	}
	f.Add("", []byte(`{"_auth_user_id": "1", "_auth_user_hash": "x", "a": [NaN, {}]}`))
	s := sessionReader{keys: []string{vectorKey}}
	f.Fuzz(func(t *testing.T, data string, payload []byte) {
		if got, reason := s.read(data, false); reason == "" && !strings.HasPrefix(data, vectorSession[:20]) && got.user != "1" {
			t.Errorf("%q is read as %+v", data, got)
		}
		plain, reason := s.read(signed(payload, false), false)
		packed, packedReason := s.read(signed(payload, true), false)
		if plain != packed || reason != packedReason {
			t.Errorf("%q: %+v, %q; packed: %+v, %q", payload, plain, reason, packed, packedReason)
		}
		if (reason == "") != (plain.user != "") {
			t.Errorf("%q: %+v, %q", payload, plain, reason)
		}
		// What is signed need not be what it says it is.
		for _, value := range []string{data, "." + data} {
			_, _ = s.read(resigned(value), false)
			_, _ = s.read(resigned(value+":1r31eq"), false)
		}
	})
}

// BenchmarkSessionReader is what a session costs of which nobody knows yet that it
// is nobody's.
func BenchmarkSessionReader(b *testing.B) {
	s := sessionReader{keys: []string{vectorKey}}
	b.ReportAllocs()
	for b.Loop() {
		if _, reason := s.read(vectorSession, false); reason != "" {
			b.Fatal(reason)
		}
	}
}

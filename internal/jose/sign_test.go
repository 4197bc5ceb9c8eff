// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"crypto/ecdsa"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

func TestSign(t *testing.T) {
	for name, p := range pairs(t) {
		token, err := Sign(p.private, Header{Type: "at+jwt"}, []byte(`{"sub":"alice"}`))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		parsed, err := Parse(token)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want := `{"alg":"` + name + `","typ":"at+jwt","kid":"key-` + name + `"}`; string(parsed.Header) != want {
			t.Errorf("%s: got header %s", name, parsed.Header)
		}
		if string(parsed.Payload) != `{"sub":"alice"}` {
			t.Errorf("%s: got payload %s", name, parsed.Payload)
		}
		if err := parsed.Verify([]*keyset.Key{p.public}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSignHeader(t *testing.T) {
	key := pairs(t)["HS256"].private
	for want, header := range map[string]Header{
		`{"alg":"HS256","kid":"key-HS256"}`:                                   {},
		`{"alg":"HS256","typ":"JWT","kid":"key-HS256"}`:                       {Type: "JWT"},
		`{"alg":"HS256","typ":"a\"b","kid":"key-HS256"}`:                      {Type: `a"b`},
		`{"alg":"HS256","kid":"key-HS256","cty":"a","jwk":{"a":1},"x5t":"b"}`: {Extra: map[string]any{"x5t": "b", "cty": "a", "jwk": map[string]int{"a": 1}}},
	} {
		token, err := Sign(key, header, []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		if parsed, err := Parse(token); err != nil || string(parsed.Header) != want {
			t.Errorf("got %v, want %s", parsed, want)
		}
	}
	key.ID = ""
	token, _ := Sign(key, Header{Type: "JWT"}, []byte(`{}`))
	if parsed, err := Parse(token); err != nil || string(parsed.Header) != `{"alg":"HS256","typ":"JWT"}` {
		t.Errorf("without kid: %v", parsed)
	}
}

func TestSignRefuses(t *testing.T) {
	made := pairs(t)
	const payload = `{"sub":"hunter2"}`
	for name, test := range map[string]struct {
		key     SigningKey
		header  Header
		payload string
	}{
		"none":                  {SigningKey{Algorithm: "none", Private: []byte{}}, Header{}, payload},
		"no algorithm":          {SigningKey{Private: []byte("x")}, Header{}, payload},
		"no key":                {SigningKey{Algorithm: "RS256"}, Header{}, payload},
		"a secret of no bytes":  {SigningKey{Algorithm: "HS256", Private: []byte{}}, Header{}, payload},
		"a secret for RSA":      {SigningKey{Algorithm: "RS256", Private: []byte("x")}, Header{}, payload},
		"a text for a secret":   {SigningKey{Algorithm: "HS256", Private: "hunter2"}, Header{}, payload},
		"RSA for HMAC":          {SigningKey{Algorithm: "HS256", Private: made["RS256"].private.Private}, Header{}, payload},
		"another curve":         {SigningKey{Algorithm: "ES256", Private: made["ES384"].private.Private}, Header{}, payload},
		"a key by value":        {SigningKey{Algorithm: "ES256", Private: *made["ES256"].private.Private.(*ecdsa.PrivateKey)}, Header{}, payload},
		"no JSON":               {made["HS256"].private, Header{}, "hunter2"},
		"a list":                {made["HS256"].private, Header{}, `["hunter2"]`},
		"a claim twice":         {made["HS256"].private, Header{}, `{"hunter2":1,"hunter2":2}`},
		"not UTF-8":             {made["HS256"].private, Header{}, "{\"a\":\"\xff\"}"},
		"alg set otherwise":     {made["HS256"].private, Header{Extra: map[string]any{"alg": "none"}}, payload},
		"crit":                  {made["HS256"].private, Header{Extra: map[string]any{"crit": []string{"exp"}}}, payload},
		"Alg":                   {made["HS256"].private, Header{Extra: map[string]any{"Alg": "none"}}, payload},
		"a header that is none": {made["HS256"].private, Header{Extra: map[string]any{"x": func() {}}}, payload},
	} {
		token, err := Sign(test.key, test.header, []byte(test.payload))
		if err == nil || token != "" {
			t.Errorf("%s: it is signed", name)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

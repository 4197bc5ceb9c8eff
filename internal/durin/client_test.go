// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package durin

import (
	"errors"
	"testing"
	"time"
)

func TestDecode(t *testing.T) {
	for _, want := range []Client{{TokenTTL: time.Microsecond}, {TokenTTL: 10 * 24 * time.Hour, ThrottleRate: `5/m"`}, {Endless: true, ThrottleRate: "1/s"}} {
		if got, err := Decode(Encode(want)); got != want || err != nil {
			t.Errorf("%+v became %+v, %v", want, got, err)
		}
	}
	for _, other := range []string{"", "null", "[]", "{}", `{"oauth2":{}}`, `{"durin":null}`, `{"durin":1}`} {
		if _, err := Decode([]byte(other)); !errors.Is(err, ErrOther) {
			t.Errorf("%s: %v", other, err)
		}
	}
	for _, bad := range []string{`{"durin":{}}`, `{"durin":{"token_ttl":"0s"}}`, `{"durin":{"token_ttl":"-1h"}}`, `{"durin":{"token_ttl":"x"}}`} {
		if _, err := Decode([]byte(bad)); err == nil || errors.Is(err, ErrOther) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestName(t *testing.T) {
	if name, ok := Name(ClientID("web")); name != "web" || !ok {
		t.Error(name, ok)
	}
	if _, ok := Name("web"); ok {
		t.Error("an OAuth client is one of durin's")
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package simplejwt

import (
	"bytes"
	"testing"
)

// TestSeal gives a reply to whoever has the token that it was got for, and to nobody
// else.
func TestSeal(t *testing.T) {
	p := &pair{Access: "access token", AccessExpires: 1, Refresh: "refresh token", RefreshExpires: 2}
	sealed, err := seal("old token", p)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("token")) {
		t.Errorf("%q is not sealed", sealed)
	}
	if got, err := open("old token", sealed); err != nil || *got != *p {
		t.Errorf("open = %+v, %v", got, err)
	}
	again, err := seal("old token", p)
	if err != nil || bytes.Equal(again, sealed) {
		t.Errorf("sealed twice alike, %v", err)
	}
	damaged := bytes.Clone(sealed)
	damaged[len(damaged)-1] ^= 1
	for name, row := range map[string]struct {
		token  string
		sealed []byte
	}{
		"another token": {"another token", sealed},
		"damaged":       {"old token", damaged},
		"short":         {"old token", sealed[:5]},
		"none":          {"old token", nil},
	} {
		if got, err := open(row.token, row.sealed); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

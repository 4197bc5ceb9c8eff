// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import "testing"

func TestToken_Claims(t *testing.T) {
	token, err := ParseClaims([]byte(`{"b": 1 ,"a":{"c":[true]},"\u0064":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	var got string
	for name, value := range token.Claims() {
		got += name + "=" + string(value) + ";"
	}
	if want := `b=1;a={"c":[true]};d="x";`; got != want {
		t.Errorf("claims %s, want %s", got, want)
	}
	for range token.Claims() {
		break
	}
}

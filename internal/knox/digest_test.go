// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package knox

import (
	"encoding/hex"
	"testing"
)

func TestDigests(t *testing.T) {
	// The SHA-512 of "abc" is that of FIPS 180-2.
	const abc = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
	if got := Digests("abc"); len(got) != 1 || hex.EncodeToString(got[0]) != abc {
		t.Errorf("%x", got)
	}
	if got := Digests("616263"); len(got) != 2 || hex.EncodeToString(got[1]) != abc {
		t.Errorf("%x", got)
	}
	for _, token := range []string{"61626", "6162FF", "pre_616263", "ключ"} {
		if got := Digests(token); len(got) != 1 {
			t.Errorf("%s: %x", token, got)
		}
	}
}

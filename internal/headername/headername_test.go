// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package headername_test

import (
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/headername"
)

func TestSame(t *testing.T) {
	tests := map[[2]string]bool{
		{"Remote-User", "Remote-User"}:      true,
		{"Remote-User", "rEMOTE-uSER"}:      true,
		{"Remote-User", "Remote_User"}:      true,
		{"Remote_User", "Remote.User"}:      true,
		{"Remote-User", "remote~user"}:      true,
		{"Remote-User", "RemoteUser"}:       false,
		{"Remote-User", "Remote--User"}:     false,
		{"Remote-User", "Remote-Uses"}:      false,
		{"Remote-User1", "Remote-User2"}:    false,
		{"Remote-User", "Remote\u00adUser"}: false, // two bytes
		{"", ""}:                            true,
		{"", "-"}:                           false,
	}
	for names, want := range tests {
		if got := headername.Same(names[0], names[1]); got != want {
			t.Errorf("Same(%q, %q) = %v", names[0], names[1], got)
		}
		if got := headername.Same(names[1], names[0]); got != want {
			t.Errorf("Same(%q, %q) = %v", names[1], names[0], got)
		}
	}
}

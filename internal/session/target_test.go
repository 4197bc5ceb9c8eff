// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import "testing"

func TestCheckTarget(t *testing.T) {
	for target, good := range map[string]bool{
		"": true, "/": true, "/a?b=c#d": true, "https://www.example.com": true, "http://localhost:8080/x": true,
		"//evil.example": false, "javascript:alert(1)": false, "x": false, "https:///x": false, "https://user@example.com": false, "https://a b": false, "/a b": false,
	} {
		if err := CheckTarget(target); (err == nil) != good {
			t.Errorf("CheckTarget(%q): %v", target, err)
		}
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import "testing"

func TestAddressOf(t *testing.T) {
	t.Setenv("SELF_TEST_BACKEND", "app.example:80")
	for _, same := range [][2]string{
		{"localhost:80", "127.0.0.1:80"},
		{"localhost:80", "[::1]:80"},
		{"localhost:80", ":80"},
		{"localhost:80", "LocalHost:80"},
		{"localhost:80", "tcp/localhost:80"},
		{"localhost:80", "[::ffff:127.0.0.2]:80"},
		{"app.example:80", "{env.SELF_TEST_BACKEND}"},
		{"{env.SELF_TEST_NONE}:80", "{env.SELF_TEST_NONE}:80"},
		{"{http.vars.a}:80", "{http.vars.a}:80"},
	} {
		if addressOf(same[0]) != addressOf(same[1]) {
			t.Errorf("%s is %s, and %s is %s", same[0], addressOf(same[0]), same[1], addressOf(same[1]))
		}
	}
	for _, different := range [][2]string{
		{"localhost:80", "localhost:81"},
		{"localhost:80", "10.0.0.1:80"},
		{"unix//run/a", "unix//run/A"},
		{"{env.SELF_TEST_NONE}:80", "{env.SELF_TEST_OTHER}:80"},
		{"{env.SELF_TEST_NONE}:80", "localhost:80"},
	} {
		if addressOf(different[0]) == addressOf(different[1]) {
			t.Errorf("%s and %s are both %s", different[0], different[1], addressOf(different[0]))
		}
	}
}

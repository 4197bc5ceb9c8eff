// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package users

import (
	"errors"
	"math"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func TestHolder(t *testing.T) {
	directory := &Directory{configured: map[string]account{
		"alice": {identity: auth.Identity{ID: "alice", Key: "config:alice", Source: SourceConfig}, active: true},
		"gone":  {identity: auth.Identity{ID: "gone", Key: "config:gone", Source: SourceConfig}},
	}}
	bob := tokenstore.User{Key: "store:1", Name: "bob", Active: true}
	for name, test := range map[string]struct {
		userKey   string
		user      tokenstore.User
		want      string // ID; refused if empty and no error is wanted
		refused   bool
		candidate bool
	}{
		"no user":                   {},
		"user of the store":         {userKey: "store:1", user: bob, want: "bob"},
		"inactive":                  {userKey: "store:1", user: tokenstore.User{Key: "store:1", Name: "bob"}, refused: true, candidate: true},
		"user missing":              {userKey: "store:1", refused: true},
		"another user":              {userKey: "store:2", user: bob, refused: true},
		"user of the configuration": {userKey: "config:alice", want: "alice"},
		"inactive there":            {userKey: "config:gone", refused: true, candidate: true},
		"no longer configured":      {userKey: "config:carol", refused: true},
		"unknown source":            {userKey: "issuer|alice", refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := directory.Holder(&tokenstore.Credential{UserKey: test.userKey}, test.user)
			failure, refused := errors.AsType[*auth.Failure](err)
			if refused != test.refused || err != nil && !refused {
				t.Fatalf("Holder = %v, %v; refused = %t, want %t", id, err, refused, test.refused)
			}
			if refused {
				if known := failure.Candidate != nil; known != test.candidate {
					t.Errorf("a candidate is named = %t, want %t", known, test.candidate)
				}
				return
			}
			if id.ID != test.want {
				t.Errorf("ID = %q, want %q", id.ID, test.want)
			}
			id.Method = "changed"
			if directory.configured["alice"].identity.Method != "" {
				t.Error("the directory's own identity was handed out")
			}
		})
	}
}

func TestPasswordVersion(t *testing.T) {
	for _, test := range []struct {
		source, proof string
		want          int64
	}{
		{SourceStore, "v7", 7},
		{SourceStore, "", math.MaxInt64},
		{SourceStore, "v0", math.MaxInt64},
		{SourceStore, "x", math.MaxInt64},
		{SourceConfig, "v7", 0},
	} {
		if got := PasswordVersion(&auth.Identity{Source: test.source, Proof: test.proof}); got != test.want {
			t.Errorf("PasswordVersion(%s, %q) = %d, want %d", test.source, test.proof, got, test.want)
		}
	}
}

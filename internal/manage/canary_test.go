// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestSecretsStayInside looks for passwords, hashes, secrets and digests in
// every answer but the one that hands a secret out, and in every log line.
func TestSecretsStayInside(t *testing.T) {
	const password = "canary-password-1"
	f := newFixture(t)
	hash, _ := tagHasher{}.Hash(t.Context(), password)
	forbidden := map[string]string{"password": password, "hash": strings.TrimPrefix(hash, "hash:")}

	var answers []string
	send := func(method, path, body string) reply {
		got := f.send(method, path, body)
		answers = append(answers, fmt.Sprintf("%d %s %v", got.status, got.body, got.header))
		return got
	}
	issue := func(path, body string) IssuedToken {
		got := f.send("POST", path, body)
		var issued IssuedToken
		if err := json.Unmarshal([]byte(got.body), &issued); err != nil || issued.Secret == "" {
			t.Fatalf("POST %s = %d %s", path, got.status, got.body)
		}
		digest := sha256.Sum256([]byte(issued.Secret))
		forbidden["secret of "+issued.Handle] = issued.Secret
		forbidden["hex digest of "+issued.Handle] = hex.EncodeToString(digest[:])
		forbidden["base64 digest of "+issued.Handle] = base64.RawStdEncoding.EncodeToString(digest[:])
		answers = append(answers, strings.ReplaceAll(got.body, issued.Secret, ""))
		return issued
	}

	send("POST", "users", `{"name":"alice","password":"`+password+`"}`)
	first := issue("tokens", `{"user":"alice"}`)
	second := issue("tokens/"+first.Handle+"/rotate", `{"grace":"1h"}`)
	for _, path := range []string{
		"users", "users/alice", "groups", "tokens", "tokens?user=alice", "store", "store?verify=true",
		"tokens/" + first.Handle, "tokens/" + second.Handle,
		// A secret in the place of a handle is not repeated.
		"tokens/" + second.Secret, "users/alice/password",
	} {
		send("GET", path, "")
	}
	send("DELETE", "tokens/"+second.Secret, "")
	send("POST", "tokens/"+second.Secret+"/rotate", "{}")
	send("POST", "users", `{"name":"alice","password":"`+password+`"}`)
	send("POST", "users", `{"name":"bob","password":"`+password+`","passwrod":"x"}`)
	send("POST", "users", `{"name":"bob","password":["`+password+`"]}`)
	send("POST", "users", `{"name":"bob","password":"`+password+`"`)
	send("PUT", "users/alice/password", `{"password":"`+password+`"}`)
	send("PATCH", "users/alice", `{"staff":true}`)
	send("DELETE", "tokens/"+second.Handle, "")
	send("DELETE", "users/alice", "")

	for _, entry := range f.logs.All() {
		answers = append(answers, fmt.Sprintf("log: %s %v", entry.Message, entry.ContextMap()))
	}
	for what, text := range forbidden {
		for _, answer := range answers {
			if strings.Contains(answer, text) {
				t.Errorf("the %s is in %q", what, answer)
			}
		}
	}
	if len(forbidden) != 8 {
		t.Errorf("%d canaries were set, want 8", len(forbidden))
	}
}

// TestAudit has one line for every change, and the names in fields.
func TestAudit(t *testing.T) {
	f := newFixture(t)
	must[User](f, "POST", "users", `{"name":"al\"ice","password":"correct horse"}`)
	must[User](f, "PATCH", "users/al%22ice", `{"superuser":true}`)
	must[User](f, "PUT", "users/al%22ice/password", `{"password":"correct horse 2"}`)
	must[User](f, "DELETE", "users/al%22ice/password", "")
	must[Group](f, "PUT", "groups/g", `{"permissions":["x.y"]}`)
	must[any](f, "DELETE", "groups/g", "")
	token := must[IssuedToken](f, "POST", "tokens", `{"user":"al\"ice","label":"ci"}`)
	next := must[IssuedToken](f, "POST", "tokens/"+token.Handle+"/rotate", "{}")
	must[any](f, "DELETE", "tokens/"+next.Handle, "")
	must[any](f, "DELETE", "tokens?user=al%22ice", "")
	must[any](f, "DELETE", "users/al%22ice", "")

	want := "user created,user changed,password set,password removed,group set,group deleted," +
		"token created,token rotated,token revoked,tokens revoked,user deleted"
	if got := strings.Join(f.actions(), ","); got != want {
		t.Errorf("actions = %s\nwant      %s", got, want)
	}
	for _, entry := range f.logs.All() {
		if entry.ContextMap()["remote"] != "192.0.2.1:1234" {
			t.Errorf("%v has no remote address", entry.ContextMap())
		}
	}
	rotated := f.logs.All()[7].ContextMap()
	if rotated["handle"] != next.Handle || rotated["previous"] != token.Handle || rotated["user"] != `al"ice` {
		t.Errorf("the rotation is logged as %v", rotated)
	}
}

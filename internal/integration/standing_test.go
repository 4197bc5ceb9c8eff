// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func (s *server) manage(method, path, body string) reply {
	s.t.Helper()
	return s.send(method, "http://"+s.Admin+"/rest_auth"+path, strings.NewReader(body), "Content-Type: application/json")
}

// A change that the admin API acknowledged holds for the next request, although
// the credentials were remembered.
func TestChangesHoldAtOnce(t *testing.T) {
	s := serve(t, `{{site}} {
		rest_auth {
			authenticate token
			authenticate basic
		}
		respond "{http.auth.user.id} {http.auth.user.groups} {http.auth.user.staff}"
	}`)
	s.seed()
	known := func(line string) {
		t.Helper()
		for range 3 {
			if got := s.get("/", line); got.Status != http.StatusOK {
				t.Fatalf("%q was answered %d %q", line, got.Status, got.Body)
			}
		}
	}
	steps := []struct {
		name                 string
		method, path, body   string
		line                 string
		status               int
		challenge, wantsBody string
	}{
		{"groups", "PATCH", "/users/alice", `{"groups":["writers"],"staff":true}`, token("token-alice"), 200, "-", "alice writers true"},
		{"groups, by password", "PATCH", "/users/alice", `{"groups":["readers"],"staff":false}`, basic("alice", "pw"), 200, "-", "alice readers false"},
		{"new password, old refused", "PUT", "/users/alice/password", `{"password":"a new password"}`, basic("alice", "pw"), 401, "Token", invalidLogin},
		{"disabled, token", "PATCH", "/users/bob", `{"active":false}`, token("token-bob"), 401, "Token", detail("User inactive or deleted.")},
		{"enabled, token", "PATCH", "/users/bob", `{"active":true}`, token("token-bob"), 200, "-", "bob  true"},
		{"disabled, password", "PATCH", "/users/bob", `{"active":false}`, basic("bob", "pw"), 401, "Token", invalidLogin},
		{"revoked", "DELETE", "/tokens/id-token-root", "", token("token-root"), 401, "Token", invalidToken},
		{"deleted", "DELETE", "/users/root", "", basic("root", "pw"), 401, "Token", invalidLogin},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			if step.name != "enabled, token" {
				known(step.line)
			}
			if step.name == "disabled, token" {
				known(basic("bob", "pw"))
			}
			if got := s.manage(step.method, step.path, step.body); got.Status >= 300 {
				t.Fatalf("the admin API answered %d %s", got.Status, got.Body)
			}
			s.get("/", step.line).expect(t, step.status, step.challenge, step.wantsBody)
		})
	}
	if got := s.get("/", basic("alice", "a new password")).Status; got != http.StatusOK {
		t.Errorf("the new password was answered %d", got)
	}
}

// A token ends when it expires, remembered or not.
func TestExpiryOfARememberedToken(t *testing.T) {
	s := serve(t, tokenSite)
	s.seed()
	alice, err := s.store().UserByName(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	err = s.store().Create(t.Context(), tokenstore.Credential{
		ID: "short", Kind: tokenstore.KindToken, Digest: digestOf("short"), UserKey: alice.Key,
		Created: time.Now(), Expires: time.Now().Add(1500 * time.Millisecond),
	}, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	s.get("/", token("short")).expect(t, 200, "-", "*")
	s.get("/", token("short")).expect(t, 200, "-", "*")
	time.Sleep(1600 * time.Millisecond)
	s.get("/", token("short")).expect(t, 401, "Token", invalidToken)
}

// A record is good for what it was made for, and for nothing else.
func TestKinds(t *testing.T) {
	s := serve(t, "{{site}} {\nrest_auth {\nauthenticate token\nauthenticate token Knox {\nkinds knox\n}\n}\nrespond ok\n}")
	s.seed()
	alice, err := s.store().UserByName(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"token", "authtoken", "knox", "durin", "session", "refresh", "code"} {
		credential := tokenstore.Credential{ID: "id-" + kind, Kind: kind, Digest: digestOf("kind-" + kind), UserKey: alice.Key, Created: time.Now()}
		if err := s.store().Create(t.Context(), credential, 0, false); err != nil {
			t.Fatal(err)
		}
		meant := tokenstore.IsRequestKind(kind)
		if got := s.get("/", token("kind-"+kind)).Status == http.StatusOK; got != meant {
			t.Errorf("a %s authenticates requests: %v, want %v", kind, got, meant)
		}
		if got := s.get("/", "Authorization: Knox kind-"+kind).Status == http.StatusOK; got != (kind == "knox") {
			t.Errorf("a %s passes `kinds knox`: %v", kind, got)
		}
	}
}

// Users of the configuration change with it, at once, and need no store.
func TestUsersOfTheConfiguration(t *testing.T) {
	hash := func(password string) string {
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		return string(hash)
	}
	config := func(password, options string) string {
		return fmt.Sprintf(`{
			{{global}}
			rest_auth {
				store test_failing TestUsersOfTheConfiguration
				user carol %s {
					%s
				}
			}
		}
		{{site}} {
			rest_auth {
				authenticate basic
			}
			respond "{http.auth.user.id} {http.auth.user.key} {http.auth.user.groups} {http.auth.user.staff}"
		}`, hash(password), options)
	}
	s := serve(t, config("first", "groups a b\nstaff"))
	if _, err := s.store().UserByName(t.Context(), "nobody"); err == nil {
		t.Fatal("there is somebody")
	}
	failingMu.Lock()
	failingStores["TestUsersOfTheConfiguration"].Down(true)
	failingMu.Unlock()
	for range 2 {
		s.get("/", basic("carol", "first")).expect(t, 200, "-", "carol config:carol a,b true")
	}
	s.reload(config("second", "groups c"))
	s.get("/", basic("carol", "first")).expect(t, 401, `Basic realm="api"`, invalidLogin)
	s.get("/", basic("carol", "second")).expect(t, 200, "-", "carol config:carol c false")
	s.reload(config("second", "inactive"))
	s.get("/", basic("carol", "second")).expect(t, 401, `Basic realm="api"`, invalidLogin)
}

// Passwords of Django are verified, and replaced by a stronger hash without
// ending what was issued.
func TestRehash(t *testing.T) {
	s := serve(t, tokenSite)
	user := s.putUser(tokenstore.User{
		Name: "django", Active: true, // "lètmein", from Django's own tests
		PasswordHash: "pbkdf2_sha256$390000$seasalt$8xBlGd3jVgvJ+92hWPxi5ww0uuAuAnKgC45eudxro7c=",
	})
	s.putToken(user, "of-django")
	s.get("/", basic("django", "lètmein")).expect(t, 200, "-", "*")
	deadline := time.Now().Add(10 * time.Second)
	for {
		now, err := s.store().User(t.Context(), user.Key)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(now.PasswordHash, "$argon2id$") {
			if now.PasswordVersion != user.PasswordVersion {
				t.Errorf("the version of the password rose from %d to %d", user.PasswordVersion, now.PasswordVersion)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the hash is still %.20s…", now.PasswordHash)
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.get("/", basic("django", "lètmein")).expect(t, 200, "-", "*")
	s.get("/", token("of-django")).expect(t, 200, "-", "*")
	latin1 := "l\xe8tmein"
	s.get("/", basic("django", latin1)).expect(t, 200, "-", "*")
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

// TestErrors has a request for each thing that can be wrong with one.
func TestErrors(t *testing.T) {
	long := strings.Repeat("x", 151)
	f := newFixture(t)
	must[User](f, "POST", "users", `{"name":"alice","password":"correct horse"}`)
	must[User](f, "POST", "users", `{"name":"idle","active":false}`)
	must[Client](f, "POST", "clients", `{"name":"app"}`)
	must[IssuedToken](f, "POST", "tokens", `{"user":"alice","kind":"durin","client":"app"}`)

	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "", "", 404, "no such resource"},
		{"GET", "nothing", "", 404, "no such resource"},
		{"GET", "users/alice/email", "", 404, "no such resource"},
		{"GET", "users/", "", 404, "without a name"},
		{"GET", "store/users", "", 404, "no such resource"},
		{"PUT", "users", "{}", 405, "PUT"},
		{"GET", "users/alice/password", "", 405, "GET"},
		{"GET", "tokens/x/rotate", "", 405, "GET"},
		{"GET", "store/backup", "", 405, "GET"},

		{"POST", "users", "", 415, "application/json"},
		{"POST", "users", "[]", 400, "one JSON object"},
		{"POST", "users", "{", 400, "one JSON object"},
		{"POST", "users", `{"name":"a"}{}`, 400, "one JSON object"},
		{"POST", "users", "{\"name\":\"a\xff\"}", 400, "UTF-8"},
		{"POST", "users", `{"name":"a","name":"b"}`, 400, "name: is there twice"},
		{"POST", "users", `{"name":"a","Staff":true}`, 400, `unknown field "Staff"`},
		{"POST", "users", `{"name":"a","admin":true}`, 400, `unknown field "admin"`},
		{"POST", "users", `{"name":"a","password_hash":"x"}`, 400, `unknown field "password_hash"`},
		{"POST", "users", `{"name":"a","groups":null}`, 400, "groups: null"},
		{"POST", "users", `{"name":7}`, 400, "name: must be a string"},
		{"POST", "users", `{"name":"a","staff":"yes"}`, 400, "staff: must be a boolean"},
		{"POST", "users", `{"name":"a","groups":"b"}`, 400, "groups: must be a list"},
		{"POST", "users", `{"name":"` + strings.Repeat("x", maxBody) + `"}`, 413, "65536"},

		{"POST", "users", `{}`, 400, "name: must not be empty"},
		{"POST", "users", `{"name":"` + long + `"}`, 400, "name: must not be longer than 150"},
		{"POST", "users", `{"name":"a:b"}`, 400, "name: must not contain ':'"},
		{"POST", "users", `{"name":"a\u0000"}`, 400, "name: must not contain control"},
		{"POST", "users", `{"name":"a\u202eb"}`, 400, "name: must not contain control"},
		{"POST", "users", `{"name":" a"}`, 400, "name: must not begin"},
		{"POST", "users", `{"name":"a","email":"a@b@c"}`, 400, "email: must be one address"},
		{"POST", "users", `{"name":"a","email":"a\nBcc: b@c"}`, 400, "email: must not contain control"},
		{"POST", "users", `{"name":"a","full_name":"` + strings.Repeat("x", 301) + `"}`, 400, "full_name: must not be longer"},
		{"POST", "users", `{"name":"a","groups":["b,c"]}`, 400, "groups: a name must not contain ','"},
		{"POST", "users", `{"name":"a","groups":[""]}`, 400, "groups: must not be empty"},
		{"POST", "users", `{"name":"a","permissions":["a b"]}`, 400, "permissions: 'a b'"},
		{"POST", "users", `{"name":"a","password":"short"}`, 400, "password: must have 8 characters"},
		{"POST", "users", `{"name":"a","password":"` + strings.Repeat("x", 4097) + `"}`, 400, "password: must not be longer than 4096"},
		{"POST", "users", `{"name":"alice"}`, 409, "'alice' already"},
		{"POST", "users", `{"name":"alice","password":"correct horse"}`, 409, "'alice' already"},
		{"POST", "users", `{"name":"configured"}`, 409, "in the configuration"},
		{"POST", "users", `{"name":"ｃonfigured"}`, 409, "in the configuration"},

		{"GET", "users/bob", "", 404, "no user 'bob'"},
		{"GET", "users/configured", "", 404, "in the configuration"},
		{"PATCH", "users/bob", "{}", 404, "no user 'bob'"},
		{"PATCH", "users/configured", "{}", 404, "in the configuration"},
		{"PATCH", "users/alice", `{"name":"bob"}`, 400, `unknown field "name"`},
		{"PATCH", "users/alice", `{"email":"x"}`, 400, "email"},
		{"DELETE", "users/bob", "", 404, "no user 'bob'"},
		{"PUT", "users/bob/password", `{"password":"correct horse"}`, 404, "no user 'bob'"},
		{"PUT", "users/alice/password", `{"password":""}`, 400, "password: must have 8"},
		{"PUT", "users/alice/password", `{}`, 400, "password: must have 8"},
		{"DELETE", "users/bob/password", "", 404, "no user 'bob'"},
		{"GET", "users?limit=0", "", 400, "limit"},
		{"GET", "users?limit=1001", "", 400, "limit"},
		{"GET", "users?limit=x", "", 400, "limit"},
		{"GET", "users?limit=1&limit=2", "", 400, "limit: must be given once"},
		{"GET", "users?page=1", "", 400, "unknown parameter"},
		{"GET", "users?cursor=" + strings.Repeat("x", 5000), "", 400, "cursor"},
		{"GET", "users?cursor=%zz", "", 400, "query"},

		{"PUT", "groups/a", "{}", 400, "permissions: must be given"},
		{"PUT", "groups/a%2Cb", `{"permissions":[]}`, 400, "name: a name must not contain ','"},
		{"PUT", "groups/a", `{"permissions":["a,b"]}`, 400, "permissions: 'a,b'"},
		{"DELETE", "groups/none", "", 404, "no group 'none'"},

		{"POST", "tokens", "{}", 400, "user: must name"},
		{"POST", "tokens", `{"user":"bob"}`, 404, "no user 'bob'"},
		{"POST", "tokens", `{"user":"idle"}`, 409, "'idle' is disabled"},
		{"POST", "tokens", `{"user":"alice","kind":"session"}`, 400, "kind: must be one of token"},
		{"POST", "tokens", `{"user":"alice","label":"` + strings.Repeat("x", 201) + `"}`, 400, "label: must not be longer than 200"},
		{"POST", "tokens", `{"user":"alice","label":"a\u001b[2J"}`, 400, "label: must not contain control"},
		{"POST", "tokens", `{"user":"alice","scopes":["a b"]}`, 400, "scopes"},
		{"POST", "tokens", `{"user":"alice","scopes":[""]}`, 400, "scopes"},
		{"POST", "tokens", `{"user":"alice","scopes":["a\"b"]}`, 400, "scopes"},
		{"POST", "tokens", `{"user":"alice","scopes":["\\"]}`, 400, "scopes"},
		{"POST", "tokens", `{"user":"alice","scopes":["é"]}`, 400, "scopes"},
		{"POST", "tokens", `{"user":"alice","expires":"2027-01-02T03:04:05Z"}`, 400, "expires: must be in the future"},
		{"POST", "tokens", `{"user":"alice","expires":"tomorrow"}`, 400, "expires: must be a time"},
		{"POST", "tokens", `{"user":"alice","expires":7}`, 400, "expires: must be a string"},
		{"POST", "tokens", `{"user":"alice","kind":"durin","client":"app"}`, 409, "may have one only"},
		{"POST", "tokens", `{"user":"alice","kind":"durin","client":"durin:app"}`, 409, "may have one only"},
		{"POST", "tokens", `{"user":"alice","kind":"durin"}`, 400, "client: must name the API client"},
		{"POST", "tokens", `{"user":"alice","kind":"durin","client":"nobody"}`, 400, "client: there is no API client 'nobody'"},
		{"POST", "clients", `{"name":"app"}`, 409, "name: client with this name already exists."},
		{"POST", "clients", `{"name":"b","token_ttl":"x"}`, 400, "token_ttl: Duration has wrong format."},
		{"POST", "clients", `{"name":"b","ttl":"x"}`, 400, `unknown field "ttl"`},
		{"DELETE", "clients/b", "", 404, "there is no client 'b'"},
		{"PUT", "clients", "{}", 405, "PUT"},
		{"POST", "tokens", `{"user":"alice","kind":"authtoken","label":"ci"}`, 400, "has no label"},
		{"POST", "tokens", `{"user":"alice","kind":"token","reset":true}`, 400, "kind authtoken"},
		{"POST", "tokens", `{"user":"nobody","kind":"authtoken"}`, 404, "Cannot create the Token: user nobody does not exist"},
		{"POST", "tokens", `{"user":"idle","kind":"authtoken"}`, 409, "disabled"},
		{"GET", "tokens?user=bob", "", 404, "no user 'bob'"},
		{"GET", "tokens?kind=session", "", 400, "kind"},
		{"GET", "tokens?usr=alice", "", 400, "unknown parameter"},
		{"GET", "tokens/none", "", 404, "no token 'none'"},
		{"DELETE", "tokens/none", "", 404, "no token 'none'"},
		{"DELETE", "tokens", "", 400, "user: must name"},
		{"DELETE", "tokens?kind=token", "", 400, "user: must name"},
		{"DELETE", "tokens?user=", "", 400, "user: must be given once"},
		{"DELETE", "tokens?user=bob", "", 404, "no user 'bob'"},
		{"POST", "tokens/none/rotate", "{}", 404, "no token 'none'"},
		{"POST", "tokens/none/rotate", "", 415, "application/json"},
		{"POST", "tokens/none/rotate", `{"grace":"soon"}`, 400, "grace: must be a duration"},
		{"POST", "tokens/none/rotate", `{"grace":"-1s"}`, 400, "grace: must be between"},
		{"POST", "tokens/none/rotate", `{"grace":"31d"}`, 400, "grace: must be between"},
		{"GET", "store?verify=perhaps", "", 400, "verify"},
		{"POST", "store/backup", "", 415, "application/json"},
		{"POST", "store/backup", "{}", 501, "not backed up here"},
	} {
		f.fail(c.status, c.want, c.method, c.path, c.body)
	}
	if got, want := len(f.actions()), 4; got != want {
		t.Errorf("after refusals the log has %d changes, want the %d that were made: %v", got, want, f.actions())
	}
	f.fail(http.StatusBadRequest, "If-Match", "PATCH", "users/alice", "{}", "If-Match", "7")
	f.fail(http.StatusPreconditionFailed, "version 1", "PATCH", "users/alice", "{}", "If-Match", `"7"`)
	f.fail(http.StatusUnsupportedMediaType, "application/json", "POST", "users", `{"name":"x"}`, "Content-Type", "text/plain")
	f.fail(http.StatusUnsupportedMediaType, "application/json", "POST", "users", `name=x`, "Content-Type", "application/x-www-form-urlencoded")
}

func TestMethodNotAllowedSaysWhatIs(t *testing.T) {
	got := newFixture(t).send("PUT", "tokens", "{}")
	if allow := got.header.Get("Allow"); got.status != 405 || allow != "DELETE, GET, POST" {
		t.Errorf("PUT tokens = %d, Allow %q", got.status, allow)
	}
}

// TestStoreDown answers 503 to everything that needs the store.
func TestStoreDown(t *testing.T) {
	f := newFixture(t)
	if err := f.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]string{
		{"GET", "users"},
		{"POST", "users", `{"name":"a"}`},
		{"POST", "users", `{"name":"a","password":"correct horse"}`},
		{"GET", "users/a"},
		{"PATCH", "users/a", "{}"},
		{"DELETE", "users/a"},
		{"PUT", "users/a/password", `{"password":"correct horse"}`},
		{"DELETE", "users/a/password"},
		{"GET", "groups"},
		{"PUT", "groups/a", `{"permissions":[]}`},
		{"DELETE", "groups/a"},
		{"GET", "tokens"},
		{"POST", "tokens", `{"user":"a"}`},
		{"DELETE", "tokens?user=a"},
		{"GET", "tokens/a"},
		{"DELETE", "tokens/a"},
		{"POST", "tokens/a/rotate", "{}"},
		{"GET", "store"},
		{"GET", "store?verify=true"},
	} {
		f.fail(http.StatusServiceUnavailable, "", c[0], c[1], c[2])
	}
	if got := f.actions(); len(got) != 0 {
		t.Errorf("the log claims %v", got)
	}
}

func TestHasherBusy(t *testing.T) {
	f := newFixture(t)
	f.m.Hasher = tagHasher{errors.New("too many")}
	f.fail(http.StatusServiceUnavailable, "too many", "POST", "users", `{"name":"a","password":"correct horse"}`)
	f.fail(http.StatusNotFound, "no user", "GET", "users/a", "")
}

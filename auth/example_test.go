// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package auth_test

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// Keyring accepts `Authorization: Key <key>`.
type Keyring struct {
	Digests map[string][sha256.Size]byte // by user
}

func (k Keyring) Authenticate(r *http.Request) (*auth.Identity, error) {
	key, err := auth.Credentials(r, "Key")
	if err != nil {
		return nil, err // none of ours, or badly written
	}
	digest := sha256.Sum256([]byte(key))
	for user, want := range k.Digests {
		if subtle.ConstantTimeCompare(digest[:], want[:]) == 1 {
			return &auth.Identity{ID: user, Key: "keyring|" + user, Method: "keyring"}, nil
		}
	}
	return nil, &auth.Failure{Detail: "Invalid key.", Err: errors.New("no user has this key")}
}

// An authenticator says who made a request, that it found nothing of its own,
// or that what it found is bad.
func ExampleAuthenticator() {
	keyring := Keyring{Digests: map[string][sha256.Size]byte{"alice": sha256.Sum256([]byte("opensesame"))}}
	for _, line := range []string{"Key opensesame", "Key guess", "Bearer other"} {
		r := &http.Request{Header: http.Header{"Authorization": {line}}}
		id, err := keyring.Authenticate(r)
		failure, bad := errors.AsType[*auth.Failure](err)
		switch {
		case errors.Is(err, auth.ErrNoCredentials):
			fmt.Println("ask the next one")
		case bad:
			fmt.Println("401:", failure.Detail)
		case err != nil:
			fmt.Println("503")
		default:
			fmt.Println("hello,", id.ID)
		}
	}
	// Output:
	// hello, alice
	// 401: Invalid key.
	// ask the next one
}

// Credentials reads what follows the scheme, as Django REST framework does.
func ExampleCredentials() {
	for _, line := range []string{"token  9944b091", "Token", "Bearer 9944b091"} {
		r := &http.Request{Header: http.Header{"Authorization": {line}}}
		credentials, err := auth.Credentials(r, "Token")
		fmt.Printf("%q %v\n", credentials, err)
	}
	// Output:
	// "9944b091" <nil>
	// "" credentials refused (authentication_failed): Invalid token header. No credentials provided.: no credentials after the scheme
	// "" no credentials
}

// A claim is found by the names that lead to it.
func ExampleIdentity_Claim() {
	id := &auth.Identity{Claims: []byte(`{"realm_access": {"roles": ["editor"]}}`)}
	roles, ok := id.Claim("realm_access.roles")
	fmt.Println(roles, ok)
	// Output: [editor] true
}

// Office is a permission that explains itself.
type Office struct{}

func (Office) Allow(r *http.Request, id *auth.Identity) (bool, error) {
	return id.InGroup("staff"), nil
}

func (Office) Explain(*http.Request, *auth.Identity) *auth.Denial {
	return &auth.Denial{Code: "office", Detail: "The office is for staff."}
}

// A permission judges an identity, and may say what it is missing.
func ExamplePermission() {
	var permission auth.Permission = Office{}
	ok, _ := permission.Allow(nil, auth.Anonymous)
	fmt.Println(ok, permission.(auth.Explainer).Explain(nil, auth.Anonymous).Detail)
	// Output: false The office is for staff.
}

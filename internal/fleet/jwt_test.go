// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// jwtKey is the key of a project whose tokens the nodes accept.
const jwtKey = "pZ8vQm3xT6rW1yKd9LfBn4HsJc7GuEa2XoVtRi5NkMb0qPwYd"

// projectJWT is an access token of the project, for an hour.
func projectJWT(userID, jti string) string {
	b64 := base64.RawURLEncoding.EncodeToString
	text := b64([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." +
		b64(fmt.Appendf(nil, `{"token_type":"access","exp":%d,"jti":%q,"user_id":%q}`, time.Now().Add(time.Hour).Unix(), jti, userID))
	mac := hmac.New(sha256.New, []byte(jwtKey))
	mac.Write([]byte(text))
	return text + "." + b64(mac.Sum(nil))
}

func (n *node) askJWT(token string) int {
	status, _ := n.request(func(r *http.Request) {
		r.URL.Path = "/jwt"
		r.Header.Set("Authorization", "Bearer "+token)
	})
	return status
}

// testRevokedJWT revokes tokens of which the store has no record: the first one there
// is, and one after it.
func testRevokedJWT(t *testing.T, a, b *node) {
	var alice struct{ Key string }
	a.manage(http.MethodGet, "/users/alice", "", &alice)
	kept := projectJWT(alice.Key, "kept")
	for _, jti := range []string{"first", "second"} {
		token := projectJWT(alice.Key, jti)
		if status := b.askJWT(token); status != http.StatusOK {
			t.Fatalf("answered %d", status)
		}
		b.remembers(t, func() int { return b.askJWT(token) })
		a.manage(http.MethodPost, "/revocations", `{"jti":"`+jti+`"}`, nil)
		if status := a.askJWT(token); status != http.StatusUnauthorized {
			t.Errorf("%s is answered %d where it was revoked", jti, status)
		}
		b.await("401", propagation, func() bool { return b.askJWT(token) == http.StatusUnauthorized })
	}
	for _, n := range []*node{a, b} {
		if status := n.askJWT(kept); status != http.StatusOK {
			t.Errorf("another token is answered %d", status)
		}
	}
}

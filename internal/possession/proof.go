// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package possession

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/bearer"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

const (
	// maxProof is the length in bytes of the longest proof that is read.
	maxProof = 8 << 10

	// maxIdentifier is the length of the longest jti.
	maxIdentifier = 512

	// maxAge is how old a proof may be, and for how long it is known afterwards.
	maxAge = time.Minute

	// maxAhead is how far the client's clock may go fast.
	maxAhead = 30 * time.Second
)

// Causes of refused proofs, for the log.
var (
	errNoProof       = errors.New("the header DPoP is missing, or stands there twice")
	errProofTooLong  = fmt.Errorf("the proof is longer than %d bytes", maxProof)
	errProofType     = errors.New("the proof's type is not dpop+jwt")
	errProofKey      = errors.New("the proof has no public key that could have signed it")
	errProofOther    = errors.New("the proof was made with another key than the token is bound to")
	errProofMethod   = errors.New("the proof is for another method")
	errProofTarget   = errors.New("the proof is for another URL")
	errProofToken    = errors.New("the proof is for another token")
	errProofTime     = errors.New("the proof is too old, or from the future")
	errProofIdentity = errors.New("the proof has no fit jti")
	errProofReused   = errors.New("the proof was used before")
)

// checkProof makes the checks of RFC 9449 section 4.3 of the request's proof, and
// that its key is the one that the token is bound to. A proof is good once.
func (c *Checker) checkProof(r *http.Request, token, thumbprint string) error {
	lines := r.Header["Dpop"]
	if len(lines) != 1 {
		return badProof(errNoProof)
	}
	if len(lines[0]) > maxProof {
		return badProof(errProofTooLong)
	}
	proof, err := jose.Parse(lines[0])
	if err != nil {
		return badProof(err)
	}
	now := c.now()
	if err := checkStatement(r, proof, token, now); err != nil {
		return badProof(err)
	}
	key, err := proofKey(proof)
	if err != nil {
		return badProof(err)
	}
	if subtle.ConstantTimeCompare([]byte(key.Thumbprint), []byte(thumbprint)) != 1 {
		return badProof(errProofOther)
	}
	if err := proof.Verify([]*keyset.Key{key}); err != nil {
		return badProof(err)
	}
	return c.spend(r, proof, thumbprint, now)
}

// checkStatement compares what the proof says, before anything is verified.
func checkStatement(r *http.Request, proof *jose.Token, token string, now time.Time) error {
	if !strings.EqualFold(proof.Type, "dpop+jwt") {
		return errProofType
	}
	if method, _, err := proof.String("htm"); err != nil || method != methodOf(r) {
		return errProofMethod
	}
	if target, _, err := proof.String("htu"); err != nil || !isTarget(r, target) {
		return errProofTarget
	}
	issued, ok, err := proof.Time("iat")
	if err != nil || !ok || now.Sub(issued) > maxAge || issued.Sub(now) > maxAhead {
		return errProofTime
	}
	// What else may bound its life counts too.
	if expires, ok, err := proof.Time("exp"); err != nil || ok && !now.Before(expires) {
		return errProofTime
	}
	if before, ok, err := proof.Time("nbf"); err != nil || ok && before.Sub(now) > maxAhead {
		return errProofTime
	}
	sum := sha256.Sum256([]byte(token))
	want := base64.RawURLEncoding.EncodeToString(sum[:])
	if hash, _, err := proof.String("ath"); err != nil || subtle.ConstantTimeCompare([]byte(hash), []byte(want)) != 1 {
		return errProofToken
	}
	if id, ok, err := proof.String("jti"); err != nil || !ok || id == "" || len(id) > maxIdentifier {
		return errProofIdentity
	}
	return nil
}

// privateMembers are those of a JWK that nobody but its owner may know.
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// proofKey returns the key in the proof's header: the one place where a key may
// come with what it verifies, since the token names its thumbprint.
func proofKey(proof *jose.Token) (*keyset.Key, error) {
	jwk := proof.HeaderMember("jwk")
	var members map[string]json.RawMessage
	if jwk == nil || json.Unmarshal(jwk, &members) != nil {
		return nil, errProofKey
	}
	for _, name := range privateMembers {
		if _, private := members[name]; private {
			return nil, errProofKey
		}
	}
	// What a set of keys would leave out for, as `use`, does not matter here.
	for _, name := range []string{"use", "key_ops", "kid"} {
		delete(members, name)
	}
	set, err := json.Marshal(map[string][]map[string]json.RawMessage{"keys": {members}})
	if err != nil {
		return nil, errProofKey
	}
	keys, err := keyset.ParseJWKS(set)
	if err != nil || len(keys) != 1 || keys[0].Type == "oct" {
		return nil, errProofKey
	}
	return keys[0], nil
}

// spentVar is where a request says which proof it has spent: its other handlers
// check the same proof.
const spentVar = "rest_auth.dpop"

// spend sees to it that a proof is good for one request, on all nodes. Only a
// proof that verified gets here, so that nobody without a key fills the memory of
// them. In a dry run the store only looks.
func (c *Checker) spend(r *http.Request, proof *jose.Token, thumbprint string, now time.Time) error {
	id, _, _ := proof.String("jti")
	name := proofName(thumbprint, id)
	if spent, _ := caddyhttp.GetVar(r.Context(), spentVar).(string); spent == name {
		return nil
	}
	// Longer than it is good for by the clock of a node that is slow.
	until := now.Add(maxAge + maxAhead)
	if issued, _, _ := proof.Time("iat"); issued.After(now) {
		until = issued.Add(maxAge + maxAhead)
	}
	fresh, err := c.store.Remember(r.Context(), name, until)
	if err != nil {
		return &auth.Unavailable{RetryAfter: time.Second, Err: fmt.Errorf("remembering a proof: %w", err)}
	}
	if !fresh {
		return badProof(errProofReused)
	}
	caddyhttp.SetVar(r.Context(), spentVar, name)
	return nil
}

// proofName is under what a proof is remembered: its key's and its own name, of
// which the length keeps one's end from passing for the other's beginning.
func proofName(thumbprint, id string) string {
	hash := sha256.New()
	hash.Write(binary.BigEndian.AppendUint32(nil, uint32(len(thumbprint))))
	hash.Write([]byte(thumbprint))
	hash.Write([]byte(id))
	return "dpop:" + base64.RawURLEncoding.EncodeToString(hash.Sum(nil))
}

func badProof(cause error) *auth.Failure {
	return &auth.Failure{Code: bearer.CodeInvalidDPoPProof, Detail: "Invalid DPoP proof.", Err: cause}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package possession

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	jwk "github.com/go-jose/go-jose/v4"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/bearer"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
)

const token = "access.token.here"

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// memory is the store's memory of proofs, which a dry run leaves as it is.
type memory struct {
	known map[string]time.Time
	err   error
}

func (m *memory) Remember(ctx context.Context, key string, until time.Time) (bool, error) {
	if m.err != nil {
		return false, m.err
	}
	if _, known := m.known[key]; known {
		return false, nil
	}
	if auth.DryRun(ctx) {
		return true, nil
	}
	m.known[key] = until
	return true, nil
}

func newChecker() (*Checker, *memory) {
	m := &memory{known: make(map[string]time.Time)}
	return &Checker{store: m, now: func() time.Time { return now }}, m
}

// holder is a client with a key of its own.
type holder struct {
	alg     string
	private crypto.Signer
}

func newHolder(t testing.TB, alg string) *holder {
	t.Helper()
	var private crypto.Signer
	var err error
	switch alg {
	case "ES256":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "EdDSA":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	return &holder{alg, private}
}

// jwk is the public key as go-jose writes it, which made none of what is tested.
func (h *holder) jwk() map[string]any {
	text, err := jwk.JSONWebKey{Key: h.private.Public()}.MarshalJSON()
	if err != nil {
		panic(err)
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		panic(err)
	}
	return members
}

func (h *holder) thumbprint() string {
	key := jwk.JSONWebKey{Key: h.private.Public()}
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

func (h *holder) cnf() json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"jkt":%q}`, h.thumbprint()))
}

// statement is what a good proof says.
func statement() map[string]any {
	sum := sha256.Sum256([]byte(token))
	return map[string]any{
		"htm": "POST", "htu": "https://api.example.com/orders", "iat": now.Unix(), "jti": rand.Text(),
		"ath": base64.RawURLEncoding.EncodeToString(sum[:]),
	}
}

func (h *holder) prove(t testing.TB, claims map[string]any, header jose.Header) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	if header.Type == "" {
		header.Type = "dpop+jwt"
	}
	if header.Extra == nil {
		header.Extra = map[string]any{"jwk": h.jwk()}
	}
	proof, err := jose.Sign(jose.SigningKey{Algorithm: h.alg, Private: h.private}, header, payload)
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

func requestOf(proofs ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "https://api.example.com/orders?page=2", nil)
	r.Header["Dpop"] = proofs
	return r
}

func TestCheck_proof(t *testing.T) {
	for _, alg := range []string{"ES256", "ES384", "EdDSA", "RS256", "PS256"} {
		checker, m := newChecker()
		h := newHolder(t, alg)
		proof := h.prove(t, statement(), jose.Header{})
		if err := checker.Check(requestOf(proof), token, "DPoP", h.cnf()); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		err := checker.Check(requestOf(proof), token, "dpop", h.cnf())
		if !errors.Is(err, errProofReused) {
			t.Errorf("%s: the same proof again: %v", alg, err)
		}
		if len(m.known) != 1 {
			t.Errorf("%s: %d proofs are known", alg, len(m.known))
		}
	}
}

// TestCheck_twoHandlers has two handlers of one request see its proof, which is
// good for no other request.
func TestCheck_twoHandlers(t *testing.T) {
	checker, m := newChecker()
	h := newHolder(t, "ES256")
	proof, another := h.prove(t, statement(), jose.Header{}), h.prove(t, statement(), jose.Header{})
	inCaddy := func() *http.Request {
		r := requestOf(proof)
		return r.WithContext(context.WithValue(r.Context(), caddyhttp.VarsCtxKey, make(map[string]any)))
	}
	r := inCaddy()
	for range 2 {
		if err := checker.Check(r, token, "DPoP", h.cnf()); err != nil {
			t.Errorf("a handler of the request: %v", err)
		}
	}
	if err := checker.Check(r, "another.access.token", "DPoP", h.cnf()); !errors.Is(err, errProofToken) {
		t.Errorf("another token of the same request: %v", err)
	}
	r.Header["Dpop"] = []string{another}
	if err := checker.Check(r, token, "DPoP", h.cnf()); err != nil || len(m.known) != 2 {
		t.Errorf("another proof: %v, %d are known", err, len(m.known))
	}
	if err := checker.Check(inCaddy(), token, "DPoP", h.cnf()); !errors.Is(err, errProofReused) {
		t.Errorf("another request: %v", err)
	}
}

// TestCheck_remembered has a proof known for longer than any node accepts it.
func TestCheck_remembered(t *testing.T) {
	for _, ahead := range []time.Duration{-maxAge, 0, maxAhead} {
		checker, m := newChecker()
		h := newHolder(t, "ES256")
		claims := statement()
		claims["iat"] = now.Add(ahead).Unix()
		if err := checker.Check(requestOf(h.prove(t, claims, jose.Header{})), token, "DPoP", h.cnf()); err != nil {
			t.Fatal(err)
		}
		for _, until := range m.known {
			if spare := until.Sub(now.Add(ahead + maxAge)); spare < maxAhead {
				t.Errorf("issued %v from now, it is forgotten %v after it has ended", ahead, spare)
			}
		}
	}
}

// TestCheck_method holds that a method which was rewritten on the way is compared
// as the client wrote it.
func TestCheck_method(t *testing.T) {
	checker, _ := newChecker()
	h := newHolder(t, "ES256")
	r := requestOf(h.prove(t, statement(), jose.Header{}))
	original := *r
	r.Method = http.MethodGet
	r = r.WithContext(context.WithValue(r.Context(), caddyhttp.OriginalRequestCtxKey, original))
	if err := checker.Check(r, token, "DPoP", h.cnf()); err != nil {
		t.Error(err)
	}
}

func TestCheck_badProofs(t *testing.T) {
	mine, other := newHolder(t, "ES256"), newHolder(t, "ES256")
	withPrivate := mine.jwk()
	withPrivate["d"] = "AAAA"
	secret := map[string]any{"kty": "oct", "k": base64.RawURLEncoding.EncodeToString(make([]byte, 64))}
	change := func(name string, value any) string {
		claims := statement()
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
		return mine.prove(t, claims, jose.Header{})
	}
	good := mine.prove(t, statement(), jose.Header{})
	tests := map[string]struct {
		proofs []string
		err    error
	}{
		"none":                      {nil, errNoProof},
		"two":                       {[]string{good, good}, errNoProof},
		"empty":                     {[]string{""}, jose.ErrMalformed},
		"garbage":                   {[]string{"a.b.c"}, jose.ErrMalformed},
		"too long":                  {[]string{strings.Repeat("a", maxProof+1)}, errProofTooLong},
		"signature changed":         {[]string{good[:len(good)-8] + "AAAAAAAA"}, jose.ErrSignature},
		"another key":               {[]string{other.prove(t, statement(), jose.Header{})}, errProofOther},
		"another key's signature":   {[]string{other.prove(t, statement(), jose.Header{Extra: map[string]any{"jwk": mine.jwk()}})}, jose.ErrSignature},
		"no key":                    {[]string{mine.prove(t, statement(), jose.Header{Extra: map[string]any{"x": 1}})}, errProofKey},
		"a private key":             {[]string{mine.prove(t, statement(), jose.Header{Extra: map[string]any{"jwk": withPrivate}})}, errProofKey},
		"a secret":                  {[]string{mine.prove(t, statement(), jose.Header{Extra: map[string]any{"jwk": secret}})}, errProofKey},
		"a key that is none":        {[]string{mine.prove(t, statement(), jose.Header{Extra: map[string]any{"jwk": "x"}})}, errProofKey},
		"type of an access token":   {[]string{mine.prove(t, statement(), jose.Header{Type: "at+jwt"})}, errProofType},
		"another method":            {[]string{change("htm", "GET")}, errProofMethod},
		"method in another case":    {[]string{change("htm", "post")}, errProofMethod},
		"no method":                 {[]string{change("htm", nil)}, errProofMethod},
		"another host":              {[]string{change("htu", "https://evil.example/orders")}, errProofTarget},
		"http":                      {[]string{change("htu", "http://api.example.com/orders")}, errProofTarget},
		"another path":              {[]string{change("htu", "https://api.example.com/orders/")}, errProofTarget},
		"a query":                   {[]string{change("htu", "https://api.example.com/orders?page=2")}, errProofTarget},
		"a user":                    {[]string{change("htu", "https://a@api.example.com/orders")}, errProofTarget},
		"a number":                  {[]string{change("htu", 1)}, errProofTarget},
		"no target":                 {[]string{change("htu", nil)}, errProofTarget},
		"a minute old":              {[]string{change("iat", now.Add(-maxAge-time.Second).Unix())}, errProofTime},
		"from the future":           {[]string{change("iat", now.Add(maxAhead+time.Second).Unix())}, errProofTime},
		"no time":                   {[]string{change("iat", nil)}, errProofTime},
		"time is text":              {[]string{change("iat", "now")}, errProofTime},
		"ended":                     {[]string{change("exp", now.Unix())}, errProofTime},
		"another token":             {[]string{change("ath", base64.RawURLEncoding.EncodeToString(make([]byte, 32)))}, errProofToken},
		"no token":                  {[]string{change("ath", nil)}, errProofToken},
		"no jti":                    {[]string{change("jti", nil)}, errProofIdentity},
		"empty jti":                 {[]string{change("jti", "")}, errProofIdentity},
		"long jti":                  {[]string{change("jti", strings.Repeat("x", maxIdentifier+1))}, errProofIdentity},
		"jti is a number":           {[]string{change("jti", 7)}, errProofIdentity},
		"access token as its proof": {[]string{token}, jose.ErrMalformed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			checker, m := newChecker()
			err := checker.Check(requestOf(test.proofs...), token, "DPoP", mine.cnf())
			failure, refused := errors.AsType[*auth.Failure](err)
			if !refused || failure.Code != bearer.CodeInvalidDPoPProof || !errors.Is(err, test.err) {
				t.Errorf("Check = %v, want %v", err, test.err)
			}
			if len(m.known) != 0 {
				t.Error("a bad proof is remembered: anybody could fill the memory")
			}
		})
	}
}

func TestCheck_binding(t *testing.T) {
	h := newHolder(t, "ES256")
	certificate := &x509.Certificate{Raw: []byte("certificate")}
	sum := sha256.Sum256(certificate.Raw)
	bound := fmt.Sprintf(`"x5t#S256":%q`, base64.RawURLEncoding.EncodeToString(sum[:]))
	jkt := fmt.Sprintf(`"jkt":%q`, h.thumbprint())
	tests := map[string]struct {
		cnf, scheme string
		certificate *x509.Certificate
		err         error
	}{
		"certificate":                {cnf: `{` + bound + `}`, scheme: "Bearer", certificate: certificate},
		"no certificate":             {cnf: `{` + bound + `}`, scheme: "Bearer", err: errNoCertified},
		"another certificate":        {cnf: `{` + bound + `}`, scheme: "Bearer", certificate: &x509.Certificate{Raw: []byte("other")}, err: errCertificate},
		"thumbprint with padding":    {cnf: `{"x5t#S256":"` + base64.URLEncoding.EncodeToString(sum[:]) + `"}`, scheme: "Bearer", certificate: certificate, err: errCertificate},
		"certificate, DPoP":          {cnf: `{` + bound + `}`, scheme: "DPoP", certificate: certificate, err: errNotBound},
		"key as Bearer":              {cnf: `{` + jkt + `}`, scheme: "Bearer", err: errAsBearer},
		"key in a cookie":            {cnf: `{` + jkt + `}`, err: errAsBearer},
		"both":                       {cnf: `{` + bound + `,` + jkt + `}`, scheme: "DPoP", certificate: certificate},
		"both, without certificate":  {cnf: `{` + bound + `,` + jkt + `}`, scheme: "DPoP", err: errNoCertified},
		"neither":                    {cnf: `{}`, scheme: "Bearer", err: errUnreadable},
		"another way":                {cnf: `{"kid":"x"}`, scheme: "Bearer", err: errUnknown},
		"another way beside":         {cnf: `{` + bound + `,"jwk":{}}`, scheme: "Bearer", certificate: certificate, err: errUnknown},
		"names in another case":      {cnf: `{"JKT":"x"}`, scheme: "DPoP", err: errUnknown},
		"empty thumbprint":           {cnf: `{"jkt":""}`, scheme: "DPoP", err: errUnreadable},
		"thumbprint is a number":     {cnf: `{"jkt":1}`, scheme: "DPoP", err: errUnreadable},
		"null":                       {cnf: `null`, scheme: "Bearer", err: errUnreadable},
		"list":                       {cnf: `["jkt"]`, scheme: "Bearer", err: errUnreadable},
		"missing although announced": {cnf: ``, scheme: "Bearer", err: errUnreadable},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			checker, _ := newChecker()
			r := requestOf(h.prove(t, statement(), jose.Header{}))
			if test.certificate != nil {
				r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{test.certificate}}
			}
			err := checker.Check(r, token, test.scheme, json.RawMessage(test.cnf))
			if test.err == nil {
				if err != nil {
					t.Errorf("Check: %v", err)
				}
				return
			}
			failure, refused := errors.AsType[*auth.Failure](err)
			if !refused || failure.Code != bearer.CodeInvalidToken || !errors.Is(err, test.err) {
				t.Errorf("Check = %v, want %v", err, test.err)
			}
		})
	}
}

func TestGuard(t *testing.T) {
	h := newHolder(t, "ES256")
	checker, m := newChecker()
	claims := json.RawMessage(`{"sub":"alice","cnf":` + string(h.cnf()) + `}`)
	bound := &auth.Identity{ID: "alice", Proof: "x" + Marker, Claims: claims}

	if err := checker.Guard(requestOf(h.prove(t, statement(), jose.Header{})), bound, token, "DPoP"); err != nil {
		t.Errorf("bound, with its proof: %v", err)
	}
	if err := checker.Guard(requestOf(), bound, token, "Bearer"); !errors.Is(err, errAsBearer) {
		t.Errorf("bound, as Bearer: %v", err)
	}
	if err := checker.Guard(requestOf(), &auth.Identity{ID: "alice"}, token, "Bearer"); err != nil {
		t.Errorf("not bound: %v", err)
	}
	if err := checker.Guard(requestOf(h.prove(t, statement(), jose.Header{})), &auth.Identity{ID: "alice"}, token, "DPoP"); !errors.Is(err, errNotBound) {
		t.Errorf("not bound, as DPoP: %v", err)
	}
	if err := checker.Guard(requestOf(), &auth.Identity{Proof: Marker, Claims: json.RawMessage(`{}`)}, token, "Bearer"); !errors.Is(err, errUnreadable) {
		t.Errorf("claims without cnf: %v", err)
	}

	other := newHolder(t, "ES256")
	beside := &auth.Identity{ID: "alice", Proof: "x" + Marker, Claims: json.RawMessage(`{"cnf":` + string(h.cnf()) + `,"CNF":` + string(other.cnf()) + `}`)}
	if err := checker.Guard(requestOf(other.prove(t, statement(), jose.Header{})), beside, token, "DPoP"); !errors.Is(err, errProofOther) {
		t.Errorf("the key of a claim CNF: %v", err)
	}

	m.err = errors.New("down")
	err := checker.Guard(requestOf(h.prove(t, statement(), jose.Header{})), bound, token, "DPoP")
	if _, down := errors.AsType[*auth.Unavailable](err); !down || !errors.Is(err, m.err) {
		t.Errorf("store down: %v", err)
	}
	m.err = nil
	r := requestOf(h.prove(t, statement(), jose.Header{}))
	question := r.WithContext(auth.WithDryRun(r.Context()))
	for _, asked := range []*http.Request{question, question, r} {
		if err := checker.Guard(asked, bound, token, "DPoP"); err != nil {
			t.Errorf("a question spends a proof: %v", err)
		}
	}
	if err := checker.Guard(question, bound, token, "DPoP"); !errors.Is(err, errProofReused) {
		t.Errorf("a question about a proof that was used: %v", err)
	}
}

// FuzzCheck has any header and payload in a proof that is signed truly: what is
// accepted is a proof for the request to whoever reads it with encoding/json.
func FuzzCheck(f *testing.F) {
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	h := &holder{"EdDSA", private}
	public, err := json.Marshal(h.jwk())
	if err != nil {
		f.Fatal(err)
	}
	claims := statement()
	claims["jti"] = "1"
	payload, err := json.Marshal(claims)
	if err != nil {
		f.Fatal(err)
	}
	good := `{"alg":"EdDSA","typ":"dpop+jwt","jwk":` + string(public) + `}`
	f.Add(good, string(payload))
	f.Add(`{"alg":"Ed25519","typ":"DPoP+JWT","jwk":{"keys":[`+string(public)+`]}}`, string(payload))
	f.Add(`{"alg":"EdDSA","typ":"dpop+jwt","jwk":{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA"}}`, string(payload))
	f.Add(good, `{"HTM":"POST"}`)
	f.Add(good, strings.Replace(string(payload), "orders", "%6frders", 1))
	f.Fuzz(func(t *testing.T, header, payload string) {
		signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
		proof := signed + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(private, []byte(signed)))
		checker, m := newChecker()
		err := checker.Check(requestOf(proof), token, "DPoP", h.cnf())
		if _, refused := errors.AsType[*auth.Failure](err); err != nil {
			if !refused || len(m.known) != 0 {
				t.Fatalf("%v, %d are known", err, len(m.known))
			}
			return
		}
		var head, said map[string]any
		if json.Unmarshal([]byte(header), &head) != nil || json.Unmarshal([]byte(payload), &said) != nil {
			t.Fatalf("accepted: %s %s", header, payload)
		}
		typ, _ := head["typ"].(string)
		key, _ := head["jwk"].(map[string]any)
		target, _ := said["htu"].(string)
		if !strings.EqualFold(typ, "dpop+jwt") || key["x"] == nil || key["d"] != nil || said["htm"] != "POST" || said["ath"] != claims["ath"] ||
			said["jti"] == nil || said["jti"] == "" || !strings.HasPrefix(strings.ToLower(target), "https://api.example.com") {
			t.Fatalf("accepted: %s %s", header, payload)
		}
	})
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

// pair is a key that signs and the one that verifies what it signs.
type pair struct {
	private SigningKey
	public  *keyset.Key
}

// theRSA is one for all tests: it is slow to make.
var theRSA = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// pairs makes one for each algorithm.
func pairs(t testing.TB) map[string]pair {
	t.Helper()
	rsaKey, err := theRSA()
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret := make([]byte, 64)
	_, _ = rand.Read(secret)
	made := make(map[string]pair)
	for name, a := range algorithms {
		var private any
		switch a.typ {
		case "RSA":
			private = rsaKey
		case "OKP":
			private = edKey
		case "oct":
			private = secret
		case "EC":
			if private, err = ecdsa.GenerateKey(a.curve, rand.Reader); err != nil {
				t.Fatal(err)
			}
		}
		made[name] = pair{
			SigningKey{ID: "key-" + name, Algorithm: name, Private: private},
			&keyset.Key{ID: "key-" + name, Type: a.typ, Algorithms: []string{name}, Public: public(private)},
		}
	}
	return made
}

// segments is a token of a header and a payload, as they are, under a
// signature that nobody made.
func segments(header, payload string) string {
	enc := base64.RawURLEncoding
	return enc.EncodeToString([]byte(header)) + "." + enc.EncodeToString([]byte(payload)) + "." + enc.EncodeToString([]byte("signature"))
}

func TestParse(t *testing.T) {
	const plain = `{"alg":"RS256"}`
	good := segments(plain, `{"a":1}`)
	header, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	// Two bytes more, so that a character has bits to spare.
	spare := segments(plain, `{"a":11}`)
	spareHeader, spareRest, _ := strings.Cut(spare, ".")
	sparePayload, spareSignature, _ := strings.Cut(spareRest, ".")
	if len(sparePayload)%4 == 0 {
		t.Fatal("the last character of the payload has no bits to spare")
	}
	flipped := sparePayload[:len(sparePayload)-1] + string(sparePayload[len(sparePayload)-1]+1)

	tests := map[string]struct {
		token string
		want  error
	}{
		"good":                    {good, nil},
		"good, other kid":         {segments(`{"alg":"RS256","kid":"../../etc/passwd' OR 1=1"}`, `{}`), nil},
		"good, keys in it":        {segments(`{"alg":"RS256","jwk":{"kty":"oct"},"jku":"http://127.0.0.1","x5u":"","x5c":[],"x5t":"","x5t#S256":1}`, `{}`), nil},
		"good, another content":   {segments(`{"alg":"RS256","cty":"example"}`, `{}`), nil},
		"good, names of others":   {segments(`{"alg":"RS256","Nonce":"x"}`, `{"Name":"x","Roles":["a"],"SID":1}`), nil},
		"good, as long as it may": {segments(plain, `{"a":"`+strings.Repeat("x", (MaxSize-len(header)-len(signature)-2)/4*3-8)+`"}`), nil},

		"nothing":                   {"", ErrNotCompact},
		"one segment":               {"abc", ErrNotCompact},
		"two segments":              {header + "." + payload, ErrNotCompact},
		"four segments":             {good + ".", ErrNotCompact},
		"five segments, encrypted":  {"eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.OKOawDo13gRp2ojaHV7LFpZcgV7T6DVZKTyKOMTYUmKoTCVJRgckCL9kiMT03JGe.48V1_ALb6US04U3b.5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6ji.XFBoMYUZodetZdvTiFvSkQ", ErrNotCompact},
		"five segments, direct":     {"eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..48V1_ALb6US04U3b.5eym8TW_c8Su.XFBoMYUZodetZdvTiFvSkQ", ErrNotCompact},
		"dots":                      {strings.Repeat(".", 10_000), ErrNotCompact},
		"100,000 dots":              {strings.Repeat(".", 100_000), errTooLong},
		"a megabyte":                {strings.Repeat("a", 1<<20), errTooLong},
		"a megabyte of three":       {strings.Repeat("a", 1<<19) + "." + strings.Repeat("a", 1<<19) + ".a", errTooLong},
		"a byte too long":           {good + strings.Repeat("A", MaxSize+1-len(good)), errTooLong},
		"dots alone":                {"..", errUnsigned},
		"no header":                 {"." + payload + "." + signature, errJSON},
		"no payload":                {header + ".." + signature, errJSON},
		"no signature":              {header + "." + payload + ".", errUnsigned},
		"JSON, not compact":         {`{"payload":"e30","signatures":[]}`, ErrNotCompact},
		"JSON with dots":            {`{"a":"..x"}`, errBase64},
		"padding":                   {header + "." + payload + "." + signature + "=", errBase64},
		"padding of the header":     {header + "=." + payload + "." + signature, errBase64},
		"padding of four":           {base64.URLEncoding.EncodeToString([]byte(plain+" ")) + "." + payload + "." + signature, errBase64},
		"a plus":                    {header + "." + payload + ".ab+d", errBase64},
		"a slash":                   {header + "." + payload + ".ab/d", errBase64},
		"a blank":                   {header + "." + payload + ".ab d", errBase64},
		"a blank before":            {" " + good, errBase64},
		"a blank after":             {good + " ", errBase64},
		"a line feed":               {header + "." + payload + ".ab\ncd", errBase64},
		"a line feed at the end":    {good + "\n", errBase64},
		"a carriage return":         {header[:4] + "\r" + header[4:] + "." + payload + "." + signature, errBase64},
		"a line break in a payload": {header + "." + payload[:4] + "\r\n" + payload[4:] + "." + signature, errBase64},
		"a tab":                     {header + "." + payload + ".ab\tcd", errBase64},
		"NUL":                       {header + "." + payload + ".ab\x00d", errBase64},
		"a percent sign":            {header + "." + payload + ".ab%3D", errBase64},
		"letters outside of ASCII":  {header + "." + payload + ".abcé", errBase64},
		"a byte that is none":       {header + "." + payload + ".abc\xff", errBase64},
		"a single character":        {header + "." + payload + ".abcde", errBase64},
		"bits left over":            {spareHeader + "." + flipped + "." + spareSignature, errBase64},
		"bits left over, signature": {header + "." + payload + ".ab", errBase64},

		"header not JSON":              {segments("x", `{}`), errJSON},
		"payload not JSON":             {segments(plain, "x"), errJSON},
		"payload a list":               {segments(plain, `[{}]`), errJSON},
		"payload null":                 {segments(plain, `null`), errJSON},
		"payload a text":               {segments(plain, `"a"`), errJSON},
		"header not UTF-8":             {segments("{\"alg\":\"RS256\",\"kid\":\"\xff\"}", `{}`), errUTF8},
		"payload not UTF-8":            {segments(plain, "{\"sub\":\"\xc3\x28\"}"), errUTF8},
		"payload overlong UTF-8":       {segments(plain, "{\"sub\":\"\xc0\xaf\"}"), errUTF8},
		"payload UTF-8 of a surrogate": {segments(plain, "{\"sub\":\"\xed\xa0\x80\"}"), errUTF8},
		"payload UTF-16":               {segments(plain, "\xff\xfe{\x00}\x00"), errUTF8},
		"UTF-8 across the segments":    {segments("{\"alg\":\"RS256\"}\xc3", "\xa9{}"), errUTF8},
		"header with alg twice":        {segments(`{"alg":"RS256","alg":"RS256"}`, `{}`), errDuplicate},
		"header with alg, by escapes":  {segments(`{"alg":"RS256","\u0061lg":"none"}`, `{}`), errDuplicate},
		"header with kid twice":        {segments(`{"alg":"RS256","kid":"a","kid":"b"}`, `{}`), errDuplicate},
		"aud twice":                    {segments(plain, `{"aud":"a","aud":"b"}`), errDuplicate},
		"exp twice":                    {segments(plain, `{"exp":1,"exp":2}`), errDuplicate},
		"exp twice, by escapes":        {segments(plain, `{"exp":1,"\u0065xp":2}`), errDuplicate},
		"iss twice":                    {segments(plain, `{"iss":"a","sub":"x","iss":"b"}`), errDuplicate},
		"cnf.jkt twice":                {segments(plain, `{"cnf":{"jkt":"a","jkt":"b"}}`), errDuplicate},
		"EXP":                          {segments(plain, `{"EXP":1}`), errSpelling},
		"Exp beside exp":               {segments(plain, `{"exp":1,"Exp":2}`), errSpelling},
		"Iss":                          {segments(plain, `{"Iss":"a"}`), errSpelling},
		"SUB":                          {segments(plain, `{"sub":"a","SUB":"b"}`), errSpelling},
		"Aud, by escapes":              {segments(plain, `{"\u0041ud":"a"}`), errSpelling},
		"iſs, which folds to iss":      {segments(plain, `{"iſs":"a"}`), errSpelling},
		"Alg":                          {segments(`{"alg":"RS256","Alg":"none"}`, `{}`), errSpelling},
		"ALG alone":                    {segments(`{"ALG":"RS256"}`, `{}`), errSpelling},
		"Kid, with the sign of Kelvin": {segments("{\"alg\":\"RS256\",\"\u212aid\":\"a\"}", `{}`), errSpelling},
		"Crit":                         {segments(`{"alg":"RS256","Crit":["x"]}`, `{}`), errSpelling},

		"no alg":                   {segments(`{}`, `{}`), ErrAlgorithm},
		"alg null":                 {segments(`{"alg":null}`, `{}`), ErrAlgorithm},
		"alg a number":             {segments(`{"alg":256}`, `{}`), ErrAlgorithm},
		"alg a list":               {segments(`{"alg":["RS256"]}`, `{}`), ErrAlgorithm},
		"alg empty":                {segments(`{"alg":""}`, `{}`), ErrAlgorithm},
		"alg in small letters":     {segments(`{"alg":"rs256"}`, `{}`), ErrAlgorithm},
		"alg with a blank":         {segments(`{"alg":"RS256 "}`, `{}`), ErrAlgorithm},
		"alg of encryption":        {segments(`{"alg":"RSA-OAEP"}`, `{}`), ErrAlgorithm},
		"alg dir":                  {segments(`{"alg":"dir"}`, `{}`), ErrAlgorithm},
		"alg of another curve":     {segments(`{"alg":"ES256K"}`, `{}`), ErrAlgorithm},
		"alg of another curve, Ed": {segments(`{"alg":"Ed448"}`, `{}`), ErrAlgorithm},
		"alg of SHA-1":             {segments(`{"alg":"RS1"}`, `{}`), ErrAlgorithm},
		"alg short":                {segments(`{"alg":"HS1"}`, `{}`), ErrAlgorithm},

		"crit known":           {segments(`{"alg":"RS256","crit":["exp"],"exp":1}`, `{}`), ErrCritical},
		"crit of a known name": {segments(`{"alg":"RS256","crit":["alg"]}`, `{}`), ErrCritical},
		"crit unknown":         {segments(`{"alg":"RS256","crit":["x"],"x":1}`, `{}`), ErrCritical},
		"crit empty":           {segments(`{"alg":"RS256","crit":[]}`, `{}`), ErrCritical},
		"crit no list":         {segments(`{"alg":"RS256","crit":"exp"}`, `{}`), ErrCritical},
		"crit null":            {segments(`{"alg":"RS256","crit":null}`, `{}`), ErrCritical},
		"crit, by escapes":     {segments(`{"alg":"RS256","\u0063rit":["x"]}`, `{}`), ErrCritical},
		"b64 false":            {segments(`{"alg":"RS256","b64":false,"crit":["b64"]}`, `{}`), ErrCritical},
		"b64 false alone":      {segments(`{"alg":"RS256","b64":false}`, `{}`), ErrCritical},
		"b64 true":             {segments(`{"alg":"RS256","b64":true}`, `{}`), ErrCritical},
		"zip":                  {segments(`{"alg":"RS256","zip":"DEF"}`, `{}`), ErrCritical},
		"enc":                  {segments(`{"alg":"RS256","enc":"A256GCM"}`, `{}`), errEncrypted},
		"nested":               {segments(`{"alg":"RS256","cty":"JWT"}`, `{}`), errNested},
		"nested, spelled":      {segments(`{"alg":"RS256","cty":"application/jwt"}`, `{}`), errNested},
		"nested, really":       {segments(`{"alg":"RS256"}`, good), errJSON},
		"kid a number":         {segments(`{"alg":"RS256","kid":1}`, `{}`), errHeader},
		"kid null":             {segments(`{"alg":"RS256","kid":null}`, `{}`), errHeader},
		"kid an object":        {segments(`{"alg":"RS256","kid":{"a":1}}`, `{}`), errHeader},
		"typ a list":           {segments(`{"alg":"RS256","typ":["JWT"]}`, `{}`), errHeader},
		"cty a number":         {segments(`{"alg":"RS256","cty":1}`, `{}`), errHeader},
	}
	for name, test := range tests {
		token, err := Parse(test.token)
		if !errors.Is(err, test.want) || (token == nil) != (err != nil) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
		if err != nil && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrAlgorithm) && !errors.Is(err, ErrCritical) {
			t.Errorf("%s: %v is none of the package's", name, err)
		}
	}
}

// TestParseNone has none in every spelling, with each signature.
func TestParseNone(t *testing.T) {
	for _, alg := range []string{"none", "None", "NONE", "nOnE", "nonE", "NoNe", "none ", " none", "none\\u0000", "\\u006eone", ""} {
		unsigned, _, _ := strings.Cut(segments(`{"alg":"`+alg+`"}`, `{"sub":"root"}`), ".c2ln")
		for _, signature := range []string{".", ".c2lnbmF0dXJl", ".AA", "..", "", ".e30"} {
			if _, err := Parse(unsigned + signature); err == nil {
				t.Errorf("alg %q with %q is accepted", alg, signature)
			}
		}
	}
}

func TestTokenMembers(t *testing.T) {
	token, err := Parse(segments(`{"typ":"application/at+jwt","alg":"ES256","kid":"a\u002fb","jwk":{"kty":"EC"}}`, ` {"sub":"alice"} `))
	if err != nil {
		t.Fatal(err)
	}
	if token.Alg != "ES256" || token.Type != "application/at+jwt" || token.KeyID != "a/b" {
		t.Errorf("got %q, %q, %q", token.Alg, token.Type, token.KeyID)
	}
	if got := string(token.HeaderMember("jwk")); got != `{"kty":"EC"}` {
		t.Errorf("got jwk %s", got)
	}
	if token.HeaderMember("jku") != nil || token.Raw("exp") != nil || token.Has("exp") || !token.Has("sub") {
		t.Error("it has what it has not")
	}
	if string(token.Payload) != ` {"sub":"alice"} ` || string(token.Raw("sub")) != `"alice"` {
		t.Errorf("got %s", token.Payload)
	}
	// What is appended to one part does not write into the next.
	_ = append(token.Header, "xxxxxxxx"...)
	_ = append(token.Payload, "xxxxxxxx"...)
	if string(token.Payload) != ` {"sub":"alice"} ` || string(token.signature) != "signature" {
		t.Errorf("got %s and %s", token.Payload, token.signature)
	}
}

func TestParseErrorsQuoteNothing(t *testing.T) {
	const secret = "hunter2"
	for _, token := range []string{
		secret + "." + secret + "." + secret, segments(`{"alg":"`+secret+`"}`, `{}`), segments(`{"alg":"RS256"}`, secret),
		segments(`{"alg":"RS256"}`, `{"`+secret+`":1,"`+secret+`":1}`), segments(`{"alg":"RS256","kid":{"a":"`+secret+`"}}`, `{}`),
	} {
		if _, err := Parse(token); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%v", err)
		}
	}
}

// TestParseAllocations keeps the reading of a token cheap: what is decoded, its
// text, and the token.
func TestParseAllocations(t *testing.T) {
	token := segments(`{"alg":"RS256","typ":"at+jwt","kid":"1"}`, `{"iss":"https://login.example.com","sub":"1","aud":"a","exp":1,"iat":1,"scope":"a b"}`)
	rules := Rules{Optional: []string{"aud"}}
	if got := testing.AllocsPerRun(100, func() { _, _ = Parse(token) }); got > 3 {
		t.Errorf("Parse makes %v allocations, want 3", got)
	}
	parsed, err := Parse(token)
	if err != nil {
		t.Fatal(err)
	}
	if got := testing.AllocsPerRun(100, func() { _ = rules.Check(parsed, time.Unix(0, 0)); _ = AccessTokenOnly(parsed) }); got > 1 {
		t.Errorf("Check makes %v allocations, want 1", got)
	}
}

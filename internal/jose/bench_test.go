// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

// benchPayload is that of an access token which is 739 bytes long when it is
// signed by RS256, as the one of the design's table.
func benchPayload(now time.Time) []byte {
	return fmt.Appendf(nil, `{"iss":"https://login.example.com","sub":"248289761001","aud":"https://api.example.com",`+
		`"exp":%d,"iat":%d,"jti":"d8b2f6a0c1e94b7f","client_id":"orders-web","scope":"openid profile orders.read",`+
		`"groups":["editors"],"email":"a@example.com"}`, now.Unix()+3600, now.Unix())
}

func benchToken(b *testing.B, p pair, now time.Time) string {
	b.Helper()
	p.private.ID, p.public.ID = "rsa", "rsa"
	token, err := Sign(p.private, Header{Type: "at+jwt"}, benchPayload(now))
	if err != nil {
		b.Fatal(err)
	}
	return token
}

// BenchmarkFirstSight is what a token costs that was never seen before, beside
// golang-jwt's own reading and verification of it.
func BenchmarkFirstSight(b *testing.B) {
	now := time.Now()
	rules := Rules{Audiences: []string{"https://api.example.com"}, Leeway: time.Minute}
	made := pairs(b)
	for _, alg := range []string{"RS256", "ES256", "EdDSA", "HS256", "PS256"} {
		p := made[alg]
		token := benchToken(b, p, now)
		keys := []*keyset.Key{p.public}
		b.Run(fmt.Sprintf("%s/ours-%d-bytes", alg, len(token)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				parsed, err := Parse(token)
				if err != nil {
					b.Fatal(err)
				}
				if err := rules.Check(parsed, now); err != nil {
					b.Fatal(err)
				}
				if err := AccessTokenOnly(parsed); err != nil {
					b.Fatal(err)
				}
				if err := parsed.Verify(keys); err != nil {
					b.Fatal(err)
				}
			}
		})
		parser := jwt.NewParser(jwt.WithValidMethods([]string{alg}), jwt.WithAudience("https://api.example.com"),
			jwt.WithIssuer("https://login.example.com"), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
		b.Run(alg+"/golang-jwt", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := parser.ParseWithClaims(token, jwt.MapClaims{}, func(*jwt.Token) (any, error) {
					return p.public.Public, nil
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(alg+"/bad-signature", func(b *testing.B) {
			bad := token[:len(token)-8] + "AAAAAAAA"
			b.ReportAllocs()
			for b.Loop() {
				parsed, err := Parse(bad)
				if err != nil {
					b.Fatal(err)
				}
				if parsed.Verify(keys) == nil {
					b.Fatal("it verifies")
				}
			}
		})
	}
}

// BenchmarkParse is all but the signature.
func BenchmarkParse(b *testing.B) {
	token := benchToken(b, pairs(b)["RS256"], time.Now())
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Parse(token); err != nil {
				b.Fatal(err)
			}
		}
	})
	parser := jwt.NewParser()
	b.Run("golang-jwt", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := parser.ParseUnverified(token, jwt.MapClaims{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkHostile is the dearest of what is refused, as long as a token can be.
func BenchmarkHostile(b *testing.B) {
	var many strings.Builder
	for i := range maxMembers + 1 {
		fmt.Fprintf(&many, `"n%06d":1,`, i)
	}
	for name, token := range map[string]string{
		"members": segments(`{"alg":"RS256"}`, "{"+strings.TrimSuffix(many.String(), ",")+"}"),
		"escapes": segments(`{"alg":"RS256"}`, `{"a":"`+strings.Repeat(`\u0041`, 1900)+`","a":1}`),
		"depth":   segments(`{"alg":"RS256"}`, `{"a":`+strings.Repeat("[", 9000)),
		"array":   segments(`{"alg":"RS256"}`, `{"a":[`+strings.Repeat("0,", 6000)+`"]}`),
		"dots":    strings.Repeat(".", 100_000),
		"long":    strings.Repeat("a", 1<<20),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(token); err == nil {
					b.Fatal("it is accepted")
				}
			}
		})
	}
}

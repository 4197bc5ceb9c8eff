// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package bearer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

func TestChallenger_Challenge(t *testing.T) {
	const metadata = "https://api.example.com/.well-known/oauth-protected-resource"
	invalid := InvalidToken(DescriptionInvalid, errors.New("no such key"))
	tests := map[string]struct {
		challenger Challenger
		cause      error
		want       string
	}{
		"nothing":   {want: `Bearer realm="api"`},
		"none sent": {cause: fmt.Errorf("no cookie: %w", auth.ErrNoCredentials), want: `Bearer realm="api"`},
		"down":      {cause: &auth.Unavailable{}, want: `Bearer realm="api"`},
		"invalid": {
			cause: invalid,
			want:  `Bearer realm="api", error="invalid_token", error_description="The access token is invalid."`,
		},
		"expired": {
			cause: InvalidToken(DescriptionExpired, nil),
			want:  `Bearer realm="api", error="invalid_token", error_description="The access token has expired."`,
		},
		"invalid request": {
			cause: InvalidRequest("Invalid bearer header. No credentials provided.", auth.ErrEmptyCredentials),
			want:  `Bearer realm="api", error="invalid_request", error_description="Invalid bearer header. No credentials provided."`,
		},
		"another failure": {
			cause: &auth.Failure{Code: auth.CodeAuthenticationFailed, Detail: "User inactive or deleted."},
			want:  `Bearer realm="api", error="invalid_token", error_description="User inactive or deleted."`,
		},
		"no text": {cause: &auth.Failure{}, want: `Bearer realm="api", error="invalid_token"`},
		"characters": {
			cause: InvalidToken("a\"b\\c\r\nd\x7fé~!", nil),
			want:  `Bearer realm="api", error="invalid_token", error_description="abcd~!"`,
		},
		"all": {
			challenger: Challenger{Realm: `a "b\`, ResourceMetadata: metadata, ChallengeScopes: []string{"read", `a"`, "write"}},
			cause:      invalid,
			want: `Bearer realm="a \"b\\", error="invalid_token", error_description="The access token is invalid.", ` +
				`scope="read write", resource_metadata="` + metadata + `"`,
		},
		"dpop": {
			challenger: Challenger{Scheme: DPoP, DPoPAlgs: []string{"ES256", "PS256"}},
			want:       `DPoP realm="api", algs="ES256 PS256"`,
		},
		"bad proof": {
			challenger: Challenger{DPoPAlgs: []string{"ES256"}},
			cause:      &auth.Failure{Code: CodeInvalidDPoPProof, Detail: "Invalid DPoP proof."},
			want:       `DPoP realm="api", error="invalid_dpop_proof", error_description="Invalid DPoP proof.", algs="ES256"`,
		},
		"not asked": {challenger: Challenger{DPoPAlgs: []string{"ES256"}}, cause: auth.ErrNoCredentials, want: `Bearer realm="api"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.challenger.Challenge(tt.cause); got != tt.want {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestChallenger_InsufficientScope(t *testing.T) {
	c := new(Challenger)
	c.SetRealm("shop")
	want := `Bearer realm="shop", error="insufficient_scope", ` +
		`error_description="The request requires higher privileges than provided by the access token.", scope="a b"`
	if got := c.InsufficientScope([]string{"a", "b c", "b"}); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestChallenger_Resolve(t *testing.T) {
	t.Setenv("METADATA", "https://api.example.com/x")
	c := Challenger{ResourceMetadata: "{env.METADATA}"}
	scopes := []string{"{env.BEARER_SCOPE}", "b"}
	t.Setenv("BEARER_SCOPE", "a")
	c.ChallengeScopes = scopes
	if err := c.Resolve(); err != nil || c.ResourceMetadata != "https://api.example.com/x" || !slices.Equal(c.ChallengeScopes, []string{"a", "b"}) || scopes[0] == "a" {
		t.Errorf("%+v, %v", c, err)
	}
	for want, c := range map[string]Challenger{
		"realm: contains control characters":            {Realm: "a\nb"},
		"resource_metadata: '/x' is not a URL":          {ResourceMetadata: "/x"},
		"resource_metadata: 'ftp://a/x' is not a URL":   {ResourceMetadata: "ftp://a/x"},
		"resource_metadata: 'https://a/x y' is not":     {ResourceMetadata: "https://a/x y"},
		"challenge_scope: 'a b' is not a scope":         {ChallengeScopes: []string{"a b"}},
		"realm: unrecognized placeholder {nothing.of.}": {Realm: "{nothing.of.}"},
	} {
		if err := c.Resolve(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", c, err, want)
		}
	}
}

func TestInvalidToken(t *testing.T) {
	cause := errors.New("cause")
	for description, want := range map[string]string{DescriptionInvalid: "Invalid token.", DescriptionExpired: "Token has expired."} {
		failure := InvalidToken(description, cause)
		if failure.Detail != want || failure.Code != "invalid_token" || !errors.Is(failure, cause) || failure.Err.Error() != "cause" {
			t.Errorf("%+v", failure)
		}
	}
	if got := InvalidToken(DescriptionInvalid, nil).Err.Error(); got != DescriptionInvalid {
		t.Errorf("without a cause: %q", got)
	}
}

func TestParseLine(t *testing.T) {
	parse := func(text string) (s Sources, c Challenger, err error) {
		d := caddyfile.NewTestDispenser("x {\n" + text + "\n}")
		for d.Next(); d.NextBlock(0); {
			known, err := s.ParseLine(d)
			if !known {
				known, err = c.ParseLine(d)
			}
			if err != nil || !known {
				return s, c, errors.Join(err, map[bool]error{false: errors.New("unknown")}[known])
			}
		}
		return s, c, nil
	}
	s, c, err := parse("header X-T\nscheme JWT Bearer\ncookie c\nquery\nrealm r\nresource_metadata u\nchallenge_scope a b")
	if err != nil || s.Header != "X-T" || len(s.Schemes) != 2 || s.Cookie != "c" || s.Query != "access_token" ||
		c.Realm != "r" || c.ResourceMetadata != "u" || len(c.ChallengeScopes) != 2 {
		t.Errorf("%+v %+v %v", s, c, err)
	}
	if s, _, err := parse("query token"); err != nil || s.Query != "token" {
		t.Errorf("%+v %v", s, err)
	}
	for _, text := range []string{
		"header", "header a b", "header a\nheader b", `header ""`, "scheme", "scheme a\nscheme b", "cookie", "query a b", "query\nquery",
		"query a\nquery", "realm", "resource_metadata a b", "challenge_scope", "nothing",
	} {
		if _, _, err := parse(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

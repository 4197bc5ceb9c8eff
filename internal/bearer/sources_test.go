// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package bearer

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// with returns a request of a path, with header lines "Name: value".
func with(target string, lines ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.URL = &url.URL{Path: "/"}
	_, r.URL.RawQuery, _ = strings.Cut(target, "?")
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header[name] = append(r.Header[name], value)
	}
	return r
}

func resolved(t testing.TB, s Sources) *Sources {
	t.Helper()
	if err := s.Resolve(); err != nil {
		t.Fatal(err)
	}
	return &s
}

func TestSources_Token(t *testing.T) {
	everywhere := Sources{Cookie: "access", Query: "access_token"}
	own := Sources{Header: "x-access-token", Schemes: []string{"Bearer", "JWT"}}
	tests := map[string]struct {
		sources Sources
		request *http.Request
		want    Found
		cause   error // of a refusal, or ErrNoCredentials
	}{
		"nothing":                 {request: with("/"), cause: auth.ErrNoCredentials},
		"bearer":                  {request: with("/", "Authorization: Bearer abc"), want: Found{"abc", "Bearer", InHeader}},
		"lower case":              {request: with("/", "Authorization: bearer abc"), want: Found{"abc", "Bearer", InHeader}},
		"upper case, more blanks": {request: with("/", "Authorization: BEARER \t abc "), want: Found{"abc", "Bearer", InHeader}},
		"dpop":                    {request: with("/", "Authorization: dpop abc"), want: Found{"abc", "DPoP", InHeader}},
		"another scheme":          {request: with("/", "Authorization: Token abc"), cause: auth.ErrNoCredentials},
		"basic":                   {request: with("/", "Authorization: Basic abc"), cause: auth.ErrNoCredentials},
		"longer word":             {request: with("/", "Authorization: Bearerx abc"), cause: auth.ErrNoCredentials},
		"no token":                {request: with("/", "Authorization: Bearer"), cause: auth.ErrEmptyCredentials},
		"two words":               {request: with("/", "Authorization: Bearer a b"), cause: auth.ErrSpaces},
		"two lines":               {request: with("/", "Authorization: Bearer a", "Authorization: Bearer a"), cause: auth.ErrAmbiguous},
		"not in the query":        {request: with("/?access_token=abc"), cause: auth.ErrNoCredentials},
		"not in a cookie":         {request: with("/", "Cookie: access=abc"), cause: auth.ErrNoCredentials},
		"one scheme":              {sources: Sources{Schemes: []string{"JWT"}}, request: with("/", "Authorization: jwt abc"), want: Found{"abc", "JWT", InHeader}},
		"one scheme, not another": {sources: Sources{Schemes: []string{"JWT"}}, request: with("/", "Authorization: Bearer abc"), cause: auth.ErrNoCredentials},

		"cookie":                {sources: everywhere, request: with("/", "Cookie: a=b; access=abc"), want: Found{"abc", "", InCookie}},
		"empty cookie":          {sources: everywhere, request: with("/", "Cookie: access="), cause: auth.ErrNoCredentials},
		"two cookies":           {sources: everywhere, request: with("/", "Cookie: access=a; access=b"), cause: errCookies},
		"query":                 {sources: everywhere, request: with("/?a=b&access_token=abc"), want: Found{"abc", "", InQuery}},
		"empty query":           {sources: everywhere, request: with("/?access_token="), cause: auth.ErrNoCredentials},
		"query, twice":          {sources: everywhere, request: with("/?access_token=a&access_token=a"), cause: errQueries},
		"query, broken":         {sources: everywhere, request: with("/?access_token=%zz"), cause: auth.ErrNoCredentials},
		"header and cookie":     {sources: everywhere, request: with("/", "Authorization: Bearer a", "Cookie: access=a"), cause: ErrSeveral},
		"header and query":      {sources: everywhere, request: with("/?access_token=a", "Authorization: Bearer a"), cause: ErrSeveral},
		"cookie and query":      {sources: everywhere, request: with("/?access_token=a", "Cookie: access=a"), cause: ErrSeveral},
		"bad header and cookie": {sources: everywhere, request: with("/", "Authorization: Bearer", "Cookie: access=a"), cause: auth.ErrEmptyCredentials},
		"basic and cookie":      {sources: everywhere, request: with("/", "Authorization: Basic a", "Cookie: access=abc"), want: Found{"abc", "", InCookie}},

		"own header, alone":       {sources: own, request: with("/", "X-Access-Token: abc"), want: Found{"abc", "", InHeader}},
		"own header, scheme":      {sources: own, request: with("/", "X-Access-Token: jwt  abc"), want: Found{"abc", "JWT", InHeader}},
		"own header, none":        {sources: own, request: with("/", "Authorization: Bearer abc"), cause: auth.ErrNoCredentials},
		"own header, blank":       {sources: own, request: with("/", "X-Access-Token:  \t"), cause: auth.ErrNoCredentials},
		"own header, scheme only": {sources: own, request: with("/", "X-Access-Token: bearer "), cause: auth.ErrEmptyCredentials},
		"own header, two words":   {sources: own, request: with("/", "X-Access-Token: bearer a b"), cause: auth.ErrSpaces},
		"own header, other word":  {sources: own, request: with("/", "X-Access-Token: Basic abc"), cause: auth.ErrNoCredentials},
		"own header, twice":       {sources: own, request: with("/", "X-Access-Token: abc", "X-Access-Token: abc"), cause: ErrSeveral},
		"own header, kelvin sign": {sources: Sources{Header: "X-T", Schemes: []string{"Tok"}}, request: with("/", "X-T: To\u212a abc"), cause: auth.ErrNoCredentials},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := resolved(t, tt.sources)
			got, err := s.Token(tt.request)
			if got != tt.want || !errors.Is(err, tt.cause) {
				t.Fatalf("Token = %+v, %v, want %+v, %v", got, err, tt.want, tt.cause)
			}
			key, ok := s.CacheKey(tt.request)
			if ok != (err == nil) || string(key) != tt.want.Token {
				t.Errorf("CacheKey = %q, %v", key, ok)
			}
			failure, refused := errors.AsType[*auth.Failure](err)
			if refused && !errors.Is(err, auth.ErrAmbiguous) && (failure.Code != CodeInvalidRequest || failure.Detail == "") {
				t.Errorf("refused as %+v", failure)
			}
		})
	}
}

func TestSources_Resolve(t *testing.T) {
	t.Setenv("HEADER_OF_TOKENS", "x-token")
	s := Sources{Header: "{env.HEADER_OF_TOKENS}"}
	if err := s.Resolve(); err != nil || s.Header != "X-Token" || len(s.Schemes) != 2 {
		t.Errorf("%+v, %v", s, err)
	}
	for want, s := range map[string]Sources{
		"header 'A B' is not the name of a header that could carry a token":    {Header: "A B"},
		"header 'Cookie' is not the name of a header that could carry a token": {Header: "cookie"},
		"cookie 'a=b' is not the name of a cookie":                             {Cookie: "a=b"},
		"scheme 'a b' is not one word of":                                      {Schemes: []string{"a b"}},
		"query: unrecognized placeholder":                                      {Query: "{nothing.of.the.kind}"},
	} {
		if err := s.Resolve(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", s, err, want)
		}
	}
}

func TestIsToken(t *testing.T) {
	for s, want := range map[string]bool{
		"mF_9.B5f-4.1JqM": true, "a": true, "a==": true, "~+/": true, "AZaz09-._~+/=": true,
		"": false, "=": false, "==": false, "a=b": false, "a b": false, "a\x00": false, "é": false, "a,b": false, `"a"`: false, "a%3D": false,
	} {
		if got := IsToken(s); got != want {
			t.Errorf("IsToken(%q) = %v", s, got)
		}
	}
}

// FuzzBearer sends every header, cookie and query. What is found is what was
// sent, and what is refused is told in a challenge that is one.
func FuzzBearer(f *testing.F) {
	for _, seed := range [][3]string{
		{"Bearer abc", "access=abc", "access_token=abc"},
		{"bearer", "access", "access_token"},
		{"DPoP a b", `access="a"`, "access_token=%00&access_token=b"},
		{"Bearer \xff\xfe", "access=\xff", "access_token=%ff"},
		{"JWT\u00a0x", ";;access=;access=b", "%61ccess_token=x"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	all := []*Sources{{}, {Cookie: "access", Query: "access_token"}, {Header: "X-Token", Schemes: []string{"JWT"}}}
	for _, s := range all {
		if err := s.Resolve(); err != nil {
			f.Fatal(err)
		}
	}
	c := &Challenger{ResourceMetadata: "https://api.example.com/.well-known/oauth-protected-resource"}
	f.Fuzz(func(t *testing.T, header, cookie, query string) {
		r := with("/?"+query, "Authorization: "+header, "X-Token: "+header, "Cookie: "+cookie)
		for _, s := range all {
			found, err := s.Token(r)
			if err == nil && (found.Token == "" || found.Where != InQuery && !strings.Contains(header+cookie, found.Token)) {
				t.Errorf("found %+v in %q, %q, %q", found, header, cookie, query)
			}
			if err != nil && found != (Found{}) {
				t.Errorf("found %+v although %v", found, err)
			}
			failure, refused := errors.AsType[*auth.Failure](err)
			if err != nil && !refused && err != auth.ErrNoCredentials {
				t.Errorf("neither refused nor none: %v", err)
			}
			if refused && strings.ContainsFunc(c.Challenge(failure), func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("the challenge %q", c.Challenge(failure))
			}
		}
	})
}

func BenchmarkSources_Token(b *testing.B) {
	s := resolved(b, Sources{})
	for name, r := range map[string]*http.Request{
		"ours":    with("/", "Authorization: Bearer "+strings.Repeat("x", 700)),
		"another": with("/", "Authorization: Token 9944b09199c62bcf9418ad846dd0e4bb"),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = s.Token(r)
			}
		})
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authtest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// canary stands for a secret in the corpus: wherever it turns up, secrets do.
const canary = "c4n4ry9d1f72e0"

// checkGarbage sends what nobody was ever given as credentials.
func checkGarbage(a auth.Authenticator, cases []Case) (faults []error) {
	for _, r := range garbage(a, cases) {
		sent := fmt.Sprintf("%.80q", r.Header)
		got, wrong := ask(a, r)
		if cacheable, ok := a.(auth.Cacheable); ok {
			wrong = append(wrong, observe(r, "CacheKey", func(r *http.Request) { cacheable.CacheKey(r) })...)
		}
		if got.id != nil {
			wrong = append(wrong, fmt.Errorf("garbage authenticates: %s", got))
		}
		if got.err != nil && !isRefusal(got.err) {
			wrong = append(wrong, fmt.Errorf("garbage would be answered 5xx: %s", got))
		}
		if got.err != nil && strings.Contains(got.err.Error(), canary) {
			wrong = append(wrong, errors.New("the error repeats a secret"))
		}
		for _, fault := range wrong {
			faults = append(faults, fmt.Errorf("%s: %w", sent, fault))
		}
	}
	return faults
}

// isRefusal reports whether the error is an answer, rather than the lack of one.
func isRefusal(err error) bool {
	_, failure := errors.AsType[*auth.Failure](err)
	_, denial := errors.AsType[*auth.Denial](err)
	_, throttled := errors.AsType[*auth.Throttled](err)
	return failure || denial || throttled || errors.Is(err, auth.ErrNoCredentials)
}

// garbage returns requests that carry garbage in Authorization, under every
// scheme that is known of the authenticator, or in another header of the cases.
func garbage(a auth.Authenticator, cases []Case) (requests []*http.Request) {
	schemes := []string{"Basic", "Bearer", "Token"}
	carriers := map[string][]string{}
	if challenger, ok := a.(auth.Challenger); ok {
		schemes = append(schemes, schemeOf(challenger.Challenge(bare(http.MethodGet), nil)))
	}
	for _, c := range cases {
		for name, lines := range c.Request.Header {
			for _, line := range lines {
				switch name {
				case "Authorization":
					schemes = append(schemes, schemeOf(line))
				case "Cookie":
					cookie, _, _ := strings.Cut(line, "=")
					carriers[name] = append(carriers[name], cookie+"=")
				default:
					carriers[name] = append(carriers[name], "")
				}
			}
		}
	}
	for _, scheme := range schemes {
		if scheme != "" {
			carriers["Authorization"] = append(carriers["Authorization"], scheme+" ")
		}
	}
	carriers["Authorization"] = append(carriers["Authorization"], "")
	for name, prefixes := range carriers {
		slices.Sort(prefixes)
		for _, prefix := range slices.Compact(prefixes) {
			for _, value := range hostile {
				line := prefix + value
				if !isExpected(cases, name, line) {
					r := bare(http.MethodGet)
					r.Header[name] = []string{line}
					requests = append(requests, r)
				}
			}
		}
	}
	return requests
}

// schemeOf returns the token that the line begins with. Whatever parts it from
// what follows, nothing of the credentials may get into it.
func schemeOf(line string) string {
	line = strings.TrimSpace(line)
	end := 0
	for end < len(line) && isTokenByte(line[end]) {
		end++
	}
	return line[:end]
}

// isExpected reports whether a case has the same line, and knows better.
func isExpected(cases []Case, name, line string) bool {
	return slices.ContainsFunc(cases, func(c Case) bool { return slices.Contains(c.Request.Header[name], line) })
}

// hostile are values that parsers have stumbled over. Go's server admits every
// byte in them but the line ends and NUL, and other servers admit those.
var hostile = []string{
	"", " ", "\t", "\v\f", ",", "=", "==", "=a=", ":", `"`, `""`, `\`, ";", "&", "%00", "%", "\r\n",
	"a b", "a b c", "a,b", "a, b", "a=b, c=d", `a="`, `a="\`, `a="b", a="b"`, "a=,,,", "=,=",
	"\x00", "a\x00b", "\x7f", "\xff\xfe", "\xc3", "\xc3\x28", "\xed\xa0\x80", "\xf4\x90\x80\x80",
	"\u00a0a", "\u0085a", "\u2003a", "\u212a", "\ufeffa", "{env.HOME}", "{http.request.host}", "null", "undefined",
	base64.StdEncoding.EncodeToString([]byte(":")),
	base64.StdEncoding.EncodeToString([]byte("\x00:\x00")),
	base64.StdEncoding.EncodeToString([]byte("nobody:" + canary)),
	base64.StdEncoding.EncodeToString([]byte("\xff\xfe:\xff")),
	base64.StdEncoding.EncodeToString([]byte(strings.Repeat("a", 5000) + ":" + strings.Repeat("b", 5000))),
	"eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.", "..", "a.b.c", ".....", "e30.e30.e30",
	canary, canary + ":" + canary, "%s%n" + canary, `{"token":"` + canary + `"}`,
	strings.Repeat("A", 8<<10),
	strings.Repeat("\xff", 8<<10),
	strings.Repeat(",", 8<<10),
	strings.Repeat("=", 8<<10),
	strings.Repeat(`"\`, 4<<10),
	strings.Repeat("a=b,", 2<<10),
	strings.Repeat("[", 8<<10),
}

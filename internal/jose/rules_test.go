// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestRules(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	api := Rules{Audiences: []string{"api", "https://api.example.com"}, Leeway: 30 * time.Second}
	with := func(change func(r *Rules)) Rules {
		r := api
		change(&r)
		return r
	}
	optional := func(claims ...string) Rules { return with(func(r *Rules) { r.Optional = claims }) }
	typed := func(types ...string) Rules { return with(func(r *Rules) { r.Types = types }) }
	hour := with(func(r *Rules) { r.MaxLifetime = time.Hour })
	hourAlone := with(func(r *Rules) { r.MaxLifetime, r.Optional = time.Hour, []string{"exp"} })
	const (
		plain = `{"alg":"RS256"}`
		good  = `"iss":"i","aud":"api","exp":1700000100`
	)
	tests := map[string]struct {
		rules           Rules
		header, payload string
		want            error
	}{
		"good":             {api, plain, `{` + good + `}`, nil},
		"good, all claims": {api, plain, `{` + good + `,"nbf":1700000000,"iat":1700000000,"sub":"a"}`, nil},

		"exp missing":             {api, plain, `{"iss":"i","aud":"api"}`, ErrMissing},
		"exp missing, optional":   {optional("exp"), plain, `{"iss":"i","aud":"api"}`, nil},
		"exp optional, and over":  {optional("exp"), plain, `{"iss":"i","aud":"api","exp":1}`, ErrExpired},
		"exp optional, and null":  {optional("exp"), plain, `{"iss":"i","aud":"api","exp":null}`, ErrClaim},
		"exp a text":              {api, plain, `{"iss":"i","aud":"api","exp":"1700000100"}`, ErrClaim},
		"exp negative":            {api, plain, `{"iss":"i","aud":"api","exp":-1}`, ErrClaim},
		"exp far away":            {api, plain, `{"iss":"i","aud":"api","exp":1e300}`, ErrClaim},
		"exp now":                 {Rules{Audiences: []string{"api"}}, plain, `{"iss":"i","aud":"api","exp":1700000000}`, ErrExpired},
		"exp in a second":         {Rules{Audiences: []string{"api"}}, plain, `{"iss":"i","aud":"api","exp":1700000001}`, nil},
		"exp within the leeway":   {api, plain, `{"iss":"i","aud":"api","exp":1699999971}`, nil},
		"exp at the leeway's end": {api, plain, `{"iss":"i","aud":"api","exp":1699999970}`, ErrExpired},

		"nbf within the leeway": {api, plain, `{` + good + `,"nbf":1700000030}`, nil},
		"nbf beyond it":         {api, plain, `{` + good + `,"nbf":1700000031}`, ErrNotYet},
		"nbf by a fraction":     {api, plain, `{` + good + `,"nbf":1700000030.5}`, ErrNotYet},
		"nbf a text":            {api, plain, `{` + good + `,"nbf":"1"}`, ErrClaim},
		"iat within the leeway": {api, plain, `{` + good + `,"iat":1700000030}`, nil},
		"iat in the future":     {api, plain, `{` + good + `,"iat":1700000031}`, ErrNotYet},
		"iat null":              {api, plain, `{` + good + `,"iat":null}`, ErrClaim},

		"aud missing":             {api, plain, `{"iss":"i","exp":1700000100}`, ErrMissing},
		"aud missing, optional":   {optional("aud"), plain, `{"iss":"i","exp":1700000100}`, nil},
		"aud optional, another":   {optional("aud"), plain, `{"iss":"i","exp":1700000100,"aud":"other"}`, ErrAudience},
		"aud optional, no list":   {Rules{Optional: []string{"aud"}}, plain, `{"iss":"i","exp":1700000100,"aud":"api"}`, ErrAudience},
		"aud another":             {api, plain, `{"iss":"i","exp":1700000100,"aud":"other"}`, ErrAudience},
		"aud in another case":     {api, plain, `{"iss":"i","exp":1700000100,"aud":"API"}`, ErrAudience},
		"aud a part":              {api, plain, `{"iss":"i","exp":1700000100,"aud":"https://api.example.com/"}`, ErrAudience},
		"aud in a list":           {api, plain, `{"iss":"i","exp":1700000100,"aud":["x","api"]}`, nil},
		"aud in none":             {api, plain, `{"iss":"i","exp":1700000100,"aud":[]}`, ErrAudience},
		"aud empty":               {api, plain, `{"iss":"i","exp":1700000100,"aud":""}`, ErrAudience},
		"aud a list with numbers": {api, plain, `{"iss":"i","exp":1700000100,"aud":["api",1]}`, ErrClaim},
		"aud null":                {api, plain, `{"iss":"i","exp":1700000100,"aud":null}`, ErrClaim},
		"aud, no audiences":       {Rules{}, plain, `{"iss":"i","exp":1700000100,"aud":"api"}`, ErrAudience},
		"iss missing":             {api, plain, `{"aud":"api","exp":1700000100}`, ErrMissing},
		"iss missing, optional":   {optional("iss"), plain, `{"aud":"api","exp":1700000100}`, nil},

		"lifetime as long as it may":  {hour, plain, `{"iss":"i","aud":"api","iat":1700000000,"exp":1700003600}`, nil},
		"lifetime a second too long":  {hour, plain, `{"iss":"i","aud":"api","iat":1700000000,"exp":1700003601}`, ErrLifetime},
		"lifetime without iat":        {hour, plain, `{"iss":"i","aud":"api","exp":1700000100}`, ErrMissing},
		"lifetime alone":              {hourAlone, plain, `{"iss":"i","aud":"api","iat":1699999999}`, nil},
		"lifetime alone, leeway":      {hourAlone, plain, `{"iss":"i","aud":"api","iat":1699996371}`, nil},
		"lifetime alone, over":        {hourAlone, plain, `{"iss":"i","aud":"api","iat":1699996370}`, ErrExpired},
		"lifetime alone, without iat": {hourAlone, plain, `{"iss":"i","aud":"api"}`, ErrMissing},

		"typ JWT":                 {api, `{"alg":"RS256","typ":"JWT"}`, `{` + good + `}`, nil},
		"typ at+jwt":              {api, `{"alg":"RS256","typ":"at+jwt"}`, `{` + good + `}`, nil},
		"typ at+jwt, long":        {api, `{"alg":"RS256","typ":"application/at+JWT"}`, `{` + good + `}`, nil},
		"typ of the house":        {api, `{"alg":"RS256","typ":"application/okta-internal-at+jwt"}`, `{` + good + `}`, nil},
		"typ logout+jwt":          {api, `{"alg":"RS256","typ":"Logout+JWT"}`, `{` + good + `}`, ErrType},
		"typ dpop+jwt":            {api, `{"alg":"RS256","typ":"dpop+jwt"}`, `{` + good + `}`, ErrType},
		"typ asked for":           {typed("at+jwt"), `{"alg":"RS256","typ":"AT+JWT"}`, `{` + good + `}`, nil},
		"typ asked for, long":     {typed("application/at+jwt"), `{"alg":"RS256","typ":"at+jwt"}`, `{` + good + `}`, nil},
		"typ asked for, another":  {typed("at+jwt"), `{"alg":"RS256","typ":"JWT"}`, `{` + good + `}`, ErrType},
		"typ asked for, missing":  {typed("at+jwt"), plain, `{` + good + `}`, ErrType},
		"typ asked for, or none":  {typed("at+jwt", ""), plain, `{` + good + `}`, nil},
		"typ asked for by others": {typed("logout+jwt"), `{"alg":"RS256","typ":"logout+jwt"}`, `{` + good + `}`, nil},
	}
	for name, test := range tests {
		token := withClaims(t, test.header, test.payload)
		err := test.rules.Check(token, now)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "17000") {
			t.Errorf("%s: %v has values of the token", name, err)
		}
		// What expires is accepted until then, and not a moment longer.
		if expires := test.rules.Expires(token); err == nil && !expires.IsZero() {
			if err := test.rules.Check(token, expires.Add(-time.Nanosecond)); err != nil {
				t.Errorf("%s: before %v: %v", name, expires, err)
			}
			if err := test.rules.Check(token, expires); !errors.Is(err, ErrExpired) {
				t.Errorf("%s: at %v: %v", name, expires, err)
			}
		} else if err == nil && token.Has("exp") {
			t.Errorf("%s: it never expires", name)
		}
	}
}

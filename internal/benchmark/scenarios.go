// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import "net/http"

// Sizes of the stores, in tokens. They belong to as many users, to maxUsers at
// most.
const (
	fewTokens  = 1_000
	manyTokens = 100_000
	allTokens  = 1_000_000
	maxUsers   = 100_000
)

// A scenario is a server and what is asked of it.
type scenario struct {
	name    string
	target  float64                    // the highest ratio that is good; 0 if none is named
	site    func(*surroundings) string // nil: nothing is guarded
	stored  int                        // tokens in its store
	options string                     // more of the global option rest_auth
	ask     credentials
	sign    func(*issuer) (credentials, error) // makes ask, if not nil
	status  int
	warm    int  // requests before the first window, so that all is remembered
	proxied bool // compared with plain reverse_proxy, not with plain respond
	helped  bool // by an authorization server, whose CPU time counts too
}

const (
	benchPassword = "correct horse battery staple"
	benchSession  = "0123456789abcdefghijklmnopqrstuv"
	benchKnox     = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	unknownToken  = "Token ffffffffffffffffffffffffffffffffffffffff"

	byToken = "authenticate token"
	byBasic = "authenticate basic"
	anyUser = "require authenticated"
)

// Names of the scenarios that others are compared with.
const (
	hitOfOne = "token hit"
	hitOfAll = "token hit, 100,000 active of 1,000,000 stored"
	proxyHit = "token hit before `reverse_proxy`, two `header_up`"
)

func scenarios() []scenario {
	firstUser := credentials{authorization: basic(userName(0), benchPassword)}
	oneToken := credentials{tokens: 1}
	tokenSite := guarded(byToken, anyUser)
	return []scenario{
		{name: "Caddy's `basic_auth`", site: caddyBasicAuth(1), ask: firstUser},
		{name: "Caddy's `basic_auth`, 100,000 accounts", site: caddyBasicAuth(maxUsers), ask: firstUser},
		{name: "Caddy's `forward_auth`", site: caddyForwardAuth, helped: true},

		{name: hitOfOne, target: 1.20, site: tokenSite, stored: fewTokens, ask: oneToken},
		{name: "Basic hit", target: 1.20, site: guarded(byBasic, anyUser), stored: fewTokens, ask: firstUser},
		{
			name: "Basic hit, 100,000 users", target: 1.20,
			site: guarded(byBasic, anyUser), stored: manyTokens, ask: firstUser,
		},
		{
			name: "session hit", target: 1.20,
			site: guarded("authenticate session", anyUser), stored: fewTokens, ask: credentials{cookie: "sessionid=" + benchSession},
		},
		{
			name: "knox hit", target: 1.20,
			site: guarded("authenticate token {\nkinds knox\n}", anyUser), stored: fewTokens, ask: credentials{authorization: "Token " + benchKnox},
		},
		{
			name: "token hit, throttled at 1,000,000/minute",
			site: guarded(byToken, anyUser, "throttle user 1000000/minute"), stored: fewTokens, ask: oneToken,
		},
		{
			// Each token comes round long after it was forgotten.
			name: "token miss, 1,000,000 stored",
			site: tokenSite, stored: allTokens, options: "cache 1", ask: credentials{tokens: allTokens},
		},
		{
			name: "no credentials, 401", target: 1.00,
			site: tokenSite, stored: fewTokens, status: http.StatusUnauthorized,
		},
		{
			name: "bad token, 401",
			site: tokenSite, stored: fewTokens, ask: credentials{authorization: unknownToken}, status: http.StatusUnauthorized,
		},
		{
			name: "token hit, 403",
			site: guarded(byToken, "require staff"), stored: fewTokens, ask: oneToken, status: http.StatusForbidden,
		},
		{
			name: proxyHit, proxied: true,
			site: guardedProxy(byToken, anyUser,
				"header_up Remote-User {http.auth.user.id}", "header_up Remote-Groups {http.auth.user.groups}"),
			stored: fewTokens, ask: oneToken,
		},

		{
			name: "token hit, 1,000 active of 1,000 stored",
			site: tokenSite, stored: fewTokens, ask: credentials{tokens: fewTokens}, warm: fewTokens,
		},
		{
			name: "token hit, 100,000 active of 100,000 stored",
			site: tokenSite, stored: manyTokens, ask: credentials{tokens: manyTokens}, warm: manyTokens,
		},
		{name: "token hit, 1 active of 1,000,000 stored", site: tokenSite, stored: allTokens, ask: oneToken},
		{
			name: hitOfAll,
			site: tokenSite, stored: allTokens, ask: credentials{tokens: manyTokens}, warm: manyTokens,
		},
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
)

// A settingsVariant is a project with other settings than simplejwt's own.
type settingsVariant struct {
	lines  string // of the Caddyfile
	django string // SIMPLE_JWT, but for the key
	rows   func() map[string]viewRow
}

var settingsVariants = map[string]settingsVariant{
	"header, classes, parties and leeway": {
		lines: `auth_header_types JWT Bearer
			auth_header_name HTTP_X_ACCESS_TOKEN
			auth_token_classes access sliding
			audience api
			issuer https://issuer.example
			leeway 30s
			user_id_claim uid`,
		django: `"AUTH_HEADER_TYPES":["JWT","Bearer"],"AUTH_HEADER_NAME":"HTTP_X_ACCESS_TOKEN",
			"AUTH_TOKEN_CLASSES":["rest_framework_simplejwt.tokens.AccessToken","rest_framework_simplejwt.tokens.SlidingToken"],
			"AUDIENCE":"api","ISSUER":"https://issuer.example","LEEWAY":30,"USER_ID_CLAIM":"uid"`,
		rows: manySettingsRows,
	},
	"claims that are not checked": {
		lines:  "token_type_claim none\njti_claim none",
		django: `"TOKEN_TYPE_CLAIM":null,"JTI_CLAIM":null`,
		rows: func() map[string]viewRow {
			row := func(status int, body string, members ...string) viewRow {
				return viewRow{lines: []string{withBearer(projectAccess(members...))}, status: status, body: body}
			}
			return map[string]viewRow{
				"access":        row(200, "alice"),
				"refresh":       row(200, "alice", "token_type", `"refresh"`),
				"no jti":        row(200, "alice", "jti", "-"),
				"no type":       row(200, "alice", "token_type", "-"),
				"none of them":  row(200, "alice", "token_type", "-", "jti", "-"),
				"still expires": row(401, jwtNotValid("Token is expired"), "exp", fmt.Sprint(jwtPast())),
				"still no exp":  row(401, jwtNotValid("Token has no 'exp' claim"), "exp", "-"),
			}
		},
	},
}

// bothNotValid is the refusal of a token by two classes.
func bothNotValid(accessMessage, slidingMessage string) string {
	return `{"detail":"Given token not valid for any token type","code":"token_not_valid","messages":[` +
		`{"token_class":"AccessToken","token_type":"access","message":"` + accessMessage + `"},` +
		`{"token_class":"SlidingToken","token_type":"sliding","message":"` + slidingMessage + `"}]}`
}

func manySettingsRows() map[string]viewRow {
	token := func(members ...string) string {
		return projectAccess(append([]string{"user_id", "-", "uid", "1", "aud", `"api"`, "iss", `"https://issuer.example"`}, members...)...)
	}
	row := func(status int, body string, lines ...string) viewRow {
		return viewRow{lines: lines, status: status, body: body, challenge: `JWT realm="api"`}
	}
	says := func(accessMessage, slidingMessage string, members ...string) viewRow {
		return row(401, bothNotValid(accessMessage, slidingMessage), "X-Access-Token: JWT "+token(members...))
	}
	invalid := func(members ...string) viewRow { return says("Token is invalid", "Token is invalid", members...) }
	ago := func(d time.Duration) string { return fmt.Sprint(time.Now().Add(-d).Unix()) }
	caseBlind := row(200, "alice", "X-Access-Token: jwt "+token())
	caseBlind.failed, caseBlind.django = 401, notAuthenticated
	return map[string]viewRow{
		"first word":           row(200, "alice", "X-Access-Token: JWT "+token()),
		"second word":          row(200, "alice", "X-Access-Token: Bearer "+token()),
		"blanks":               row(200, "alice", "X-Access-Token:  JWT \t "+token()+" "),
		"lower case":           caseBlind,
		"other word":           row(401, notAuthenticated, "X-Access-Token: Token "+token()),
		"no word":              row(401, notAuthenticated, "X-Access-Token: "+token()),
		"nothing":              row(401, notAuthenticated, "X-Access-Token: "),
		"Authorization":        row(401, notAuthenticated, withBearer(token())),
		"word alone":           row(401, twoValues, "X-Access-Token: Bearer"),
		"two tokens":           row(401, twoValues, "X-Access-Token: JWT a b"),
		"garbage":              row(401, bothNotValid("Token is invalid", "Token is invalid"), "X-Access-Token: JWT garbage"),
		"audience in a list":   row(200, "alice", "X-Access-Token: JWT "+token("aud", `["other","api"]`)),
		"no audience":          invalid("aud", "-"),
		"other audience":       invalid("aud", `"other"`),
		"audience is a number": invalid("aud", "1"),
		"no issuer":            invalid("iss", "-"),
		"other issuer":         invalid("iss", `"https://issuer.example/"`),
		"within the leeway":    row(200, "alice", "X-Access-Token: JWT "+token("exp", ago(10*time.Second))),
		"beyond the leeway":    says("Token is expired", "Token is expired", "exp", ago(40*time.Second)),
		"sliding":              row(200, "alice", "X-Access-Token: JWT "+token("token_type", `"sliding"`)),
		"refresh":              says("Token has wrong type", "Token has wrong type", "token_type", `"refresh"`),
		"blacklisted sliding":  says("Token has wrong type", "Token is blacklisted", "token_type", `"sliding"`, "jti", `"blacklisted"`),
		"blacklisted refresh":  says("Token has wrong type", "Token is blacklisted", "token_type", `"refresh"`, "jti", `"blacklisted"`),
		"other user claim":     row(401, noUserClaim, "X-Access-Token: JWT "+token("uid", "-", "user_id", "1")),
	}
}

func TestSimpleJWT_settings(t *testing.T) {
	for name, variant := range settingsVariants {
		t.Run(name, func(t *testing.T) {
			s := serve(t, `{{site}} {
	rest_auth {
		authenticate simplejwt {
			signing_key `+projectJWTKey+`
			`+variant.lines+`
		}
	}
	respond {http.auth.user.id}
}`)
			s.djangoUsers()
			if err := s.store().Revoke(t.Context(), revocation.JWT("https://issuer.example", "blacklisted"), time.Time{}); err != nil {
				t.Fatal(err)
			}
			s.viewRows(variant.rows())
		})
	}
}

func TestSimpleJWT_djangoSettings(t *testing.T) {
	for name, variant := range settingsVariants {
		t.Run(name, func(t *testing.T) {
			settings := strings.Join(strings.Fields(variant.django), "")
			djangoViewRows(t, `{"SIGNING_KEY":"`+projectJWTKey+`",`+settings+`}`, variant.rows())
		})
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// projectJWTKey is the SECRET_KEY of the project whose tokens are accepted.
const projectJWTKey = "pZ8vQm3xT6rW1yKd9LfBn4HsJc7GuEa2XoVtRi5NkMb0qPwYd"

// signHMAC is a token with these bytes for a header and a payload.
func signHMAC(mac func() hash.Hash, key, header, payload string) string {
	b64 := base64.RawURLEncoding.EncodeToString
	text := b64([]byte(header)) + "." + b64([]byte(payload))
	m := hmac.New(mac, []byte(key))
	m.Write([]byte(text))
	return text + "." + b64(m.Sum(nil))
}

const headerHS256 = `{"alg":"HS256","typ":"JWT"}`

// jwtOf is a token of the project.
func jwtOf(payload string) string { return signHMAC(sha256.New, projectJWTKey, headerHS256, payload) }

// jwtFuture and jwtPast are times of tokens.
func jwtFuture() int64 { return time.Now().Add(time.Hour).Unix() }
func jwtPast() int64   { return time.Now().Add(-time.Hour).Unix() }

// payloadOf is a payload of an access token. Members replace those that are there;
// one of the value "-" goes.
func payloadOf(members ...string) string {
	order := []string{"token_type", "exp", "iat", "jti", "user_id"}
	values := map[string]string{
		"token_type": `"access"`, "exp": fmt.Sprint(jwtFuture()), "iat": fmt.Sprint(jwtPast()), "jti": `"0123456789abcdef"`, "user_id": `"1"`,
	}
	for i := 0; i < len(members); i += 2 {
		if _, known := values[members[i]]; !known {
			order = append(order, members[i])
		}
		values[members[i]] = members[i+1]
	}
	var parts []string
	for _, name := range order {
		if values[name] != "-" {
			parts = append(parts, fmt.Sprintf("%q:%s", name, values[name]))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func projectAccess(members ...string) string { return jwtOf(payloadOf(members...)) }

func withBearer(token string) string { return "Authorization: Bearer " + token }

// jwtNotValid is the refusal of an access token.
func jwtNotValid(message string) string {
	return `{"detail":"Given token not valid for any token type","code":"token_not_valid","messages":[{"token_class":"AccessToken","token_type":"access","message":"` + message + `"}]}`
}

const (
	twoValues   = `{"detail":"Authorization header must contain two space-delimited values","code":"bad_authorization_header"}`
	noSuchUser  = `{"detail":"User not found","code":"user_not_found"}`
	jwtInactive = `{"detail":"User is inactive","code":"user_inactive"}`
	noUserClaim = `{"detail":"Token contained no recognizable user identification","code":"token_not_valid"}`
	bearerAPI   = `Bearer realm="api"`
)

// A viewRow is a request for a protected view. What Debian's version answers
// otherwise, as it said less, or nothing better than 500, is in django.
type viewRow struct {
	method    string // default: GET
	path      string // default: /protected
	lines     []string
	status    int
	challenge string // default: Bearer realm="api"
	body      string
	django    string
	failed    int // status of Django
}

func viewRows() map[string]viewRow {
	good := projectAccess()
	tampered := good[:len(good)-6] + "AAAAAA"
	invalid := jwtNotValid("Token is invalid")
	bad := func(token string) viewRow {
		return viewRow{lines: []string{withBearer(token)}, status: 401, body: invalid}
	}
	says := func(message string, members ...string) viewRow {
		return viewRow{lines: []string{withBearer(projectAccess(members...))}, status: 401, body: jwtNotValid(message)}
	}
	answers := func(status int, body string, members ...string) viewRow {
		return viewRow{lines: []string{withBearer(projectAccess(members...))}, status: status, body: body}
	}
	alone := func(status int, body string, line string) viewRow {
		return viewRow{lines: []string{line}, status: status, body: body}
	}
	caseBlind := alone(200, "alice", "Authorization: bearer "+good)
	caseBlind.failed, caseBlind.django = 401, notAuthenticated
	fails500 := func(row viewRow) viewRow { row.failed = 500; return row }
	overlooked := func(row viewRow) viewRow { row.failed, row.django = 200, "alice"; return row }
	return map[string]viewRow{
		// Good ones.
		"good":                        answers(200, "alice"),
		"user_id is a number":         answers(200, "alice", "user_id", "1"),
		"double space":                alone(200, "alice", "Authorization: Bearer  "+good),
		"space at the end":            alone(200, "alice", "Authorization: Bearer "+good+" "),
		"tab":                         alone(200, "alice", "Authorization: Bearer\t"+good),
		"unexpected aud":              answers(200, "alice", "aud", `"somebody"`),
		"unexpected iss":              answers(200, "alice", "iss", `"somebody"`),
		"float exp":                   answers(200, "alice", "exp", fmt.Sprint(jwtFuture())+".5"),
		"no iat":                      answers(200, "alice", "iat", "-"),
		"nbf in the past":             answers(200, "alice", "nbf", fmt.Sprint(jwtPast())),
		"more claims":                 answers(200, "alice", "roles", `["a",{"b":null}]`),
		"header without typ":          alone(200, "alice", withBearer(signHMAC(sha256.New, projectJWTKey, `{"alg":"HS256"}`, payloadOf()))),
		"unknown kid":                 alone(200, "alice", withBearer(signHMAC(sha256.New, projectJWTKey, `{"alg":"HS256","typ":"JWT","kid":"other"}`, payloadOf()))),
		"lower-case scheme":           caseBlind,
		"good at a public view":       {path: "/public", lines: []string{withBearer(good)}, status: 200, body: "alice"},
		"good beside tokens":          {path: "/both", lines: []string{withBearer(good)}, status: 200, body: "alice"},
		"stateless":                   {path: "/stateless", lines: []string{withBearer(projectAccess("user_id", "9999"))}, status: 200, body: "9999", django: "TokenUser 9999"},
		"stateless staff":             {path: "/stateless/staff", lines: []string{withBearer(projectAccess("user_id", "9999", "is_staff", "true"))}, status: 200, body: "9999", django: "TokenUser 9999"},
		"stateless, no staff":         {path: "/stateless/staff", lines: []string{withBearer(projectAccess("user_id", "9999"))}, status: 403, challenge: "-", body: deniedBody},
		"stateless has no permission": {method: "POST", path: "/stateless/model", lines: []string{withBearer(projectAccess("user_id", "1"))}, status: 403, challenge: "-", body: deniedBody},

		// None of ours.
		"absent":              {status: 401, body: notAuthenticated},
		"empty":               alone(401, notAuthenticated, "Authorization: "),
		"other scheme":        alone(401, notAuthenticated, "Authorization: Token "+good),
		"Basic":               alone(401, notAuthenticated, basic("alice", "pw")),
		"absent, public view": {path: "/public", status: 200, body: "", django: "AnonymousUser"},
		"absent, both":        {path: "/both", status: 401, challenge: "Token", body: notAuthenticated},

		// Headers.
		"scheme alone":     alone(401, twoValues, "Authorization: Bearer"),
		"two tokens":       alone(401, twoValues, "Authorization: Bearer a b"),
		"two good ones":    alone(401, twoValues, withBearer(good)+" "+good),
		"two, public view": {path: "/public", lines: []string{"Authorization: Bearer a b"}, status: 401, body: twoValues},

		// Tokens that are not valid.
		"garbage":               bad("garbage"),
		"a.b.c":                 bad("a.b.c"),
		"two segments":          bad(strings.Join(strings.Split(good, ".")[:2], ".")),
		"four segments":         bad(good + ".AAAA"),
		"no signature":          bad(good[:strings.LastIndexByte(good, '.')+1]),
		"bad signature":         bad(tampered),
		"another key":           bad(signHMAC(sha256.New, "another "+projectJWTKey, headerHS256, payloadOf())),
		"HS512":                 bad(signHMAC(sha512.New, projectJWTKey, `{"alg":"HS512","typ":"JWT"}`, payloadOf())),
		"alg none":              bad(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + strings.Split(good, ".")[1] + "."),
		"alg None":              bad(signHMAC(sha256.New, "", `{"alg":"None","typ":"JWT"}`, payloadOf())),
		"alg is a number":       bad(signHMAC(sha256.New, projectJWTKey, `{"alg":256,"typ":"JWT"}`, payloadOf())),
		"no alg":                bad(signHMAC(sha256.New, projectJWTKey, `{"typ":"JWT"}`, payloadOf())),
		"unknown crit":          overlooked(bad(signHMAC(sha256.New, projectJWTKey, `{"alg":"HS256","crit":["x"],"x":1}`, payloadOf()))),
		"payload is an array":   bad(jwtOf(`[]`)),
		"payload is no JSON":    bad(jwtOf(`{`)),
		"payload is empty":      bad(jwtOf(``)),
		"nbf in the future":     says("Token is invalid", "nbf", fmt.Sprint(jwtFuture())),
		"iat in the future":     says("Token is invalid", "iat", fmt.Sprint(jwtFuture())),
		"exp is a text":         says("Token is invalid", "exp", `"soon"`),
		"exp is an object":      fails500(says("Token is invalid", "exp", `{}`)),
		"iat is a text":         says("Token is invalid", "iat", `"then"`),
		"bytes that are no UTF": alone(401, invalid, "Authorization: Bearer \xff\xfe"),
		"expired":               says("Token is expired", "exp", fmt.Sprint(jwtPast())),
		"exp is zero":           says("Token is expired", "exp", "0"),
		"garbage, public view":  {path: "/public", lines: []string{withBearer("garbage")}, status: 401, body: invalid},
		"garbage, both":         {path: "/both", lines: []string{withBearer("garbage")}, status: 401, challenge: "Token", body: invalid},
		"expired, stateless":    {path: "/stateless", lines: []string{withBearer(projectAccess("exp", fmt.Sprint(jwtPast())))}, status: 401, body: jwtNotValid("Token is expired")},

		// Claims.
		"no exp":           says("Token has no 'exp' claim", "exp", "-"),
		"no jti":           says("Token has no id", "jti", "-"),
		"no token_type":    says("Token has no type", "token_type", "-"),
		"refresh token":    says("Token has wrong type", "token_type", `"refresh"`),
		"sliding token":    says("Token has wrong type", "token_type", `"sliding"`),
		"type is a number": says("Token has wrong type", "token_type", "1"),
		"type is null":     says("Token has wrong type", "token_type", "null"),
		"other case":       says("Token has no type", "token_type", "-", "Token_Type", `"access"`),
		"no user_id":       answers(401, noUserClaim, "user_id", "-"),
		"no user_id, stateless": {
			path: "/stateless", lines: []string{withBearer(projectAccess("user_id", "-"))}, status: 401, body: noUserClaim,
		},

		// Users.
		"unknown user":           answers(401, noSuchUser, "user_id", `"9999"`),
		"user_id is null":        answers(401, noSuchUser, "user_id", "null"),
		"not convertible":        fails500(answers(401, noSuchUser, "user_id", `"abc"`)),
		"user_id is a list":      fails500(answers(401, noSuchUser, "user_id", `[1]`)),
		"user_id is an object":   fails500(answers(401, noSuchUser, "user_id", `{"a":1}`)),
		"user_id is empty":       fails500(answers(401, noSuchUser, "user_id", `""`)),
		"user_id is huge":        fails500(answers(401, noSuchUser, "user_id", strings.Repeat("9", 40))),
		"inactive":               answers(401, jwtInactive, "user_id", "2"),
		"jwtInactive, public":    {path: "/public", lines: []string{withBearer(projectAccess("user_id", "2"))}, status: 401, body: jwtInactive},
		"jwtInactive, stateless": {path: "/stateless", lines: []string{withBearer(projectAccess("user_id", "2"))}, status: 200, body: "2", django: "TokenUser 2"},
	}
}

const simplejwtViews = `{
{{global}}
rest_auth {
	{{store}}
	simplejwt {
		signing_key ` + projectJWTKey + `
	}
}
}
{{site}} {
	handle /public {
		rest_auth {
			authenticate simplejwt
			require allow_any
		}
		respond {http.auth.user.id}
	}
	handle /both {
		rest_auth {
			authenticate token
			authenticate simplejwt
		}
		respond {http.auth.user.id}
	}
	handle /stateless* {
		rest_auth {
			authenticate simplejwt {
				stateless
			}
		}
		@staff path /stateless/staff
		rest_auth @staff {
			authenticate simplejwt {
				stateless
			}
			require staff
		}
		@model path /stateless/model
		rest_auth @model {
			authenticate simplejwt {
				stateless
			}
			require model auth.user
		}
		respond {http.auth.user.id}
	}
	handle {
		rest_auth {
			authenticate simplejwt
		}
		respond {http.auth.user.id}
	}
}
`

// djangoUsers puts the users of testdata/django/simplejwt_view.py into the store,
// as an import does.
func (s *server) djangoUsers() (alice tokenstore.User) {
	s.t.Helper()
	s.awaitStore()
	hash, err := password.New(password.Config{}).Hash(s.t.Context(), "pw")
	if err != nil {
		s.t.Fatal(err)
	}
	alice = s.putUser(tokenstore.User{Name: "alice", Origin: "django", OriginID: "1", PasswordHash: hash, Active: true})
	s.putUser(tokenstore.User{Name: "gone", Origin: "django", OriginID: "2", PasswordHash: hash})
	return alice
}

func (row viewRow) request() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: api.example.net\r\nConnection: close\r\n", cmp.Or(row.method, "GET"), cmp.Or(row.path, "/protected"))
	for _, line := range row.lines {
		b.WriteString(line + "\r\n")
	}
	return b.String() + "\r\n"
}

func (row viewRow) wantedChallenge() string {
	if row.status == 200 {
		return "-"
	}
	return cmp.Or(row.challenge, bearerAPI)
}

func TestSimpleJWT_rows(t *testing.T) {
	s := serve(t, simplejwtViews)
	s.djangoUsers()
	s.viewRows(viewRows())
}

// viewRows compares the answers to a table with it.
func (s *server) viewRows(rows map[string]viewRow) {
	for name, row := range rows {
		s.t.Run(name, func(t *testing.T) {
			for range 2 { // the second time from memory
				over(t, "tcp", strings.TrimPrefix(s.URL, "http://"), row.request()).expect(t, row.status, row.wantedChallenge(), row.body)
			}
		})
	}
}

// olderBody is what Debian's version says, which did not tell a token that has
// expired from one that is invalid.
func olderBody(body string) string {
	return strings.NewReplacer(`"Token is invalid"`, `"Token is invalid or expired"`, `"Token is expired"`, `"Token is invalid or expired"`).Replace(body)
}

// TestSimpleJWT_djangoRows asks Debian's own whether the table is right.
func TestSimpleJWT_djangoRows(t *testing.T) {
	djangoViewRows(t, `{"SIGNING_KEY":"`+projectJWTKey+`"}`, viewRows())
}

func djangoViewRows(t *testing.T, settings string, rows map[string]viewRow) {
	needPython(t, "rest_framework_simplejwt")
	socket, _ := djangoApp(t, "simplejwt_view", "SIMPLE_JWT="+settings)
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			got := over(t, "unix", socket, row.request())
			status, body := cmp.Or(row.failed, row.status), cmp.Or(row.django, row.body)
			if got.Status != status || status != 500 && got.Body != olderBody(body) {
				t.Errorf("Django answers %d %.300s, the table says %d %s", got.Status, got.Body, status, body)
			}
			if want := row.wantedChallenge(); status == 401 && want != "-" && got.Header.Get("WWW-Authenticate") != want {
				t.Errorf("Django's challenge is %q, the table says %q", got.Header.Get("WWW-Authenticate"), want)
			}
		})
	}
}

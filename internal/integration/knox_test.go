// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/knox"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// knoxSite is the API of knox with options, and a site that takes its tokens.
func knoxSite(keyword string, options ...string) string {
	return "{{site}} {\nrest_auth_endpoints {\nknox /api/auth/ {\n" + strings.Join(options, "\n") + "\n}\n}\n" +
		"rest_auth {\nauthenticate token " + keyword + "\n}\nrespond \"{http.auth.user.id}\"\n}"
}

// post sends a body of JSON, or of a form if it does not begin as JSON does.
func (s *server) post(path, body string, lines ...string) reply {
	s.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
		kind := "application/x-www-form-urlencoded"
		if strings.HasPrefix(body, "{") {
			kind = "application/json"
		}
		lines = append([]string{"Content-Type: " + kind}, lines...)
	}
	return s.send(http.MethodPost, s.URL+path, reader, lines...)
}

// issuedToken is what a login answers.
type issuedToken struct {
	Expiry *string
	Token  string
}

// issued decodes the answer of a login.
func (r reply) issued(t *testing.T) (got issuedToken) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.Body), &got); err != nil || r.Status != http.StatusOK || got.Token == "" {
		t.Fatalf("no token: %d %q", r.Status, r.Body)
	}
	return got
}

// matches compares an answer's body with a pattern.
func (r reply) matches(t *testing.T, status int, pattern string) {
	t.Helper()
	if r.Status != status || !regexp.MustCompile(`^`+pattern+`$`).MatchString(r.Body) {
		t.Errorf("%d %q, want %d %s", r.Status, r.Body, status, pattern)
	}
	if got := r.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q, want no-store", got)
	}
}

const (
	timePattern  = `"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z"`
	tokenPattern = `"[0-9a-f]{64}"`
)

// TestKnox is each row of knox with its default settings.
func TestKnox(t *testing.T) {
	s := serve(t, knoxSite("Token"))
	s.seed()

	login := s.post("/api/auth/login/", "", basic("alice", "pw"))
	login.matches(t, 200, `\{"expiry":`+timePattern+`,"token":`+tokenPattern+`\}`)
	if got := login.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
	issued := login.issued(t)
	ends, err := time.Parse(time.RFC3339, *issued.Expiry)
	if left := time.Until(ends); err != nil || left > 10*time.Hour || left < 10*time.Hour-time.Minute {
		t.Errorf("the token ends in %s, want 10h; %v", left, err)
	}
	if again := s.post("/api/auth/login", "", basic("alice", "pw")).issued(t); again.Token == issued.Token {
		t.Error("the second login got the same token")
	}

	// Sessions come first: they have no challenge.
	s.post("/api/auth/login/", "").expect(t, 403, "-", notAuthenticated)
	s.post("/api/auth/login/", "", basic("alice", "wrong")).expect(t, 403, "-", invalidLogin)
	s.post("/api/auth/login/", "", basic("gone", "pw")).expect(t, 403, "-", invalidLogin)
	s.post("/api/auth/login/", "", token(issued.Token)).expect(t, 403, "-", notAuthenticated)
	s.do("GET", "/api/auth/login/", basic("alice", "pw")).expect(t, 405, "-", `{"detail":"Method \"GET\" not allowed."}`)

	// The token where it is used.
	const (
		empty  = "Invalid token header. No credentials provided."
		spaces = "Invalid token header. Token string should not contain spaces."
		bytes  = "Invalid token header. Token string should not contain invalid characters."
	)
	good := issued.Token
	for line, want := range map[string]string{
		"Token " + good:                  "",
		"token " + good:                  "",
		"Token":                          detail(empty),
		"Token a b":                      detail(spaces),
		"Token unknown":                  invalidToken,
		"Token abc":                      invalidToken,
		"Token " + good[:15]:             invalidToken,
		"Token " + good[:15] + good[:49]: invalidToken,
		"Token " + strings.ToUpper(good): invalidToken,
		"Token " + good + "0":            invalidToken,
		"Token \xff\xfe":                 detail(bytes),
		"Bearer " + good:                 notAuthenticated,
	} {
		for _, path := range []string{"/", "/api/auth/logout/"} {
			if want == "" && path != "/" {
				continue
			}
			method := "GET"
			if path != "/" {
				method = "POST"
			}
			head, body, _ := strings.Cut(s.raw(method+" "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\nAuthorization: "+line+"\r\n\r\n"), "\r\n\r\n")
			switch {
			case want == "" && (!strings.HasPrefix(head, "HTTP/1.1 200") || body != "alice"):
				t.Errorf("%q on %s: %q %q, want alice", line, path, head, body)
			case want != "" && (!strings.HasPrefix(head, "HTTP/1.1 401") || body != want || !strings.Contains(head, "Www-Authenticate: Token\r\n")):
				t.Errorf("%q on %s: %q %q, want 401 %s", line, path, head, body, want)
			}
		}
	}

	// Expired tokens are not told apart.
	alice := s.user("alice")
	s.putKnox(alice, "expired", time.Now().Add(-time.Minute))
	s.get("/", token("expired")).expect(t, 401, "Token", invalidToken)
	s.post("/api/auth/logout/", "", token("expired")).expect(t, 401, "Token", invalidToken)
	// A token of another kind is none of knox's.
	s.get("/", token("token-alice")).expect(t, 200, "-", "alice")
	s.post("/api/auth/logout/", "", token("token-alice")).expect(t, 401, "Token", invalidToken)
	// An inactive user's.
	s.putKnox(s.user("bob"), "knox-bob", time.Time{})
	bob := s.user("bob")
	bob.Active = false
	s.putUser(bob)
	s.get("/", token("knox-bob")).expect(t, 401, "Token", detail("User inactive or deleted."))

	s.do("GET", "/api/auth/logout/", token(good)).expect(t, 405, "-", `{"detail":"Method \"GET\" not allowed."}`)
	s.post("/api/auth/logout/", "").expect(t, 401, "Token", notAuthenticated)
	other := s.post("/api/auth/login/", "", basic("alice", "pw")).issued(t).Token
	roots := s.post("/api/auth/login/", "", basic("root", "pw")).issued(t).Token
	out := s.post("/api/auth/logout/", "", token(good))
	out.matches(t, 204, "")
	if got := out.Header.Get("Content-Type"); got != "" {
		t.Errorf("a logout has Content-Type %q", got)
	}
	s.post("/api/auth/logout/", "", token(good)).expect(t, 401, "Token", invalidToken)
	s.get("/", token(good)).expect(t, 401, "Token", invalidToken)
	s.get("/", token(other)).expect(t, 200, "-", "alice")

	s.post("/api/auth/logoutall/", "", token(other)).matches(t, 204, "")
	s.get("/", token(other)).expect(t, 401, "Token", invalidToken)
	s.get("/", token(roots)).expect(t, 200, "-", "root")
	s.get("/", token("token-alice")).expect(t, 200, "-", "alice")
	s.post("/api/auth/logoutall/", "").expect(t, 401, "Token", notAuthenticated)
}

// TestKnoxSettings is each setting's row.
func TestKnoxSettings(t *testing.T) {
	s := serve(t, knoxSite("Token"))
	s.seed()
	login := func(options ...string) reply {
		t.Helper()
		s.reload(knoxSite("Token", options...))
		s.awaitStore()
		return s.post("/api/auth/login/", "", basic("alice", "pw"))
	}
	login("user_serializer username").matches(t, 200, `\{"expiry":`+timePattern+`,"token":`+tokenPattern+`,"user":\{"username":"alice"\}\}`)
	login("user_serializer username email full_name is_staff is_superuser groups").matches(t, 200,
		`\{.*,"user":\{"username":"alice","email":"alice@example.com","full_name":"Alice Liddell","is_staff":false,"is_superuser":false,"groups":\["editors","readers"\]\}\}`)
	login("token_ttl none").matches(t, 200, `\{"expiry":null,"token":`+tokenPattern+`\}`)
	login("expiry_datetime_format \"%H:%M %d/%m/%y\"").matches(t, 200, `\{"expiry":"\d\d:\d\d \d\d/\d\d/\d\d","token":`+tokenPattern+`\}`)
	login("auth_token_character_length 40").matches(t, 200, `\{"expiry":`+timePattern+`,"token":"[0-9a-f]{40}"\}`)

	// Unexpired tokens count, and those that never end.
	s.reload(knoxSite("Token", "token_limit_per_user 2"))
	ended, err := s.store().Delete(t.Context(), tokenstore.Filter{Kind: tokenstore.KindKnox})
	if err != nil || ended != 5 {
		t.Fatalf("%d tokens ended, want 5; %v", ended, err)
	}
	s.putKnox(s.user("alice"), "expired", time.Now().Add(-time.Minute))
	s.putKnox(s.user("alice"), "endless", time.Time{})
	second := s.post("/api/auth/login/", "", basic("alice", "pw")).issued(t).Token
	s.post("/api/auth/login/", "", basic("alice", "pw")).matches(t, 403, `\{"error":"Maximum amount of tokens allowed per user exceeded\."\}`)
	s.get("/", token("endless")).expect(t, 200, "-", "alice")
	s.post("/api/auth/login/", "", basic("root", "pw")).issued(t)
	s.reload(knoxSite("Token", "token_limit_per_user 2 evict"))
	s.awaitStore()
	third := s.post("/api/auth/login/", "", basic("alice", "pw")).issued(t).Token
	s.get("/", token("endless")).expect(t, 401, "Token", invalidToken)
	s.get("/", token(second)).expect(t, 200, "-", "alice")
	s.get("/", token(third)).expect(t, 200, "-", "alice")

	s.reload(knoxSite("Bearer", "token_prefix pre_", "auth_header_prefix Bearer"))
	s.awaitStore()
	prefixed := s.post("/api/auth/login/", "", basic("root", "pw")).issued(t).Token
	if !regexp.MustCompile(`^pre_[0-9a-f]{64}$`).MatchString(prefixed) {
		t.Errorf("token %q has no prefix", prefixed)
	}
	s.get("/", "Authorization: Bearer "+prefixed).expect(t, 200, "-", "root")
	s.get("/", token(prefixed)).expect(t, 401, "Bearer", notAuthenticated)
	s.post("/api/auth/logout/", "", token(prefixed)).expect(t, 401, "Bearer", notAuthenticated)
	s.post("/api/auth/logout/", "", "Authorization: Bearer "+prefixed).matches(t, 204, "")
}

// TestKnoxBodyLogin is the login of knox's documentation, whose form is that of
// DRF's AuthTokenSerializer.
func TestKnoxBodyLogin(t *testing.T) {
	s := serve(t, knoxSite("Token", "body_login", "user_serializer username"))
	s.seed()
	const (
		ok     = `\{"expiry":` + timePattern + `,"token":` + tokenPattern + `,"user":\{"username":"alice"\}\}`
		refuse = `\{"non_field_errors":\["Unable to log in with provided credentials\."\]\}`
	)
	for _, row := range loginRows {
		got := s.post("/api/auth/login/", row.body)
		if row.status == 200 {
			got.matches(t, 200, ok)
			continue
		}
		got.matches(t, row.status, regexp.QuoteMeta(row.want))
	}
	s.post("/api/auth/login/", `{"username":"alice","password":"wrong"}`, basic("alice", "pw")).matches(t, 400, refuse)
	s.post("/api/auth/login/", `{"username":"alice","password":"pw"}`, token("bad")).matches(t, 200, ok)
}

// loginRows are the answers to a user name and password in a body, wherever it
// is a login by itself.
var loginRows = []struct {
	body   string
	status int
	want   string
}{
	{`{"username":"alice","password":"pw"}`, 200, ""},
	{`username=alice&password=pw`, 200, ""},
	{`{"username":"  alice  ","password":"pw"}`, 200, ""},
	{`{"username":"alice","password":"wrong"}`, 400, `{"non_field_errors":["Unable to log in with provided credentials."]}`},
	{`{"username":"nobody","password":"pw"}`, 400, `{"non_field_errors":["Unable to log in with provided credentials."]}`},
	{`{"username":"gone","password":"pw"}`, 400, `{"non_field_errors":["Unable to log in with provided credentials."]}`},
	{`{"username":"alice","password":" pw "}`, 400, `{"non_field_errors":["Unable to log in with provided credentials."]}`},
	{`{}`, 400, `{"username":["This field is required."],"password":["This field is required."]}`},
	{``, 400, `{"username":["This field is required."],"password":["This field is required."]}`},
	{`{"username":"","password":"pw"}`, 400, `{"username":["This field may not be blank."]}`},
	{`{"username":null,"password":"pw"}`, 400, `{"username":["This field may not be null."]}`},
	{`{"username":["alice"],"password":true}`, 400, `{"username":["Not a valid string."],"password":["Not a valid string."]}`},
	{`{"username":"a\u0000b","password":"pw"}`, 400, `{"username":["Null characters are not allowed."]}`},
	{`{`, 400, `{"detail":"JSON parse error - Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"}`},
}

// TestKnoxMount says who may log in, and how often.
func TestKnoxMount(t *testing.T) {
	s := serve(t, knoxSite("Token", "authenticate basic", "require staff", "throttle user 2/hour"))
	s.seed()
	s.post("/api/auth/login/", "").expect(t, 401, `Basic realm="api"`, notAuthenticated)
	s.post("/api/auth/login/", "", basic("alice", "pw")).expect(t, 403, "-", deniedBody)
	first := s.post("/api/auth/login/", "", basic("bob", "pw")).issued(t).Token
	// The logouts take knox's tokens, whoever may log in.
	s.putKnox(s.user("alice"), "of-alice", time.Time{})
	s.post("/api/auth/logout/", "", token("of-alice")).matches(t, 204, "")
	s.post("/api/auth/logout/", "", basic("bob", "pw")).expect(t, 401, "Token", notAuthenticated)
	s.post("/api/auth/login/", "", basic("bob", "pw")).issued(t)
	got := s.post("/api/auth/login/", "", basic("bob", "pw"))
	if got.Status != 429 || got.Header.Get("Retry-After") == "" {
		t.Errorf("the third login was answered %d %q", got.Status, got.Body)
	}
	s.get("/", token(first)).expect(t, 200, "-", "bob")
}

// TestKnoxConfigured: users of the configuration have tokens too, until it has
// the user no more.
func TestKnoxConfigured(t *testing.T) {
	hash, err := password.New(password.Config{}).Hash(t.Context(), "pw")
	if err != nil {
		t.Fatal(err)
	}
	global := func(user string) string {
		return "{\n{{global}}\nrest_auth {\n{{store}}\n" + user + "\n}\n}\n"
	}
	s := serve(t, global("user carol "+hash)+knoxSite("Token"))
	s.awaitStore()
	issued := s.post("/api/auth/login/", "", basic("carol", "pw")).issued(t).Token
	s.get("/", token(issued)).expect(t, 200, "-", "carol")
	s.reload(global("") + knoxSite("Token"))
	s.awaitStore()
	s.get("/", token(issued)).expect(t, 401, "Token", invalidToken)
	s.reload(global("user carol "+hash) + knoxSite("Token"))
	s.awaitStore()
	s.post("/api/auth/logoutall/", "", token(issued)).matches(t, 204, "")
	s.get("/", token(issued)).expect(t, 401, "Token", invalidToken)
}

// putKnox stores a token of knox.
func (s *server) putKnox(user tokenstore.User, secret string, ends time.Time) {
	s.t.Helper()
	err := s.store().Create(s.t.Context(), tokenstore.Credential{
		ID: tokenstore.NewCredentialID(), Kind: tokenstore.KindKnox, Digest: digestOf(secret), UserKey: user.Key,
		Created: time.Now().Add(-time.Hour), Expires: ends,
	}, 0, false)
	if err != nil {
		s.t.Fatal(fmt.Errorf("storing a token: %w", err))
	}
}

// TestKnoxRefresh: what the endpoint says of refreshing is what a use does.
func TestKnoxRefresh(t *testing.T) {
	s := serve(t, "{{site}} {\nrest_auth_endpoints {\n"+
		"knox /api/auth/ {\nauto_refresh\nauto_refresh_max_ttl 12h\nmin_refresh_interval 90\nauthenticate basic\n}\n"+
		"whoami /me/ {\nauthenticate token\n}\n}\n}")
	s.seed()
	s.post("/api/auth/login/", "", basic("alice", "pw")).issued(t)
	issued, _, err := s.store().List(t.Context(), tokenstore.Filter{Kind: tokenstore.KindKnox}, "", 10)
	if err != nil || len(issued) != 1 {
		t.Fatalf("%d records, %v", len(issued), err)
	}
	want := knox.Refresh{TTL: 10 * time.Hour, MaxTTL: 12 * time.Hour, MinInterval: 90 * time.Second}
	if got, ok := knox.Decode(issued[0].Data); !ok || got != want {
		t.Errorf("the record says %+v, want %+v", got, want)
	}
	now := time.Now()
	for secret, test := range map[string]struct{ created, ends, want time.Duration }{
		"due":     {-2 * time.Hour, 8 * time.Hour, 10 * time.Hour},
		"recent":  {-time.Minute, 10*time.Hour - time.Minute, 10*time.Hour - time.Minute},
		"oldest":  {-11 * time.Hour, 30 * time.Minute, time.Hour},
		"at last": {-11 * time.Hour, time.Hour, time.Hour},
	} {
		secret = strings.ReplaceAll(secret, " ", "-")
		err := s.store().Create(t.Context(), tokenstore.Credential{
			ID: tokenstore.NewCredentialID(), Kind: tokenstore.KindKnox, Digest: digestOf(secret), UserKey: s.user("alice").Key,
			Created: now.Add(test.created), Expires: now.Add(test.ends), Data: issued[0].Data,
		}, 0, false)
		if err != nil {
			t.Fatal(err)
		}
		var answer struct{ Expires time.Time }
		got := s.get("/me/", token(secret))
		if err := json.Unmarshal([]byte(got.Body), &answer); err != nil || got.Status != 200 {
			t.Fatalf("%s: %d %s, %v", secret, got.Status, got.Body, err)
		}
		if off := answer.Expires.Sub(now.Add(test.want)); off < -time.Second || off > 20*time.Second {
			t.Errorf("%s ends in %s, want %s", secret, answer.Expires.Sub(now), test.want)
		}
	}
}

// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/google/go-cmp/cmp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/auth/authtest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/bearer"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// introspected serves answers by token, and counts what it is asked.
func introspected(t testing.TB, answers map[string]string) (url string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		answer, ok := answers[r.PostFormValue("token")]
		if !ok {
			answer = `{"active":false}`
		}
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

// introspectionConfig has no other bound on answers than the options say.
func introspectionConfig(url string, options ...string) string {
	return `{"endpoint": "` + url + `", "token": "t", "allow_http": true, "allow_internal": ["loopback"], "audience": ["api"]` +
		strings.Join(append([]string{""}, options...), ", ") + `}`
}

const introspectedAlice = `{"active":true,"username":"alice","sub":"1","aud":"api","exp":4102444800,"scope":"read write","client_id":"app","jti":"j1"}`

func TestIntrospection(t *testing.T) {
	ctx, _ := newApp(t)
	now := time.Now()
	soon := now.Add(20 * time.Second).Truncate(time.Second)
	url, _ := introspected(t, map[string]string{
		"good":    strings.Replace(introspectedAlice, "4102444800", strconv.FormatInt(soon.Unix(), 10), 1),
		"machine": `{"active":true,"aud":["api"],"exp":4102444800,"client_id":"cron"}`,
		"expired": `{"active":true,"username":"alice","aud":"api","exp":1000000000}`,
		"other":   `{"active":true,"username":"alice","aud":"other","exp":4102444800}`,
		"refresh": `{"active":true,"username":"alice","aud":"api","exp":4102444800,"token_type":"refresh_token"}`,
		"bound":   `{"active":true,"username":"alice","aud":"api","exp":4102444800,"cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}`,
	})
	a := mustLoad[*Introspection](t, ctx, "introspection", introspectionConfig(url, `"scope": ["read"]`))
	a.now = func() time.Time { return now }
	refused := func(detail string) *auth.Failure { return &auth.Failure{Code: bearer.CodeInvalidToken, Detail: detail} }
	authtest.Run(t, a, []authtest.Case{
		{Name: "good", Request: with("Bearer good"), Identity: &auth.Identity{
			ID: "alice", Key: url + "|1", Source: url, Scopes: []string{"read", "write"}, Method: "introspection",
			Credential: "j1", Client: "app", Expires: soon.Add(30 * time.Second),
		}},
		{Name: "lower case", Request: with("bearer good"), Identity: &auth.Identity{ID: "alice", Scopes: []string{"read", "write"}}},
		{Name: "machine", Request: with("Bearer machine"), Identity: &auth.Identity{Method: "introspection", Client: "cron"}},
		{Name: "unknown", Request: with("Bearer unknown"), Err: refused("Invalid token.")},
		{Name: "expired", Request: with("Bearer expired"), Err: refused("Token has expired.")},
		{Name: "other audience", Request: with("Bearer other"), Err: refused("Invalid token.")},
		{Name: "refresh token", Request: with("Bearer refresh"), Err: refused("Invalid token.")},
		{Name: "not bound", Request: with("DPoP good"), Err: refused("Invalid token.")},
		{Name: "comma", Request: with("Bearer good,"), Err: refused("Invalid token.")},
		{Name: "too long", Request: with("Bearer " + strings.Repeat("x", maxIntrospected+1)), Err: refused("Invalid token.")},
		{Name: "no token", Request: with("Bearer"), Err: &auth.Failure{
			Code: bearer.CodeInvalidRequest, Detail: "Invalid bearer header. No credentials provided.",
		}},
		{Name: "other scheme", Request: with("Token good"), Err: auth.ErrNoCredentials},
	})

	id, err := a.Authenticate(with("Bearer machine"))
	if err != nil {
		t.Fatal(err)
	}
	if denial, _ := errors.AsType[*auth.Denial](a.Guard(with("Bearer machine"), id)); denial == nil || !cmp.Equal(denial.Scopes, []string{"read"}) {
		t.Errorf("without the scopes: %+v", denial)
	}
	if id, err = a.Authenticate(with("Bearer bound")); err != nil || !isBound(id) {
		t.Fatalf("%v, %v", id, err)
	}
	if failure, _ := errors.AsType[*auth.Failure](a.Guard(with("Bearer bound"), id)); failure == nil || failure.Code != bearer.CodeInvalidToken {
		t.Errorf("bound, without a proof: %v", failure)
	}
}

// TestIntrospection_ttl is how long an answer is good, by what the handler does: it
// takes the end for a miss, and asks Recheck after a minute.
func TestIntrospection_ttl(t *testing.T) {
	ctx, _ := newApp(t)
	url, asked := introspected(t, map[string]string{"a": introspectedAlice, "endless": `{"active":true,"username":"alice"}`})
	now := time.Now()
	for name, tt := range map[string]struct {
		option  string
		token   string
		expires time.Duration // from now; 0: what the answer says
		again   time.Duration // Recheck asks again from then on
		key     bool
	}{
		"default":        {`"optional": []`, "a", time.Minute, time.Minute, true},
		"short":          {`"cache_ttl": "10s"`, "a", 10 * time.Second, 10 * time.Second, true},
		"short, endless": {`"cache_ttl": "10s", "optional": ["exp", "aud"]`, "endless", 10 * time.Second, 10 * time.Second, true},
		"odd":            {`"cache_ttl": "90s"`, "a", 90 * time.Second, 90 * time.Second, true},
		"long":           {`"cache_ttl": "10m"`, "a", 10 * time.Minute, 10 * time.Minute, true},
		"off":            {`"cache_ttl": 0`, "a", 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := mustLoad[*Introspection](t, ctx, "introspection", introspectionConfig(url, tt.option))
			at := now
			a.now = func() time.Time { return at }
			id, err := a.Authenticate(with("Bearer " + tt.token))
			if err != nil {
				t.Fatal(err)
			}
			if left := id.Expires.Sub(now); tt.expires == 0 && left < time.Hour || tt.expires > 0 && (left > tt.expires+time.Second || left < tt.expires-time.Second) {
				t.Errorf("it ends in %v, want %v", left, tt.expires)
			}
			if _, ok := a.CacheKey(with("Bearer " + tt.token)); ok != tt.key {
				t.Errorf("it is remembered: %v", ok)
			}
			if answered, ok := answeredAt(id); !ok || !strings.Contains(answered.String(), " m=") {
				t.Errorf("a clock that is set back makes the answer of %v young", answered)
			}
			before := asked.Load()
			at = now.Add(tt.again - 2*time.Second)
			if again, err := a.Recheck(with("Bearer "+tt.token), id); tt.again > 0 && (err != nil || !cmp.Equal(again, id)) {
				t.Errorf("early: %v, %v", again, err)
			}
			at = now.Add(tt.again + 2*time.Second)
			if _, err := a.Recheck(with("Bearer "+tt.token), id); err != auth.ErrChanged {
				t.Errorf("late: %v", err)
			}
			if asked.Load() != before {
				t.Error("Recheck has asked the server")
			}
		})
	}
}

// TestIntrospection_link has users of the store, who may be disabled while an
// answer is remembered.
func TestIntrospection_link(t *testing.T) {
	ctx, app := newApp(t)
	url, _ := introspected(t, map[string]string{"a": introspectedAlice, "b": strings.Replace(introspectedAlice, "alice", "bob", 1)})
	alice := addUser(t, app.store, tokenstore.User{Name: "alice", FullName: "Alice A.", Active: true, Groups: []string{"editors"}})
	a := mustLoad[*Introspection](t, ctx, "introspection", introspectionConfig(url, `"link": "username"`, `"cache_ttl": "1h"`))
	if a.UserSource() != auth.Local {
		t.Error("its users are not the store's")
	}
	id, err := a.Authenticate(with("Bearer a"))
	if err != nil || id.Key != alice.Key || !id.InGroup("editors") {
		t.Fatalf("%v, %v", id, err)
	}
	if _, err := a.Authenticate(with("Bearer b")); err == nil {
		t.Error("an unknown user is let in")
	}
	alice.Active = false
	addUser(t, app.store, alice)
	if _, err := a.Recheck(with("Bearer a"), id); err == nil || err == auth.ErrChanged {
		t.Errorf("disabled: %v", err)
	}
	app.store.err = tokenstore.ErrUnavailable
	if _, err := a.Recheck(with("Bearer a"), id); err == nil {
		t.Error("the store is down")
	} else if _, down := errors.AsType[*auth.Unavailable](err); !down {
		t.Errorf("the store is down: %v", err)
	}
}

// TestIntrospection_challenge is what clients are told.
func TestIntrospection_challenge(t *testing.T) {
	ctx, _ := newApp(t)
	a := mustLoad[*Introspection](t, ctx, "introspection", introspectionConfig("http://127.0.0.1:1/", `"realm": "shop"`))
	_, err := a.Authenticate(with("Bearer a b"))
	want := `Bearer realm="shop", error="invalid_request", error_description="Invalid bearer header. Credentials string should not contain spaces."`
	if got := a.Challenge(with(), err); got != want {
		t.Errorf("%s", got)
	}
	if got := a.ChallengeScope(with(), nil, []string{"a"}); !strings.Contains(got, `error="insufficient_scope"`) || !strings.Contains(got, `scope="a"`) {
		t.Errorf("%s", got)
	}
	if _, err := a.Authenticate(with("Bearer a")); err == nil {
		t.Error("a server that is not there vouches for a token")
	}
}

// FuzzIntrospectionCaddyfile has every block either fill the fields or be refused,
// and the JSON read the same again.
func FuzzIntrospectionCaddyfile(f *testing.F) {
	for _, lines := range []string{"", "client_id a\nclient_secret b\naudience c d", "cache_ttl 0\nleeway 1s\noptional exp", "scope a\nlink x\ncreate on\nquery\ntoken {env.X}"} {
		f.Add(lines)
	}
	f.Fuzz(func(t *testing.T, lines string) {
		var a, again Introspection
		if a.UnmarshalCaddyfile(caddyfile.NewTestDispenser("introspection https://a {\n"+lines+"\n}")) != nil {
			return
		}
		encoded, err := json.Marshal(&a)
		if err != nil || json.Unmarshal(encoded, &again) != nil {
			t.Fatalf("%s: %v", encoded, err)
		}
		if second, _ := json.Marshal(&again); string(second) != string(encoded) {
			t.Errorf("%s becomes %s", encoded, second)
		}
	})
}

func BenchmarkIntrospection_CacheKey(b *testing.B) {
	ctx, _ := newApp(b)
	a := mustLoad[*Introspection](b, ctx, "introspection", introspectionConfig("http://127.0.0.1:1/"))
	r := with("Bearer " + strings.Repeat("x", 40))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := a.CacheKey(r); !ok {
			b.Fatal("no key")
		}
	}
}

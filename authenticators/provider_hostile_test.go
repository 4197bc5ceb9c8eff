// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/caddyauth"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// TestProvider_hostile holds providers that do with writer and request whatever
// they can.
func TestProvider_hostile(t *testing.T) {
	tests := map[string]struct {
		guest guest
		ok    bool
	}{
		"panics": {func(http.ResponseWriter, *http.Request) (caddyauth.User, bool, error) { panic("a secret") }, false},
		"panics after it accepted": {func(http.ResponseWriter, *http.Request) (caddyauth.User, bool, error) {
			defer func() { panic(io.EOF) }()
			return caddyauth.User{ID: "mallory"}, true, nil
		}, false},
		"aborts": {func(http.ResponseWriter, *http.Request) (caddyauth.User, bool, error) { panic(http.ErrAbortHandler) }, false},
		"hijacks": {func(w http.ResponseWriter, _ *http.Request) (caddyauth.User, bool, error) {
			_, _, err := w.(http.Hijacker).Hijack()
			return caddyauth.User{ID: "x"}, true, err
		}, false},
		"hijacks more": {func(w http.ResponseWriter, _ *http.Request) (caddyauth.User, bool, error) {
			_, _, err := http.NewResponseController(w).Hijack()
			return caddyauth.User{ID: "x"}, true, err
		}, false},
		"floods": {func(w http.ResponseWriter, _ *http.Request) (caddyauth.User, bool, error) {
			for range 1 << 10 {
				_, _ = w.Write(make([]byte, 64<<10))
				w.(http.Flusher).Flush()
			}
			_, _ = io.Copy(w, io.LimitReader(strings.NewReader(strings.Repeat("x", 1<<20)), 1<<20))
			return caddyauth.User{ID: "x"}, true, nil
		}, true},
		"changes the request": {func(_ http.ResponseWriter, r *http.Request) (caddyauth.User, bool, error) {
			r.Header.Set("X-Injected", "1")
			r.Header.Del("Authorization")
			r.URL.Path, r.Method, r.Host = "/other", "DELETE", "other"
			_, _ = io.ReadAll(r.Body)
			_ = r.Body.Close()
			caddyhttp.SetVar(r.Context(), "injected", "1")
			r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer).Set("http.auth.user.id", "root")
			r.Context().Value(caddyhttp.ExtraLogFieldsCtxKey).(*caddyhttp.ExtraLogFields).Add(zap.String("secret", "s"))
			return caddyauth.User{ID: "x"}, true, nil
		}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := hosting(test.guest)
			r := with("Token x")
			replacer := caddy.NewReplacer()
			vars := map[string]any{"kept": "1"}
			ctx := context.WithValue(r.Context(), caddy.ReplacerCtxKey, replacer)
			ctx = context.WithValue(ctx, caddyhttp.VarsCtxKey, vars)
			r = r.WithContext(ctx)
			r.Body = io.NopCloser(strings.NewReader("body"))
			before := r.Clone(ctx)
			id, err := p.Authenticate(r)
			if test.ok != (err == nil) || test.ok != (id != nil) {
				t.Fatalf("Authenticate = %v, %v", id, err)
			}
			if _, undecided := errors.AsType[*auth.Unavailable](err); !test.ok && !undecided {
				t.Errorf("%v is not Unavailable", err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error repeats what the provider panicked with: %v", err)
			}
			if body, _ := io.ReadAll(r.Body); string(body) != "body" {
				t.Errorf("the body is %q", body)
			}
			if r.URL.Path != before.URL.Path || r.Method != before.Method || r.Host != before.Host || len(r.Header) != len(before.Header) {
				t.Errorf("the request changed to %s %s %s %v", r.Method, r.Host, r.URL, r.Header)
			}
			if _, leaked := replacer.GetString("http.auth.user.id"); leaked || len(vars) != 1 {
				t.Errorf("placeholders or variables were left: %v", vars)
			}
		})
	}
}

// What a provider is told by placeholders and variables is the request's, as the
// tenant whose keys it looks for.
func TestProvider_seesTheRequest(t *testing.T) {
	seen := ""
	p := hosting(func(_ http.ResponseWriter, r *http.Request) (caddyauth.User, bool, error) {
		replacer := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
		seen = replacer.ReplaceAll("{http.request.host} {http.vars.tenant} {none}", "-") + " " + fmt.Sprint(caddyhttp.GetVar(r.Context(), "tenant")) + " " + fmt.Sprint(r.ContentLength)
		return caddyauth.User{}, false, nil
	})
	r := httptest.NewRequest(http.MethodPost, "http://shop.example/", strings.NewReader("the body"))
	r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), nil, new(caddyhttp.Server))
	caddyhttp.SetVar(r.Context(), "tenant", "a")
	_, _ = p.Authenticate(r)
	if want := "shop.example a - a 0"; seen != want {
		t.Errorf("the provider was told %q, want %q", seen, want)
	}
}

// A panic is 503 whatever the operator says of errors.
func TestProvider_panicIsUndecided(t *testing.T) {
	for _, word := range []string{errorsUnavailable, errorsRefuse, errorsAbstain} {
		p := hosting(func(http.ResponseWriter, *http.Request) (caddyauth.User, bool, error) { panic("a secret") })
		p.Errors = word
		_, err := p.Authenticate(with("Bearer x"))
		if _, undecided := errors.AsType[*auth.Unavailable](err); !undecided {
			t.Errorf("errors %s: %v", word, err)
		}
	}
}

// An Authorization of another scheme is none of a provider's business once its
// own is known.
func TestProvider_hidesOthers(t *testing.T) {
	seen := ""
	p := hosting(func(_ http.ResponseWriter, r *http.Request) (caddyauth.User, bool, error) {
		seen = r.Header.Get("Authorization")
		return caddyauth.User{}, false, nil
	})
	for _, test := range []struct{ configured, sent, seen string }{
		{"", "Token x", "Token x"},
		{"Bearer", "Token x", ""},
		{"Bearer", "bearer x", "bearer x"},
		{"Bearer", "Bearer", "Bearer"},
	} {
		p.scheme = test.configured
		_, _ = p.Authenticate(with(test.sent))
		if seen != test.seen {
			t.Errorf("%q with challenge %q: the provider saw %q, want %q", test.sent, test.configured, seen, test.seen)
		}
	}
}

// What providers say of their errors does not put credentials into the log.
func TestProvider_masksErrors(t *testing.T) {
	p := hosting(func(_ http.ResponseWriter, r *http.Request) (caddyauth.User, bool, error) {
		_, password, _ := r.BasicAuth()
		return caddyauth.User{}, false, fmt.Errorf("bad: %s %s %v %s %s\n", r.Header, password, r.Cookies(), r.URL, strings.Repeat("é", 600))
	})
	r := with("Basic " + encode("alice:canary-password"))
	r.Header.Set("X-Api-Key", "canary-key")
	r.Header.Set("Cookie", "session=canary-cookie; other=canary")
	r.URL.RawQuery = "token=canary-%71uery&x=canary-2"
	_, err := p.Authenticate(r)
	if text := fmt.Sprint(err); strings.Contains(text, "canary") || strings.Contains(text, encode("alice:canary-password")) ||
		!strings.Contains(text, "bad: ") || len(text) > 700 {
		t.Errorf("the error is %q", text)
	}
}

// A client that sends as much as it may does not have the log compare all of it
// with all of it, which would take seconds. Nor is any of it logged unmasked.
func TestProvider_masksInBounds(t *testing.T) {
	p := hosting(func(_ http.ResponseWriter, r *http.Request) (caddyauth.User, bool, error) {
		return caddyauth.User{}, false, fmt.Errorf("bad: %s %s", r.URL.Query().Get("a"), r.URL.Path)
	})
	for name, change := range map[string]func(*http.Request, *strings.Builder){
		"path":  func(r *http.Request, _ *strings.Builder) { r.URL.Path = strings.Repeat("canary-", 60000) },
		"query": func(r *http.Request, many *strings.Builder) { r.URL.RawQuery += "&" + many.String() },
		"cookies": func(r *http.Request, many *strings.Builder) {
			r.Header.Set("Cookie", strings.ReplaceAll(many.String(), "&", "; "))
		},
		"parts": func(r *http.Request, many *strings.Builder) {
			r.Header.Set("Authorization", "Bearer "+strings.ReplaceAll(many.String(), "&", "."))
		},
	} {
		r := with("Bearer x")
		r.URL.RawQuery = "a=canary-query"
		var many strings.Builder
		for i := range 2 * maxSecrets {
			fmt.Fprintf(&many, "b=value-%d&", i)
		}
		change(r, &many)
		_, err := p.Authenticate(r)
		if text := fmt.Sprint(err); strings.Contains(text, "canary") || strings.Contains(text, "bad: ") || len(text) > 200 {
			t.Errorf("%s: the error is %q", name, text)
		}
	}
	r := with("Bearer " + strings.Repeat("b.", 4*maxSecrets))
	r.URL.RawQuery = "a=canary-query&%zz&;"
	if _, err := p.Authenticate(r); !strings.Contains(fmt.Sprint(err), "bad: *** ") {
		t.Errorf("what is too short to be masked hides the error: %v", err)
	}
}

// An error that neither refuses nor is 503 can be found in the log all the same.
func TestProvider_logsEveryError(t *testing.T) {
	for want, failing := range map[int]error{
		0:                          errors.New("no session: canary"),
		http.StatusForbidden:       caddyhttp.Error(http.StatusForbidden, errors.New("not you: canary")),
		http.StatusTooManyRequests: caddyhttp.Error(http.StatusTooManyRequests, errors.New("slowly: canary")),
	} {
		core, logged := observer.New(zap.DebugLevel)
		p := hosting(func(http.ResponseWriter, *http.Request) (caddyauth.User, bool, error) {
			return caddyauth.User{}, false, failing
		})
		p.Errors, p.logger = errorsAbstain, zap.New(core)
		_, _ = p.Authenticate(with("Bearer canary"))
		lines := logged.All()
		if len(lines) != 1 {
			t.Fatalf("%v: %d lines are logged", failing, len(lines))
		}
		fields := lines[0].ContextMap()
		text := fmt.Sprint(fields["error"])
		if fields["status"] != int64(want) || fields["provider"] != "test" || strings.Contains(text, "canary") || !strings.Contains(text, ": ***") {
			t.Errorf("%v: logged %v", failing, fields)
		}
	}
}

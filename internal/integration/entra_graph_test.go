// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/entratest"
)

func entraGraphLine(idp *entratest.Server, lines ...string) string {
	return "graph {\nclient_id " + entratest.Orders + "\nclient_secret " + entratest.Secret + "\nendpoint " + idp.URL + "\n" +
		strings.Join(lines, "\n") + "\n}"
}

// manyGroups has more groups than fit on two pages of Graph.
func manyGroups(n int) (groups []entratest.Group, ids, names string) {
	for i := range n {
		group := entratest.Group{ID: fmt.Sprintf("id-%03d", i), DisplayName: fmt.Sprintf("name-%03d", i)}
		groups = append(groups, group)
		ids += "," + group.ID
		names += "," + group.DisplayName
	}
	return groups, ids[1:], names[1:]
}

// TestEntra_overage is a user with more groups than a token has room for.
func TestEntra_overage(t *testing.T) {
	idp := entratest.New(t)
	groups, ids, names := manyGroups(250)
	idp.Groups[entratest.Alice], idp.Groups[entratest.Robot] = groups, groups[:3]
	idp.PageSize = 100
	user := func(others entratest.Claims) string {
		return entraToken(idp.Sign(idp.User("2.0", entratest.Contoso, entratest.Alice, "a").With(entraOverage(idp)).With(others)))
	}
	hasgroups := entratest.Claims{"_claim_names": nil, "_claim_sources": nil, "hasgroups": true}
	groupsOf := func(got reply) string {
		_, after, _ := strings.Cut(got.Body, "groups=")
		before, _, _ := strings.Cut(after, " ")
		return before
	}

	s := serve(t, entraSite(idp, entratest.Contoso))
	s.get("/", user(nil)).expect(t, 403, "-", detail("The groups of the user could not be determined."))
	s.get("/", user(hasgroups)).expect(t, 403, "-", detail("The groups of the user could not be determined."))
	s.reload(entraSite(idp, entratest.Contoso, "overage ignore"))
	if got := s.get("/", user(nil)); got.Status != 200 || groupsOf(got) != "" {
		t.Errorf("ignored: %d %q", got.Status, got.Body)
	}
	s.reload(entraSite(idp, entratest.Contoso, "group_claim roles"))
	if got := s.get("/", user(entratest.Claims{"roles": []string{"r"}})); got.Status != 200 || groupsOf(got) != "r" {
		t.Errorf("not asked for: %d %q", got.Status, got.Body)
	}
	if got := idp.Count("graph") + idp.Count("token"); got != 0 {
		t.Errorf("Graph was asked %d times without being configured", got)
	}

	s.reload(entraSite(idp, entratest.Contoso, entraGraphLine(idp)))
	for _, claims := range []entratest.Claims{nil, hasgroups, {"roles": []string{"r"}}} {
		want := ids
		if claims["roles"] != nil {
			want += ",r"
		}
		if got := s.get("/", user(claims)); got.Status != 200 || groupsOf(got) != want {
			t.Errorf("on behalf of the user: %d %q", got.Status, got.Body)
		}
	}
	if tokens, pages := idp.Count("token"), idp.Count("graph"); tokens != 1 || pages != 3 {
		t.Errorf("Graph was asked for %d tokens and %d pages, want 1 and 3", tokens, pages)
	}

	s.reload(entraSite(idp, entratest.Contoso, entraGraphLine(idp, "flow client_credentials", "group_name display_name"), "apps any"))
	if got := s.get("/", user(nil)); got.Status != 200 || groupsOf(got) != names {
		t.Errorf("by client credentials: %d %q", got.Status, got.Body)
	}
	if got := s.get("/", entraToken(idp.Sign(idp.App("2.0", entratest.Contoso).With(entraOverage(idp))))); got.Status != 200 || groupsOf(got) != "name-000,name-001,name-002" {
		t.Errorf("an app: %d %q", got.Status, got.Body)
	}
	if strings.Contains(s.logs.text(), entratest.Secret) {
		t.Error("the client secret is in the log")
	}
}

// TestEntra_groupRemoval takes a user out of a group: what was asked of Graph holds
// for as long as the site says, and a token's own groups until the next one.
func TestEntra_groupRemoval(t *testing.T) {
	idp := entratest.New(t)
	set := func(names ...string) {
		idp.Lock()
		defer idp.Unlock()
		idp.Groups[entratest.Alice] = nil
		for _, name := range names {
			idp.Groups[entratest.Alice] = append(idp.Groups[entratest.Alice], entratest.Group{ID: name})
		}
	}
	n := 0
	ask := func(s *server) string {
		n++ // a token that nobody has seen
		token := idp.Sign(idp.User("2.0", entratest.Contoso, entratest.Alice, "a").With(entraOverage(idp)).With(entratest.Claims{"uti": fmt.Sprint(n)}))
		return s.get("/", entraToken(token)).Body
	}
	for cache, want := range map[string]string{"cache 0s": "groups=staff ", "": "groups=admins,staff "} {
		set("admins", "staff")
		s := serve(t, entraSite(idp, entratest.Contoso, entraGraphLine(idp, cache)))
		if got := ask(s); !strings.Contains(got, "groups=admins,staff ") {
			t.Errorf("before, %q: %q", cache, got)
		}
		set("staff")
		if got := ask(s); !strings.Contains(got, want) {
			t.Errorf("after, %q: %q, want %q", cache, got, want)
		}
	}
}

// TestEntra_graphFaults is a Graph that does not say which groups a user has:
// nobody is let in without them, and nothing is sent elsewhere.
func TestEntra_graphFaults(t *testing.T) {
	idp := entratest.New(t)
	idp.Groups[entratest.Alice], _, _ = manyGroups(250)
	n := 0
	fresh := func() string {
		n++
		object := fmt.Sprintf("aaaaaaaa-0000-1111-2222-%012d", n) // whose groups nobody remembers
		idp.Groups[object] = idp.Groups[entratest.Alice]
		return entraToken(idp.Sign(idp.User("2.0", entratest.Contoso, object, "a").With(entraOverage(idp))))
	}
	s := serve(t, entraSite(idp, entratest.Contoso, entraGraphLine(idp)))
	remembered := fresh()
	if got := s.get("/", remembered); got.Status != 200 {
		t.Fatalf("%d %q", got.Status, got.Body)
	}
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for name, fault := range map[string]struct {
		part string
		f    http.HandlerFunc
	}{
		"Graph is down":         {"graph", entratest.Down},
		"Graph forbids":         {"graph", answer(403, `{"error":{"code":"Authorization_RequestDenied"}}`)},
		"Graph has no groups":   {"graph", answer(200, `{}`)},
		"Graph answers HTML":    {"graph", answer(200, `<html>`)},
		"Graph has a huge page": {"graph", answer(200, `{"value":[{"id":"`+strings.Repeat("x", 3<<20)+`"}]}`)},
		"Graph never ends":      {"graph", answer(200, `{"value":[],"@odata.nextLink":"`+idp.URL+`/v1.0/me/transitiveMemberOf/microsoft.graph.group"}`)},
		"Graph redirects": {"graph", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, idp.URL+"/elsewhere", http.StatusFound)
		}},
		"no token":                {"token", entratest.Down},
		"the secret is wrong":     {"token", answer(401, `{"error":"invalid_client","error_codes":[7000215]}`)},
		"nobody has consented":    {"token", answer(400, `{"error":"invalid_grant","error_codes":[65001]}`)},
		"next page by http":       {"graph", answer(200, `{"value":[],"@odata.nextLink":"`+strings.Replace(idp.URL, "https", "http", 1)+`/v1.0/me"}`)},
		"next page of beta":       {"graph", answer(200, `{"value":[],"@odata.nextLink":"`+idp.URL+`/beta/me"}`)},
		"next page with a user":   {"graph", answer(200, `{"value":[],"@odata.nextLink":"`+strings.Replace(idp.URL, "https://", "https://u@", 1)+`/v1.0/me"}`)},
		"next page is a fragment": {"graph", answer(200, `{"value":[],"@odata.nextLink":"::"}`)},
	} {
		t.Run(name, func(t *testing.T) {
			idp.Fail(fault.part, fault.f)
			defer idp.Fail(fault.part, nil)
			if got := s.get("/", fresh()); got.Status != 503 || got.Header.Get("Retry-After") == "" {
				t.Errorf("%d %q, want 503", got.Status, got.Body)
			}
		})
	}

	// The address of the next page is another host's, which hears nothing.
	other := entratest.New(t)
	idp.Lock()
	idp.NextHost = strings.TrimPrefix(other.URL, "https://")
	idp.Unlock()
	if got := s.get("/", fresh()); got.Status != 503 {
		t.Errorf("another host: %d %q", got.Status, got.Body)
	}
	if got := other.Count("graph"); got != 0 {
		t.Errorf("another host was asked %d times", got)
	}
	idp.Lock()
	idp.NextHost = ""
	idp.Unlock()

	// A token that Entra ID refuses to exchange is the client's.
	idp.Fail("token", answer(400, `{"error":"invalid_grant","error_codes":[50013]}`))
	s.get("/", fresh()).expect(t, 401, entraInvalid, invalidToken)
	idp.Fail("token", nil)
	idp.Fail("graph", answer(404, `{}`))
	s.get("/", fresh()).expect(t, 401, entraInvalid, invalidToken)
	idp.Fail("graph", nil)

	// Multi-factor authentication: the client is told what to ask for.
	idp.Lock()
	idp.MFA[entratest.Alice] = true
	idp.Unlock()
	got := s.get("/", entraToken(idp.Sign(idp.User("2.0", entratest.Contoso, entratest.Alice, "a").With(entraOverage(idp)))))
	if challenge := got.Header.Get("WWW-Authenticate"); got.Status != 401 || got.Body != detail("Multi-factor authentication is required.") ||
		!strings.HasPrefix(challenge, `Bearer realm="api", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4i`) {
		t.Errorf("MFA: %d %q %q", got.Status, challenge, got.Body)
	}

	// Too many requests: nobody asks again before it is time, whoever the user is.
	idp.Fail("graph", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	asked := idp.Count("graph")
	for range 3 {
		got := s.get("/", fresh())
		if after, _ := strconv.Atoi(got.Header.Get("Retry-After")); got.Status != 503 || after < 2 || after > 30 {
			t.Errorf("throttled: %d %q, Retry-After %q", got.Status, got.Body, got.Header.Get("Retry-After"))
		}
	}
	if got := idp.Count("graph") - asked; got != 1 {
		t.Errorf("Graph was asked %d times after it had enough", got)
	}
	if got := s.get("/", remembered); got.Status != 200 {
		t.Errorf("whose groups are known: %d %q", got.Status, got.Body)
	}
	s = serve(t, entraSite(idp, entratest.Contoso, entraGraphLine(idp)))

	// All who wait for the same answer share it; once it is there, it is kept.
	idp.Fail("graph", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(100 * time.Millisecond)
		_, _ = w.Write([]byte(`{"value":[{"id":"g"}]}`))
	})
	before, same := idp.Count("graph"), fresh()
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if got := s.get("/", same); got.Status != 200 {
				t.Errorf("together: %d %q", got.Status, got.Body)
			}
		})
	}
	wait.Wait()
	if got := idp.Count("graph") - before; got != 1 {
		t.Errorf("Graph was asked %d times by those who came together", got)
	}
}
